# SPDX-License-Identifier: GPL-3.0-or-later
"""A viewport that the engine shades shows what it renders."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.drawing import handler
from cgc_addon.blender.drawing.graphics import framebuffer_in_use, read_color
from cgc_addon.blender.drawing.picture import Painter
from cgc_addon.blender.render_engine.viewport import RenderedViewport
from cgc_addon.blender.splats.looks import apply_look

from .test_engine import ground

SIZE = (48, 36)


@pytest.fixture(autouse=True)
def painter(graphics: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be what draws, as in a window."""
    painter = Painter()
    monkeypatch.setattr(handler, "painter", lambda: painter)


def seen(scene: bpy.types.Scene) -> np.ndarray:
    """Return the viewport as it is once nothing more is to come, the first row at the bottom."""
    import gpu

    bpy.context.view_layer.update()
    depsgraph = bpy.context.evaluated_depsgraph_get()
    camera = scene.camera
    lens = camera.calc_matrix_camera(depsgraph, x=SIZE[0], y=SIZE[1])
    areas = [area for screen in bpy.data.screens for area in screen.areas]
    context = SimpleNamespace(
        region_data=SimpleNamespace(view_matrix=camera.matrix_world.inverted(), window_matrix=lens),
        space_data=next(area.spaces[0] for area in areas if area.type == "VIEW_3D"),
    )
    offscreen = gpu.types.GPUOffScreen(*SIZE, format="RGBA32F")
    viewport = RenderedViewport()
    for _ in range(100):
        with offscreen.bind():
            more = viewport.draw(context, depsgraph)
            framebuffer, area = framebuffer_in_use()
            picture = read_color(framebuffer, area).copy()
        if not more:
            break
        time.sleep(0.01)
    viewport.close()
    offscreen.free()
    assert not more
    return picture


@pytest.mark.parametrize("transparent", [False, True])
def test_it_is_the_picture_of_a_render(scene, ball, picture, transparent: bool) -> None:
    for item in (ball(radius=0.9), ball("other", (0.2, 0.9, 0.4), (0.8, 0.3, 0.5), logit=0.5)):
        apply_look(item)
    ground(scene, (0.3, 0.2, 0.1))
    scene.render.film_transparent = transparent
    rendered = picture()
    shown = seen(scene)
    assert rendered[..., :3].max() > 0.5
    assert np.abs(shown - rendered[::-1]).max() < 0.02


def test_without_splats_it_is_the_world(scene) -> None:
    scene.render.film_transparent = True
    assert not seen(scene).any()
