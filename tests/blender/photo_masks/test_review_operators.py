# SPDX-License-Identifier: GPL-3.0-or-later
"""A click in the viewport means the pixel of the photo that lies there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.capture.camera_operators import look_through
from cgc_addon.blender.photo_masks import review, review_operators
from cgc_addon.errors import CgcError


def scene() -> bpy.types.Scene:
    return bpy.context.scene


def test_a_click_in_the_viewport_finds_its_pixel(masked: Path) -> None:
    look_through(bpy.context, scene().camera)
    render = scene().render
    projection = scene().camera.calc_matrix_camera(
        bpy.context.evaluated_depsgraph_get(),
        x=render.resolution_x, y=render.resolution_y,
        scale_x=render.pixel_aspect_x, scale_y=render.pixel_aspect_y,
    )  # fmt: skip
    view = SimpleNamespace(view_perspective="CAMERA", window_matrix=projection)
    area = SimpleNamespace(spaces=SimpleNamespace(active=SimpleNamespace(region_3d=view)))
    region = SimpleNamespace(width=640, height=520)  # ten pixels for one of the photo
    review.refresh(scene())
    for place, mask in (((315.0, 515.0), 1), ((325.0, 265.0), 2), ((315.0, 255.0), 3),
                        ((325.0, 255.0), 0), ((-5.0, 300.0), 0)):  # fmt: skip
        review_operators.pick_in_region(scene(), area, region, place, more=False)
        assert review.picked() == ((mask,) if mask else ())
    view.view_perspective = "PERSP"
    with pytest.raises(CgcError, match="Look through the camera"):
        review_operators.pick_in_region(scene(), area, region, (1.0, 1.0), more=False)
