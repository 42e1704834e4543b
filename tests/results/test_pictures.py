# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
from PIL import Image

from cgc_addon.results.feature_colors import fit_feature_colors
from cgc_addon.results.pictures import save_array, save_png, to_bytes
from cgc_addon.results.renders import depth_picture


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


def test_near_things_are_bright_and_empty_ones_black():
    depth = np.array([[1.0, 2.0], [4.0, 0.0]], np.float32)
    shown = depth_picture(depth).astype(int)
    assert shown[0, 0] > shown[0, 1] > shown[1, 0] > shown[1, 1] == 0
    assert not depth_picture(np.zeros((2, 2), np.float32)).any()


@pytest.mark.parametrize(("kind", "highest"), [(np.uint8, 255), (np.uint16, 65_535)])
def test_ids_survive_a_png(tmp_path, kind, highest):
    ids = np.array([[0, 1], [highest - 1, highest]], kind)
    save_png(tmp_path / "a" / "b.png", ids)
    with Image.open(tmp_path / "a" / "b.png") as image:
        np.testing.assert_array_equal(np.array(image), ids)


def test_arrays_survive_and_colours_are_rounded(tmp_path):
    save_array(tmp_path / "a.npy", np.arange(3.0))
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), np.arange(3.0))
    assert to_bytes(np.array([-1.0, 0.499 / 255, 0.501 / 255, 2.0])).tolist() == [0, 0, 1, 255]
