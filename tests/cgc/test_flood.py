# SPDX-License-Identifier: GPL-3.0-or-later
"""A flood takes what is alike and hangs together, and nothing else."""

from __future__ import annotations

import numpy as np

from cgc_addon.cgc.flood import flood


def things() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a red ball, a blue ball that touches it, and another red one far away."""
    random = np.random.default_rng(0)
    places = np.repeat([[0.0, 0, 0], [1.6, 0, 0], [9.0, 0, 0]], 300, axis=0)
    directions = random.normal(size=(900, 3))
    means = places + directions / np.linalg.norm(directions, axis=1, keepdims=True)
    colors = np.repeat([[1.0, 0, 0], [0.3, 1, 0], [1.0, 0, 0]], 300, axis=0)
    features = (colors + random.normal(0, 0.1, (900, 3))) * random.uniform(0.5, 9, (900, 1))
    return means.astype(np.float32), features, np.repeat([0, 1, 2], 300)


def test_only_the_thing_itself_is_taken() -> None:
    means, features, thing = things()
    for seed in (0, 150, 350, 700):
        assert np.array_equal(flood(means, features, seed), thing == thing[seed])


def test_less_alike_takes_more_and_the_seed_is_always_in() -> None:
    means, features, thing = things()
    loose = flood(means, features, 0, minimum_cosine=0.0)
    assert loose[thing < 2].all()
    assert not loose[thing == 2].any()
    assert flood(means, features, 0, minimum_cosine=1.0).tolist().count(True) >= 1
    assert flood(means, features, 0, minimum_cosine=0.0, hop=30.0).all()


def test_a_noisy_seed_means_its_surroundings() -> None:
    means, features, thing = things()
    features[0] = (0.8, 0.6, 0.0)
    found = flood(means, features, 0, minimum_cosine=0.9)
    assert found[thing == 0].mean() > 0.95
    assert not found[thing == 1].any()


def test_what_has_no_feature_is_not_taken() -> None:
    means, features, _ = things()
    features[100:200] = 0.0
    found = flood(means, features, 0)
    assert not found[100:200].any()
    assert flood(means, features, 150).tolist() == (np.arange(900) == 150).tolist()
