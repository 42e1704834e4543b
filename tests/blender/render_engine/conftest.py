# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures of splats, rendered by the engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    import bpy

    from .exr_reading import Exr


@pytest.fixture
def scene() -> bpy.types.Scene:
    """Return a scene of 48 × 36 px with a camera at z = 6 that looks down, and no world."""
    import bpy

    scene = bpy.context.scene
    scene.render.engine = "CGC_SPLATS"
    scene.render.resolution_x, scene.render.resolution_y = 48, 36
    scene.render.dither_intensity = 0.0
    scene.view_settings.view_transform = "Standard"
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location.z = 6.0
    scene.collection.objects.link(camera)
    scene.camera = camera
    return scene


@pytest.fixture
def ball() -> Callable[..., bpy.types.Object]:
    """Return a function that adds a splat of one dense round Gaussian."""
    import bpy

    from cgc_addon.blender.splats.objects import new_splat
    from cgc_addon.splats.gaussians import Gaussians
    from cgc_addon.splats.spherical_harmonics import CONSTANT_BASIS

    def add(
        name: str = "ball",
        color: tuple[float, float, float] = (1.0, 0.5, 0.2),
        place: tuple[float, float, float] = (0.0, 0.0, 0.0),
        collection: bpy.types.Collection | None = None,
        radius: float = 0.5,
        logit: float = 6.0,
    ) -> bpy.types.Object:
        constant = (np.array(color) - 0.5) / CONSTANT_BASIS
        one = Gaussians(
            means=np.zeros((1, 3), np.float32),
            log_scales=np.full((1, 3), np.log(radius), np.float32),
            quats=np.array([[1, 0, 0, 0]], np.float32),
            logit_opacities=np.full(1, logit, np.float32),
            sh=constant.astype(np.float32)[None, None],
        )
        index = np.zeros(1, np.int32)
        item = new_splat(name, one, index, index)
        item.location = place
        (collection or bpy.context.scene.collection).objects.link(item)
        return item

    return add


@pytest.fixture
def render(tmp_path: Path) -> Callable[[], Exr]:
    """Return a function that renders the scene into a multi-layer EXR and reads it."""
    import bpy

    from .exr_reading import read_exr

    def render() -> Exr:
        output = bpy.context.scene.render
        if hasattr(output.image_settings, "media_type"):
            output.image_settings.media_type = "MULTI_LAYER_IMAGE"
        output.image_settings.file_format = "OPEN_EXR_MULTILAYER"
        output.image_settings.color_depth = "32"
        output.filepath = str(tmp_path / "render.exr")
        assert bpy.ops.render.render(write_still=True) == {"FINISHED"}
        return read_exr(tmp_path / "render.exr")

    return render


@pytest.fixture
def picture(render: Callable[[], Exr]) -> Callable[[], np.ndarray]:
    """Return a function that renders the scene and returns the picture (H, W, 4), linear."""

    def picture() -> np.ndarray:
        return render().layer("ViewLayer.Combined", "RGBA")

    return picture
