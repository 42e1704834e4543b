# SPDX-License-Identifier: GPL-3.0-or-later
"""A viewport shows the splats of its scene as they stand, and nothing that is no more."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common.access import of_scene
from cgc_addon.blender.drawing.graphics import framebuffer_in_use, read_color
from cgc_addon.blender.drawing.shown import Appearance, StoredSplat
from cgc_addon.blender.drawing.viewport import ViewportDrawing
from cgc_addon.blender.splats.objects import gaussians_of

from .slow_pictures import looking_at_origin, random_gaussians, slow_picture
from .splat_scene import add_splat

pytestmark = pytest.mark.usefixtures("graphics")
VIEW = looking_at_origin()


def a_viewport():
    """Return one that no window shows, but with all settings."""
    areas = [area for screen in bpy.data.screens for area in screen.areas]
    space = next(area.spaces[0] for area in areas if area.type == "VIEW_3D")
    space.overlay.show_overlays = space.overlay.show_outline_selected = True
    return space


class Window:
    """Stands for a region of a window: Blender's framebuffer, and its context while it draws."""

    def __init__(self, address: int = 1) -> None:
        import gpu

        self.offscreen = gpu.types.GPUOffScreen(VIEW.width, VIEW.height, format="RGBA32F")
        self.view = SimpleNamespace(view_matrix=VIEW.world_to_view, window_matrix=VIEW.projection)
        self.region = SimpleNamespace(as_pointer=lambda: address)
        self.depth = 1.0

    def redraw(self, viewport: ViewportDrawing) -> np.ndarray:
        """Return what is seen over black once nothing more is to come, and stays."""
        for _ in range(200):
            self.redraw_once(viewport)
            if not viewport.waits:
                return self.redraw_once(viewport)
            time.sleep(0.01)
        raise AssertionError("the picture is never complete")

    def redraw_once(self, viewport: ViewportDrawing) -> np.ndarray:
        import gpu

        bpy.context.view_layer.update()
        context = SimpleNamespace(
            engine=bpy.context.scene.render.engine,
            region=self.region,
            region_data=self.view,
            space_data=a_viewport(),
            view_layer=bpy.context.view_layer,
            scene=bpy.context.scene,
            preferences=bpy.context.preferences,
        )
        with self.offscreen.bind():
            framebuffer, area = framebuffer_in_use()
            gpu.state.depth_mask_set(True)  # else depths are not cleared
            framebuffer.clear(color=(0.0, 0.0, 0.0, 0.0), depth=self.depth)
            viewport.draw(context)
            return read_color(framebuffer, area).copy()


@pytest.fixture
def window():
    made = Window()
    yield made
    made.offscreen.free()


@pytest.fixture
def viewport():
    made = ViewportDrawing()
    yield made
    made.close()


def add(name: str = "splat", seed: int = 0):
    return add_splat(random_gaussians(150, seed=seed), name)


def expected(*items) -> np.ndarray:
    bpy.context.view_layer.update()
    clouds = [
        Appearance(StoredSplat(gaussians_of(item)), np.array(item.matrix_world)) for item in items
    ]
    return slow_picture(clouds, VIEW)


def assert_same(picture: np.ndarray, reference: np.ndarray) -> None:
    difference = np.abs(picture - reference)
    assert difference.mean() < 3e-4
    assert difference.max() < 0.02


def test_the_scene_is_seen_before_and_after_every_edit(window, viewport) -> None:
    first, second = add(), add("other", seed=1)
    second.location = 0.5, -0.3, 0.2
    assert_same(window.redraw(viewport), expected(first, second))
    second.rotation_euler, second.scale = (0.3, 1.0, -0.4), (0.7, 1.2, 0.9)
    assert_same(window.redraw(viewport), expected(first, second))
    copy = second.copy()
    bpy.context.scene.collection.objects.link(copy)
    copy.location.x -= 1.0
    assert_same(window.redraw(viewport), expected(first, second, copy))
    first.hide_set(True)
    assert_same(window.redraw(viewport), expected(second, copy))
    bpy.data.objects.remove(copy)
    assert_same(window.redraw(viewport), expected(second))
    bpy.data.objects.remove(second)
    assert not window.redraw(viewport).any()


