# SPDX-License-Identifier: GPL-3.0-or-later
"""A run becomes a .blend that opens on the scene, with everything in it, or none is written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy
from mathutils import Vector

from cgc_addon.blender.blend_file import write_blend
from cgc_addon.blender.capture.parts import (
    active_capture,
    captures,
    objects_of_kind,
    segment_collections,
)
from cgc_addon.blender.common.access import of_collection, of_scene
from cgc_addon.blender.splats import stand_in_switch
from cgc_addon.blender.splats.stand_in import has_stand_in
from cgc_addon.errors import CgcError


@pytest.fixture
def blend(write_run, write_capture, tmp_path: Path) -> Path:
    """A .blend of a small run, opened."""
    file = tmp_path / "made" / "scene.blend"
    write_blend(write_run(dataset=write_capture()), None, file)
    bpy.ops.wm.open_mainfile(filepath=str(file))
    return file


def viewports() -> list[bpy.types.SpaceView3D]:
    return [
        space
        for screen in bpy.data.screens
        for area in screen.areas
        for space in area.spaces
        if space.type == "VIEW_3D"
    ]


def test_the_file_holds_cameras_points_and_segments(
    write_run, write_capture, tmp_path: Path
) -> None:
    file = tmp_path / "scene.blend"
    told = []
    summary = write_blend(write_run(dataset=write_capture()), None, file, told.append)
    assert (summary.cameras, summary.points, summary.gaussians, summary.segments) == (4, 20, 129, 3)
    assert summary.bytes == file.stat().st_size
    assert [progress.done for progress in told] == [0, 1, 2]

    bpy.ops.wm.open_mainfile(filepath=str(file))
    (capture,) = captures(bpy.context.scene)
    assert len(objects_of_kind(capture, "CAMERA")) == 4
    splats = objects_of_kind(capture, "SPLAT")
    assert sum(len(item.data.points) for item in splats) == 129
    assert [of_collection(c).segment for c in segment_collections(capture)] == [1, 2, 3]
    assert active_capture(bpy.context) == capture
    assert [path.name for path in tmp_path.iterdir() if "blend" in path.name] == ["scene.blend"]


def test_it_opens_on_what_the_photos_show_in_colours(blend: Path) -> None:
    places = [item.matrix_world.translation for item in bpy.data.objects if item.type == "CAMERA"]
    assert len(viewports()) >= 5
    for view in viewports():
        assert view.shading.type == "SOLID"
        region = view.region_3d
        # The view's matrix is made of these when it is drawn.
        back = region.view_rotation @ Vector((0, 0, 1))
        assert min(back.angle(place - region.view_location) for place in places) < 1e-3
        assert 1.0 < region.view_distance < 30.0


def test_it_shows_splats_and_hides_none_where_the_extension_is_missing(blend: Path) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    assert bpy.context.scene.cgc.look_shape == "SPLATS"
    assert bpy.context.scene.view_settings.view_transform == "Standard"
    splats = [item for item in bpy.data.objects if item.cgc.kind == "SPLAT"]
    assert splats
    assert all(has_stand_in(item) for item in splats)
    stand_in_switch.unregister()
    try:
        bpy.ops.wm.open_mainfile(filepath=str(blend))
        stored = [item for item in bpy.data.objects if item.cgc.kind == "SPLAT"]
        assert len(stored) == len(splats)
        assert not any(has_stand_in(item) for item in stored)
    finally:
        stand_in_switch.register()


def test_its_paths_are_relative_and_lead_to_the_files(blend: Path, tmp_path: Path) -> None:
    settings = of_scene(bpy.context.scene)
    capture = of_collection(captures(bpy.context.scene)[0])
    images = [image.filepath for image in bpy.data.images if image.source == "FILE"]
    assert len(images) == 4
    for path in (settings.dataset, capture.dataset, capture.run, *images):
        assert path.startswith("//"), path
        assert Path(bpy.path.abspath(path)).exists(), path
    assert Path(bpy.path.abspath(capture.run)).resolve() == (tmp_path / "run").resolve()


def test_importing_the_dataset_again_finds_what_is_there(blend: Path, tmp_path: Path) -> None:
    assert bpy.ops.cgc.import_colmap(filepath=str(tmp_path / "capture")) == {"FINISHED"}
    assert len(captures(bpy.context.scene)) == 1


def test_another_dataset_than_that_of_the_run_can_be_named(
    write_run, write_capture, tmp_path: Path
) -> None:
    dataset = write_capture(count=6)
    summary = write_blend(write_run(), dataset, tmp_path / "scene.blend")
    assert (summary.cameras, summary.segments) == (6, 3)


def test_a_run_whose_dataset_is_gone_gives_segments_without_cameras_and_says_so(
    write_run, tmp_path: Path
) -> None:
    notes: list[str] = []
    file = tmp_path / "scene.blend"
    summary = write_blend(write_run(), None, file, say=notes.append)
    assert (summary.cameras, summary.points, summary.segments) == (0, 0, 3)
    assert any("cameras" in note for note in notes)
    bpy.ops.wm.open_mainfile(filepath=str(file))
    splats = objects_of_kind(captures(bpy.context.scene)[0], "SPLAT")
    middle = np.mean([item.matrix_world @ item.data.points[0].co for item in splats], axis=0)
    for view in viewports():
        assert np.linalg.norm(np.array(view.region_3d.view_location) - middle) < 10
        assert view.region_3d.view_distance > 0


@pytest.mark.parametrize("broken", ["no run", "no splat", "name", "folder in the way"])
def test_a_failure_is_one_sentence_and_leaves_an_existing_file_alone(
    write_run, tmp_path: Path, broken: str
) -> None:
    run, file = write_run(), tmp_path / "scene.blend"
    file.write_bytes(b"precious")
    if broken == "no run":
        run = tmp_path / "nothing"
    elif broken == "no splat":
        (run / "splat.ply").unlink()
    elif broken == "name":
        file = tmp_path / "scene.txt"
    else:
        file.unlink()
        file.mkdir()
        (file / "in the way").touch()
    with pytest.raises(CgcError) as error:
        write_blend(run, None, file)
    assert "\n" not in str(error.value)
    assert str(error.value).endswith(".")
    if broken == "folder in the way":
        assert (file / "in the way").exists()
    elif broken != "name":
        assert file.read_bytes() == b"precious"
    assert not list(tmp_path.glob(".*"))


def test_the_verb_runs_in_a_blender_that_is_not_the_interpreter_it_was_called_with(
    write_run, engine_python: Path, tmp_path: Path
) -> None:
    file = tmp_path / "scene.blend"
    result = subprocess.run(
        [str(engine_python), "-m", "cgc_addon", "blend", str(write_run()), "-o", str(file)],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "CGC_BLENDER": sys.executable},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "129 Gaussians in 3 segments" in result.stdout
    assert "There are no cameras" in result.stderr
    bpy.ops.wm.open_mainfile(filepath=str(file))
    assert len(captures(bpy.context.scene)) == 1
