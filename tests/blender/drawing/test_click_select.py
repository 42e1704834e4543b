# SPDX-License-Identifier: GPL-3.0-or-later
"""A click selects the splat that is seen under the mouse, and leaves all others to Blender."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from mathutils import Matrix

from cgc_addon.blender.common.access import of_scene
from cgc_addon.blender.drawing.click_select import (
    CGC_OT_click_select,
    select,
    select_mouse,
    splat_at,
)
from cgc_addon.splats.gaussians import Gaussians

from .splat_scene import add_splat, collection_of, instance_of

SIZE = 100
LENS = Matrix([[2.0, 0, 0, 0], [0, 2.0, 0, 0], [0, 0, -1, -0.2], [0, 0, -1, 0]])
MIDDLE = SIZE / 2


def ball(name: str, x: float = 0.0, z: float = -4.0, collection=None):
    """Add a splat of one Gaussian, 10 px wide at a distance of 4."""
    gaussians = Gaussians(
        means=np.float32([[0, 0, 0]]),
        log_scales=np.full((1, 3), -2, np.float32),
        quats=np.float32([[1, 0, 0, 0]]),
        logit_opacities=np.float32([5]),
        sh=np.zeros((1, 1, 3), np.float32),
    )
    item = add_splat(gaussians, name, collection)
    item.location = (x, 0, z)
    return item


def context(space=None) -> SimpleNamespace:
    """Return a context of a viewport that looks from the origin along −z."""
    bpy.context.view_layer.update()
    view = SimpleNamespace(
        view_matrix=Matrix.Identity(4),
        window_matrix=LENS,
        perspective_matrix=LENS,
        is_perspective=True,
        view_perspective="PERSP",
    )
    return SimpleNamespace(
        evaluated_depsgraph_get=bpy.context.evaluated_depsgraph_get,
        mode="OBJECT",
        preferences=bpy.context.preferences,
        region=SimpleNamespace(width=SIZE, height=SIZE),
        region_data=view,
        scene=bpy.context.scene,
        space_data=space,
        view_layer=bpy.context.view_layer,
        selectable_objects=bpy.context.selectable_objects,
        window_manager=bpy.context.window_manager,
    )


def click(
    x: float = MIDDLE,
    y: float = MIDDLE,
    *,
    extend: bool = False,
    button: str = "LEFTMOUSE",
    splats_only: bool = False,
) -> set[str]:
    event = SimpleNamespace(type=button, mouse_region_x=int(x), mouse_region_y=int(y))
    operator = SimpleNamespace(extend=extend, splats_only=splats_only)
    return CGC_OT_click_select.invoke(operator, context(), event)


def selected() -> set[str]:
    return {item.name for item in bpy.context.view_layer.objects.selected}


def active() -> str:
    return bpy.context.view_layer.objects.active.name


def add_wall(z: float):
    mesh = bpy.data.meshes.new("wall")
    mesh.from_pydata([(-9, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)], [], [(0, 1, 2, 3)])
    wall = bpy.data.objects.new("wall", mesh)
    wall.location.z = z
    bpy.context.scene.collection.objects.link(wall)
    return wall


def test_the_splat_under_the_mouse_is_selected_alone_and_active() -> None:
    ball("far", z=-8)
    ball("near")
    other = ball("beside", x=1)
    other.select_set(True)
    bpy.context.view_layer.objects.active = other
    assert click() == {"FINISHED"}
    assert (selected(), active()) == ({"near"}, "near")
    assert click(MIDDLE + 25) == {"FINISHED"}
    assert (selected(), active()) == ({"beside"}, "beside")


def test_beside_all_splats_the_click_goes_on() -> None:
    item = ball("ball")
    item.select_set(True)
    assert click(10, 10) == {"PASS_THROUGH"}
    assert selected() == {"ball"}


def test_extending_adds_activates_and_takes_away() -> None:
    ball("one")
    ball("two", x=1)
    click()
    assert click(MIDDLE + 25, extend=True) == {"FINISHED"}
    assert (selected(), active()) == ({"one", "two"}, "two")
    click(extend=True)  # selected, but not active
    assert (selected(), active()) == ({"one", "two"}, "one")
    click(extend=True)
    assert selected() == {"two"}


def test_what_lies_before_a_splat_is_blenders_to_select() -> None:
    ball("ball")
    wall = add_wall(-2)
    assert click() == {"PASS_THROUGH"}
    wall.hide_select = True
    assert click() == {"FINISHED"}
    wall.hide_select = False
    wall.location.z = -6
    assert click() == {"FINISHED"}
    empty = bpy.data.objects.new("empty", None)
    bpy.context.scene.collection.objects.link(empty)
    empty.location.z = -2
    assert click() == {"PASS_THROUGH"}
    empty.location.z = -7
    assert click() == {"FINISHED"}


def test_what_cannot_be_selected_is_no_obstacle() -> None:
    near, _ = ball("near", z=-3), ball("far")
    near.hide_select = True
    assert click() == {"FINISHED"}
    assert selected() == {"far"}


def test_a_collection_that_forbids_selecting_keeps_what_was_selected() -> None:
    collection = collection_of("Chair")
    ball("ball", collection=collection)
    other = ball("other", x=1)
    other.select_set(True)
    collection.hide_select = True
    assert click() == {"PASS_THROUGH"}
    assert selected() == {"other"}


def test_an_instance_belongs_to_what_instances_it() -> None:
    collection = collection_of("Chair")
    ball("ball", collection=collection)
    instance_of(collection).location = (1, 0, 0)
    bpy.data.objects["instance"].empty_display_size = 0.01
    click(MIDDLE + 25)
    assert selected() == {"instance"}


def test_a_size_is_that_of_the_look() -> None:
    ball("ball")
    assert click(MIDDLE + 6) == {"PASS_THROUGH"}
    of_scene(bpy.context.scene).look_size = 2.0
    assert click(MIDDLE + 6) == {"FINISHED"}


def test_what_blender_draws_is_blenders_to_select() -> None:
    ball("ball")
    of_scene(bpy.context.scene).look_shape = "POINTS"
    assert click() == {"PASS_THROUGH"}


def test_the_filter_of_the_viewport_counts() -> None:
    ball("ball")
    spaces = (s for screen in bpy.data.screens for area in screen.areas for s in area.spaces)
    space = next(space for space in spaces if space.type == "VIEW_3D")
    assert splat_at(context(space), MIDDLE, MIDDLE) is not None
    space.show_object_select_pointcloud = False
    assert splat_at(context(space), MIDDLE, MIDDLE) is None


def test_only_the_button_that_selects_does_so() -> None:
    ball("ball")
    assert select_mouse(bpy.context) == "LEFTMOUSE"
    assert click(button="RIGHTMOUSE") == {"PASS_THROUGH"}
    preferences = SimpleNamespace(select_mouse="RIGHT")
    active = SimpleNamespace(preferences=preferences)
    manager = SimpleNamespace(keyconfigs=SimpleNamespace(active=active))
    assert select_mouse(SimpleNamespace(window_manager=manager)) == "RIGHTMOUSE"


def test_selecting_leaves_no_trace_in_scenes_without_splats() -> None:
    assert click() == {"PASS_THROUGH"}
    assert not bpy.context.scene.is_property_set("cgc")


def test_selection_is_undone() -> None:
    item = ball("ball")
    bpy.ops.ed.undo_push(message="made")
    select(bpy.context, item, extend=False)
    bpy.ops.ed.undo_push(message="selected")
    bpy.ops.ed.undo()
    assert not bpy.data.objects["ball"].select_get()
    assert "UNDO" in CGC_OT_click_select.bl_options


def test_keys_are_there_and_go_with_the_extension() -> None:
    configuration = bpy.context.window_manager.keyconfigs.addon
    if configuration is None:
        pytest.skip("this Blender has no keys in background mode")
    keymap = configuration.keymaps["3D View"]
    found = [item for item in keymap.keymap_items if item.idname == "cgc.click_select"]
    assert {(item.type, item.value, item.shift, item.properties.extend) for item in found} == {
        (button, "CLICK", extend, extend)
        for button in ("LEFTMOUSE", "RIGHTMOUSE")
        for extend in (False, True)
    }


def test_splats_only_means_the_splat_behind_other_things() -> None:
    ball("ball")
    add_wall(-1)
    assert click() == {"PASS_THROUGH"}
    assert click(splats_only=True) == {"FINISHED"}
    assert selected() == {"ball"}