def test_another_look_is_left_to_blender(window, viewport) -> None:
    item = add()
    assert window.redraw(viewport).any()
    of_scene(bpy.context.scene).look_shape = "POINTS"
    assert not window.redraw(viewport).any()
    of_scene(bpy.context.scene).look_shape = "SPLATS"
    assert_same(window.redraw(viewport), expected(item))


def test_a_change_of_look_is_seen(window, viewport) -> None:
    add()
    settings = of_scene(bpy.context.scene)
    photo = window.redraw(viewport)
    for mode in ("SEGMENT", "DEPTH", "OPACITY"):
        settings.look_color = mode
        changed = window.redraw(viewport)
        assert np.abs(changed - photo).max() > 0.1, mode
        np.testing.assert_allclose(changed[..., 3], photo[..., 3], atol=1e-5)
    settings.look_color = "PHOTO"
    settings.look_size = 0.5
    assert window.redraw(viewport)[..., 3].sum() < photo[..., 3].sum()


def test_engines_that_draw_splats_are_left_to_it(window, viewport) -> None:
    add()
    viewport.left_to.add(bpy.context.scene.render.engine)
    assert window.redraw(viewport).any()  # the engine shades only what is Rendered
    space = a_viewport()
    space.shading.type = "RENDERED"
    try:
        assert not window.redraw(viewport).any()
    finally:
        space.shading.type = "SOLID"


def test_what_is_in_front_hides_it(window, viewport) -> None:
    add()
    seen = window.redraw(viewport)
    window.depth = 0.0
    assert not window.redraw(viewport).any()
    window.depth = 1.0
    np.testing.assert_allclose(window.redraw(viewport), seen, atol=1e-6)


def test_a_moved_view_is_seen(window, viewport) -> None:
    item = add()
    window.redraw(viewport)
    nearer = VIEW.world_to_view.copy()
    nearer[2, 3] += 1.0
    window.view.view_matrix = nearer
    cloud = [Appearance(StoredSplat(gaussians_of(item)), np.eye(4))]
    seen = looking_at_origin(distance=3.0)
    assert_same(window.redraw(viewport), slow_picture(cloud, seen))


def test_while_the_view_moves_it_is_much_the_same_and_as_hidden(window, viewport) -> None:
    item = add()
    seen = window.redraw_once(viewport)
    assert viewport.waits
    assert np.abs(seen - expected(item)).mean() < 1e-3
    window.depth = 0.0
    assert not window.redraw_once(viewport).any()
    assert viewport.waits  # it was the rough picture that was hidden


def test_selecting_sets_off_without_changing_colors(window, viewport) -> None:
    item = add()
    item.select_set(False)
    plain = window.redraw(viewport)
    bpy.context.view_layer.objects.active = item
    item.select_set(True)
    outlined = window.redraw(viewport)
    changed = np.abs(outlined - plain).max(axis=2) > 0.05
    assert changed.any()
    assert changed.mean() < 0.25
    item.select_set(False)
    bpy.context.view_layer.objects.active = None
    np.testing.assert_allclose(window.redraw(viewport), plain, atol=1e-5)


def test_undo_leaves_no_stale_picture(window, viewport) -> None:
    item = add()
    bpy.ops.ed.undo_push(message="made")
    before = window.redraw(viewport)
    item.location.x = 2.0
    bpy.ops.ed.undo_push(message="moved")
    assert np.abs(window.redraw(viewport) - before).max() > 0.1
    bpy.ops.ed.undo()
    np.testing.assert_allclose(window.redraw(viewport), before, atol=1e-5)


def test_regions_that_are_gone_are_forgotten(viewport) -> None:
    add()
    windows = [Window(1), Window(2)]
    pictures = [window.redraw(viewport) for window in windows]
    np.testing.assert_allclose(*pictures, atol=1e-6)
    viewport.keep_only({2})
    assert not viewport.due()
    np.testing.assert_allclose(windows[1].redraw(viewport), pictures[1], atol=1e-6)
    for window in windows:
        window.offscreen.free()


def test_memory_does_not_grow(window, viewport) -> None:
    import gc
    import weakref

    held = []
    for seed in range(5):
        item = add(seed=seed)
        window.redraw(viewport)
        assert viewport.painter is not None
        held.append(weakref.ref(viewport.painter.atlas))
        bpy.data.objects.remove(item)
        for cloud in list(bpy.data.pointclouds):
            bpy.data.pointclouds.remove(cloud)
        window.redraw(viewport)
    gc.collect()
    assert all(atlas() is None for atlas in held)
