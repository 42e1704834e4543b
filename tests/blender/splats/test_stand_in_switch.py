# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins are on while the extension is there, off in every file and without it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common.access import of_object, of_scene
from cgc_addon.blender.splats import stand_in_switch
from cgc_addon.blender.splats.looks import apply_look, apply_look_to_scene
from cgc_addon.blender.splats.objects import is_splat
from cgc_addon.blender.splats.stand_in import has_stand_in, set_drawing, stand_in_modifier

from .test_stand_in import add_splat, evaluated, some_gaussians

EARLIER = Path(__file__).parents[2] / "earlier_versions" / "0.1.0" / "capture.blend"


def shown(*names: str) -> list[bool]:
    """Return which splats have a stand-in that is on, all or those named."""
    items = [bpy.data.objects[name] for name in names] or bpy.data.objects
    return [has_stand_in(item) for item in items if is_splat(item)]


@pytest.fixture
def splat():
    item = add_splat(some_gaussians())
    apply_look(item)
    assert has_stand_in(item)
    return item


@pytest.fixture
def without_extension():
    """Have nobody who switches anything, as where the extension is missing."""
    stand_in_switch.unregister()
    yield
    stand_in_switch.register()


@pytest.fixture
def file(splat, tmp_path: Path) -> str:
    path = str(tmp_path / "splat.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    return path


def test_after_saving_they_are_on_again(file) -> None:
    assert shown() == [True]


def test_in_the_file_they_are_off(file, without_extension) -> None:
    bpy.ops.wm.open_mainfile(filepath=file)
    assert shown() == [False]
    assert len(evaluated(bpy.data.objects["splat"]).data.points) == 50


def test_they_are_on_when_the_file_is_opened(file) -> None:
    bpy.ops.wm.open_mainfile(filepath=file)
    assert shown() == [True]


def test_a_save_that_fails_leaves_them_on(splat, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "no" / "such" / "folder.blend"))
    assert shown() == [True]


def test_disabling_the_extension_shows_points_and_enabling_it_splats(splat) -> None:
    stand_in_switch.unregister()
    assert shown() == [False]
    stand_in_switch.register()
    assert shown() == [True]


def test_what_is_appended_gets_the_look_of_the_scene(file) -> None:
    for shape in ("SPLATS", "POINTS"):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        of_scene(bpy.context.scene).look_shape = shape
        folder = f"{file}/Object/"
        bpy.ops.wm.append(filepath=f"{folder}splat", directory=folder, filename="splat")
        assert shown() == [shape == "SPLATS"]


def test_what_is_linked_is_left_alone(file) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    folder = f"{file}/Object/"
    bpy.ops.wm.link(filepath=f"{folder}splat", directory=folder, filename="splat")
    assert [item.library is not None for item in bpy.data.objects if is_splat(item)] == [True]
    assert shown() == [False]


def test_undo_keeps_them_on_and_no_step_is_added(splat) -> None:
    bpy.ops.ed.undo_push(message="made")
    stand_in_modifier(splat).show_viewport = False  # as it was before the extension was enabled
    bpy.ops.ed.undo_push(message="off")
    splat.location.x = 3.0
    bpy.ops.ed.undo_push(message="moved")
    bpy.ops.ed.undo()
    assert bpy.data.objects["splat"].location.x == 0.0
    assert shown() == [True]
    bpy.ops.ed.redo()
    assert bpy.data.objects["splat"].location.x == 3.0
    assert shown() == [True]


def test_enabling_makes_a_step_so_that_undo_leaves_nothing_dangling(without_extension) -> None:
    item = add_splat(some_gaussians())
    bpy.ops.ed.undo_push(message="made")
    stand_in_switch.register()
    try:
        assert shown() == [True]
        item.location.x = 3.0
        bpy.ops.ed.undo_push(message="moved")
        for expected in ([True], [False]):
            bpy.ops.ed.undo()
            assert shown() == expected
        for _ in range(2):
            bpy.ops.ed.redo()
            assert shown() == [True]
    finally:
        stand_in_switch.unregister()


