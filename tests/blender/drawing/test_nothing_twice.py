# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the extension draws a splat, Blender draws nothing of it: not a pixel is another."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from mathutils import Matrix

from cgc_addon.blender.common.access import of_scene

from .splat_scene import add_splat

SIZE = 64
LENS = Matrix([[2.0, 0, 0, 0], [0, 2.0, 0, 0], [0, 0, -1.002, -0.2], [0, 0, -1, 0]])


def picture(area) -> np.ndarray:
    """Return what a viewport that looks from the origin along −z shows, (H, W, 3) 0 to 255."""
    import gpu

    bpy.context.view_layer.update()
    buffer = gpu.types.GPUOffScreen(SIZE, SIZE)
    try:
        region = next(region for region in area.regions if region.type == "WINDOW")
        buffer.draw_view3d(
            bpy.context.scene,
            bpy.context.view_layer,
            area.spaces.active,
            region,
            Matrix.Identity(4),
            LENS,
        )
        colors = np.array(buffer.texture_color.read().to_list())
    finally:
        buffer.free()
    return colors.reshape(SIZE, SIZE, -1)[..., :3].astype(int)


@pytest.mark.usefixtures("graphics")
@pytest.mark.parametrize("shading", ["SOLID", pytest.param("MATERIAL", marks=pytest.mark.slow)])
def test_blender_draws_nothing_of_what_the_extension_draws(shading) -> None:
    areas = (area for screen in bpy.data.screens for area in screen.areas)
    area = next(area for area in areas if area.type == "VIEW_3D")
    space = area.spaces.active
    space.shading.type = shading
    overlay = space.overlay
    overlay.show_floor = overlay.show_axis_x = overlay.show_axis_y = overlay.show_cursor = False
    overlay.show_object_origins = False
    empty = picture(area)
    item = add_splat()
    item.location.z = -6.0
    np.testing.assert_array_equal(picture(area), empty)
    item.select_set(True)
    np.testing.assert_array_equal(picture(area), empty)
    of_scene(bpy.context.scene).look_shape = "POINTS"
    assert (picture(area) != empty).any(axis=2).sum() > 100
