# SPDX-License-Identifier: GPL-3.0-or-later
"""Depths are read where Blender draws, and reach as far as lines are smoothed."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.drawing.graphics import framebuffer_in_use, new_texture, read_texture
from cgc_addon.blender.drawing.surroundings import (
    Surroundings,
    nearest_depths,
    read_surroundings,
)

pytestmark = pytest.mark.usefixtures("graphics")


def test_colors_and_depths_come_from_the_framebuffer_in_use() -> None:
    import gpu
    from gpu_extras.batch import batch_for_shader
    from mathutils import Matrix

    offscreen = gpu.types.GPUOffScreen(20, 10, format="RGBA32F")
    with offscreen.bind():
        framebuffer, _ = framebuffer_in_use()
        framebuffer.clear(color=(0.25, 0.5, 0.75, 0.5), depth=1.0)
        gpu.state.depth_test_set("LESS")
        gpu.state.depth_mask_set(True)
        shader = gpu.shader.from_builtin("UNIFORM_COLOR")
        corners = [(-1, -1, 0.0), (0, -1, 0.0), (0, 1, 0.0), (-1, 1, 0.0)]
        quad = batch_for_shader(shader, "TRIS", {"pos": corners}, indices=[(0, 1, 2), (0, 2, 3)])
        with gpu.matrix.push_pop(), gpu.matrix.push_pop_projection():
            gpu.matrix.load_identity()
            gpu.matrix.load_projection_matrix(Matrix.Identity(4))
            shader.bind()
            shader.uniform_float("color", (1.0, 0.0, 0.0, 1.0))
            quad.draw(shader)
        gpu.state.depth_mask_set(False)
        gpu.state.depth_test_set("NONE")
        framebuffer, area = framebuffer_in_use()
        around = read_surroundings(framebuffer, area)
    offscreen.free()
    assert area == (0, 0, 20, 10)
    np.testing.assert_allclose(around.depths[:, :10], 0.5, atol=1e-3)
    np.testing.assert_array_equal(around.depths[:, 10:], 1.0)
    colors = read_texture(around.color_texture)
    np.testing.assert_allclose(colors[:, 10:], np.tile([0.25, 0.5, 0.75, 0.5], (10, 10, 1)))


@pytest.mark.parametrize(("alpha", "known"), [(1.0, True), (0.0, False)])
def test_the_background_is_the_color_of_most_that_is_farthest(alpha: float, known: bool) -> None:
    import gpu

    offscreen = gpu.types.GPUOffScreen(64, 48, format="RGBA32F")
    with offscreen.bind():
        framebuffer, area = framebuffer_in_use()
        gpu.state.depth_mask_set(True)  # else depths are not cleared
        framebuffer.clear(color=(0.25, 0.5, 0.75, alpha), depth=1.0)
        seen = read_surroundings(framebuffer, area).background
        framebuffer.clear(color=(0.25, 0.5, 0.75, alpha), depth=0.9)
        covered = read_surroundings(framebuffer, area).background
        gpu.state.depth_mask_set(False)
    offscreen.free()
    assert seen == ((0.25, 0.5, 0.75) if known else None)
    assert covered is None


def test_the_edge_of_a_line_is_as_near_as_the_line() -> None:
    depths = np.ones((9, 9), dtype=np.float32)
    depths[4, :] = 0.3
    overlay = np.zeros((9, 9, 4), dtype=np.float32)
    overlay[3:6, :5, 3] = 0.5  # smoothed on the left half, a body's edge on the right
    around = Surroundings(
        depths,
        overlay[..., 3] > 0.0,
        new_texture((9, 9), "R32F", depths),
        new_texture((9, 9), "RGBA16F", overlay),
    )
    nearest = nearest_depths(around)
    assert (nearest[3:6, :5] == np.float32(0.3)).all()
    assert (nearest[4] == np.float32(0.3)).all()
    assert (nearest[3, 5:] == 1.0).all()
    assert (nearest[:3] == 1.0).all()
    assert (nearest[6:] == 1.0).all()
