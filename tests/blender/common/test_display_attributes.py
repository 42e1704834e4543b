# SPDX-License-Identifier: GPL-3.0-or-later
"""Radii and colours that Gaussians are drawn with."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common import point_attributes
from cgc_addon.blender.common.display_attributes import (
    LARGEST,
    constants_from_colors,
    display_colors,
    display_radii,
)
from cgc_addon.blender.splats.objects import (
    data_of,
    new_splat,
)
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.select import subset


def random_gaussians(count: int, degree: int = 3, *, features: bool = True) -> Gaussians:
    generator = np.random.default_rng(count + degree)

    def normal(*shape: int) -> np.ndarray:
        return generator.normal(size=shape).astype(np.float32)

    quats = normal(count, 4)
    return Gaussians(
        means=normal(count, 3),
        log_scales=3 * normal(count, 3) - 4,
        quats=quats / np.linalg.norm(quats, axis=1, keepdims=True),
        logit_opacities=6 * normal(count),
        sh=normal(count, (degree + 1) ** 2, 3),
        features=normal(count, 16) if features else None,
        segments=generator.integers(0, 9, count).astype(np.int32) if features else None,
    )


def splat_of(gaussians: Gaussians, name: str = "splat"):
    index = np.arange(len(gaussians), dtype=np.int32)[::-1]
    return new_splat(name, gaussians, index, index % 5)


def test_the_display_radius_is_of_the_surface_and_bounded() -> None:
    gaussians = random_gaussians(1000)
    radii = display_radii(gaussians)
    opacities = 1 / (1 + np.exp(-gaussians.logit_opacities.astype(float)))
    assert ((radii > 0) == (opacities > 0.3)).all()
    assert radii.max() <= LARGEST * np.median(radii[radii > 0]) * (1 + 1e-6)
    np.testing.assert_array_equal(
        point_attributes.read(data_of(splat_of(gaussians)), "radius"), radii
    )
    assert display_radii(subset(gaussians, np.zeros(0, dtype=int))).shape == (0,)


def test_display_colours_are_scene_linear_and_can_be_undone() -> None:
    gaussians = random_gaussians(1000)
    grey = Gaussians(**{**vars(gaussians), "sh": np.zeros_like(gaussians.sh)})
    np.testing.assert_allclose(display_colors(grey)[:, :3], 0.21404114, rtol=1e-6)
    back = constants_from_colors(display_colors(gaussians))
    np.testing.assert_allclose(back, gaussians.sh[:, 0], atol=2e-6)
