# SPDX-License-Identifier: GPL-3.0-or-later
"""Directions are found from all splats of a scene, or a share of very many."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

from cgc_addon.blender.drawing import feature_basis
from cgc_addon.blender.drawing.feature_basis import FeatureBasis

from .splat_scene import add_splat, some_gaussians


def clouds_of(*items) -> dict:
    return {item.data.session_uid: item.data for item in items}


def test_colours_are_alike_where_features_are(monkeypatch) -> None:
    items = [add_splat(some_gaussians(400, seed), f"splat {seed}") for seed in range(2)]
    whole = FeatureBasis.of(clouds_of(*items))
    assert whole.clouds == set(clouds_of(*items))
    colors = [whole.colors(item.data) for item in items]
    assert [one.shape for one in colors] == [(400, 3)] * 2
    assert all(one.min() >= 0 and one.max() <= 1 for one in colors)
    assert np.ptp(np.concatenate(colors), axis=0).min() > 0.5
    monkeypatch.setattr(feature_basis, "MOST_FITTED", 400)
    half = FeatureBasis.of(clouds_of(*items))
    assert half.map is not None
    assert whole.map is not None
    assert not np.array_equal(half.map.mean, whole.map.mean)
    np.testing.assert_allclose(half.map.mean, whole.map.mean, atol=0.1)


def test_without_features_all_is_grey() -> None:
    plain = add_splat(some_gaussians(5, features=False))
    for basis in (FeatureBasis.of(clouds_of(plain)), FeatureBasis.of({})):
        np.testing.assert_array_equal(basis.colors(plain.data), np.full((5, 3), 0.5, np.float32))
