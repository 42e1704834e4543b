# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np

from cgc_addon.results.feature_colors import fit_feature_colors


def features(seed=0):
    """Three bundles of directions."""
    random = np.random.default_rng(seed)
    centers = random.normal(size=(3, 16))
    return (centers[np.arange(90) % 3] + 0.05 * random.normal(size=(90, 16))).astype(np.float32)


def test_bundles_of_features_get_colours_of_their_own():
    values = features()
    colors = fit_feature_colors(values, np.ones(90))(values).astype(float)
    within = max(colors[k::3].std(axis=0).max() for k in range(3))
    between = min(
        np.abs(colors[a::3].mean(axis=0) - colors[b::3].mean(axis=0)).max()
        for a, b in ((0, 1), (0, 2), (1, 2))
    )
    assert between > 4 * within


def test_colours_depend_on_direction_only_and_nothing_is_black():
    values = features()
    to_colors = fit_feature_colors(values, np.ones(90))
    np.testing.assert_allclose(to_colors(values).astype(int), to_colors(3 * values), atol=1)
    assert not to_colors(np.zeros((2, 2, 16))).any()


def test_features_that_are_all_nothing_still_give_a_picture():
    to_colors = fit_feature_colors(np.zeros((5, 16), np.float32), np.ones(5))
    assert to_colors(np.ones((2, 3, 16))).shape == (2, 3, 3)