def test_saving_adds_no_undo_step(splat, tmp_path: Path) -> None:
    bpy.ops.ed.undo_push(message="made")
    splat.location.x = 3.0
    bpy.ops.ed.undo_push(message="moved")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "splat.blend"))
    bpy.ops.ed.undo()
    assert bpy.data.objects["splat"].location.x == 0.0
    assert shown() == [True]


def test_nothing_is_evaluated_where_nothing_has_changed(splat) -> None:
    bpy.context.view_layer.update()
    updated: list[str] = []

    def note(_scene, graph) -> None:
        updated.extend(update.id.name for update in graph.updates)

    bpy.app.handlers.depsgraph_update_post.append(note)
    try:
        stand_in_switch.bring_up_to_date()
        bpy.context.view_layer.update()
    finally:
        bpy.app.handlers.depsgraph_update_post.remove(note)
    assert updated == []


def test_points_are_seen_while_they_are_edited(splat) -> None:
    bpy.context.view_layer.objects.active = splat
    bpy.context.view_layer.update()
    for _ in range(2):
        bpy.ops.object.mode_set(mode="EDIT")
        bpy.context.view_layer.update()
        assert shown() == [False]
        assert len(evaluated(splat).data.points) == 50
        bpy.ops.object.mode_set(mode="OBJECT")
        bpy.context.view_layer.update()
        assert shown() == [True]


def test_where_the_extension_cannot_draw_blender_does(splat, tmp_path: Path) -> None:
    set_drawing(False)
    try:
        assert shown() == [False]
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "splat.blend"))
        apply_look(add_splat(some_gaussians()))
        assert shown() == [False, False]
    finally:
        set_drawing(True)
    assert shown() == [True, True]
    set_drawing(False)
    stand_in_switch.unregister()
    stand_in_switch.register()
    assert shown() == [True, True]


def test_what_somebody_switched_off_stays_off_while_he_works(splat) -> None:
    stand_in_modifier(splat).show_viewport = False
    splat.data.update_tag()
    bpy.context.view_layer.update()
    assert shown() == [False]


def test_copies_and_pieces_are_drawn_as_well(splat) -> None:
    bpy.context.view_layer.objects.active = splat
    splat.select_set(True)
    bpy.ops.object.duplicate()
    assert shown() == [True, True]
    if not hasattr(bpy.types, "POINTCLOUD_OT_separate"):
        return
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.pointcloud.select_random(probability=0.5)
    bpy.ops.pointcloud.separate()
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.view_layer.update()
    assert shown() == [True, True, True]


def test_other_looks_have_none(splat) -> None:
    of_scene(bpy.context.scene).look_shape = "POINTS"
    assert shown() == [False]
    stand_in_switch.bring_up_to_date()
    assert shown() == [False]
    assert len(splat.modifiers) == 0


def test_what_is_not_ours_is_not_touched() -> None:
    item = add_splat(some_gaussians())
    of_object(item).kind = "NONE"
    stand_in_switch.bring_up_to_date()
    assert shown() == [False]
    apply_look_to_scene(bpy.context.scene)  # somebody chose a look for all splats
    assert shown() == [True]


def test_an_earlier_file_shows_splats_unless_another_shape_was_chosen(
    tmp_path: Path, without_extension
) -> None:
    path = shutil.copy(EARLIER, tmp_path)
    bpy.ops.wm.open_mainfile(filepath=path)
    stand_in_switch.bring_up_to_date()
    assert not any(shown())  # someone chose ellipsoids
    scene = bpy.context.scene
    scene.cgc.property_unset("look_shape")
    for item in bpy.data.objects:
        item.modifiers.clear()
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    assert not any(shown())
    stand_in_switch.bring_up_to_date()
    assert len(shown()) == 3
    assert all(shown())
