# SPDX-License-Identifier: GPL-3.0-or-later
"""New data says which form it has, older data is brought up to it, later data is left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender import migration
from cgc_addon.blender.capture.import_colmap import import_colmap
from cgc_addon.blender.capture.parts import captures, new_capture
from cgc_addon.blender.common.access import of_collection, of_scene
from cgc_addon.blender.common.format_version import FORMAT_VERSION
from cgc_addon.blender.segments.build import build_segments
from cgc_addon.blender.segments.run_files import read_run
from cgc_addon.errors import CgcError

LATER = FORMAT_VERSION + 1


def versions(capture: bpy.types.Collection) -> set[int]:
    return {of_collection(part).version for part in (capture, *capture.children_recursive)}


def saved_and_opened(tmp_path: Path) -> None:
    file = tmp_path / "file.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(file))
    bpy.ops.wm.open_mainfile(filepath=str(file))


@pytest.fixture
def built(write_capture: Callable[..., Path], write_run: Callable[..., Path]):
    """Return a capture with cameras, points and segments."""
    capture = import_colmap(bpy.context, write_capture())
    build_segments(bpy.context.scene, capture, read_run(write_run()))
    return capture


def test_there_is_a_step_from_each_form_to_the_next() -> None:
    assert len(migration.STEPS) == FORMAT_VERSION


def test_what_is_made_anew_says_which_form_it_has(built, tmp_path: Path) -> None:
    assert versions(built) == {FORMAT_VERSION}
    saved_and_opened(tmp_path)
    (capture,) = captures(bpy.context.scene)
    assert versions(capture) == {FORMAT_VERSION}
    assert of_scene(bpy.context.scene).version == FORMAT_VERSION


def test_settings_that_were_made_in_this_session_are_not_taken_for_older_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stepped: list[str] = []
    step = migration.Step(scene=lambda scene: stepped.append(scene.name))
    monkeypatch.setattr(migration, "STEPS", (step,))
    of_scene(bpy.context.scene).steps = 7
    saved_and_opened(tmp_path)
    assert stepped == []
    assert of_scene(bpy.context.scene).version == FORMAT_VERSION


def test_each_step_that_is_missing_is_made_once_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def step(name: str) -> migration.Step:
        return migration.Step(
            collection=lambda one: made.append(f"{name} {one.name}"),
            scene=lambda one: made.append(f"{name} {one.name}"),
        )

    monkeypatch.setattr(migration, "STEPS", (step("first"), step("second")))
    monkeypatch.setattr(migration, "FORMAT_VERSION", 2)
    scene = bpy.context.scene
    old, newer = new_capture(scene, "old", None), new_capture(scene, "newer", None)
    of_collection(old).version, of_collection(newer).version = 0, 1
    of_scene(scene).steps = 7
    migration.migrate()
    assert made == ["second newer", "first old", "second old", "first Scene", "second Scene"]
    migration.migrate()
    assert len(made) == 5


def test_what_holds_nothing_of_ours_is_left_without_a_trace(tmp_path: Path) -> None:
    collection = bpy.data.collections.new("Somebody's")
    bpy.context.scene.collection.children.link(collection)
    saved_and_opened(tmp_path)
    assert not bpy.context.scene.is_property_set("cgc")
    assert not bpy.data.collections["Somebody's"].is_property_set("cgc")


def test_what_a_later_version_saved_is_left_alone_and_said(built, tmp_path: Path, capfd) -> None:
    of_collection(built).version = of_scene(bpy.context.scene).version = LATER
    of_collection(built).merge_tree = "a form that nobody knows yet"
    saved_and_opened(tmp_path)
    told = capfd.readouterr().err
    assert told.count("saved by a later version of this extension (format 2") == 1
    saved_and_opened(tmp_path)
    (capture,) = captures(bpy.context.scene)
    assert of_collection(capture).version == LATER
    assert of_scene(bpy.context.scene).version == LATER
    assert of_collection(capture).merge_tree == "a form that nobody knows yet"


def test_what_is_appended_from_a_later_version_is_said(built, tmp_path: Path, capfd) -> None:
    of_collection(built).version = LATER
    name, file = built.name, tmp_path / "file.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(file))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    capfd.readouterr()
    folder = f"{file}/Collection/"
    bpy.ops.wm.append(filepath=folder + name, directory=folder, filename=name)
    assert f"The capture {name} was saved by a later version" in capfd.readouterr().err
    assert of_collection(bpy.data.collections[name]).version == LATER


def test_what_a_later_version_saved_is_not_changed_by_operators(
    built, write_run: Callable[..., Path]
) -> None:
    folder = Path(of_collection(built).dataset)
    of_collection(built).version = LATER
    bpy.context.view_layer.objects.active = built.objects[0]
    for operator in (bpy.ops.cgc.recut_segments, bpy.ops.cgc.show_all_segments):
        with pytest.raises(RuntimeError, match="update the extension to work on it"):
            operator()
    with pytest.raises(CgcError, match="later version of this extension"):
        build_segments(bpy.context.scene, built, read_run(write_run("other")))
    with pytest.raises(CgcError, match="later version of this extension"):
        import_colmap(bpy.context, folder)


def test_a_damaged_tree_does_not_keep_the_rest_from_being_brought_up_to_date(built) -> None:
    of_collection(built).version = 0
    of_collection(built).merge_tree = "{"
    migration.migrate()
    assert of_collection(built).version == FORMAT_VERSION
    assert of_collection(built).merge_tree == "{"


def test_a_file_that_is_open_when_the_extension_comes_is_looked_at(built) -> None:
    of_collection(built).version = 0
    migration.unregister()
    migration.register()
    assert of_collection(built).version == FORMAT_VERSION


def test_undo_does_not_lead_back_to_an_earlier_form(built, tmp_path: Path) -> None:
    of_collection(built).version = 0
    saved_and_opened(tmp_path)
    bpy.ops.ed.undo_push(message="opened")
    captures(bpy.context.scene)[0].name = "Renamed"
    bpy.ops.ed.undo_push(message="renamed")
    bpy.ops.ed.undo()
    (capture,) = captures(bpy.context.scene)
    assert capture.name != "Renamed"
    assert of_collection(capture).version == FORMAT_VERSION
