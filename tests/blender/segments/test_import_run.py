# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs and splats come in with one call, and find the capture that they belong to."""

from __future__ import annotations

import gzip
import shutil
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.import_colmap import import_colmap
from cgc_addon.blender.capture.parts import (
    active_capture,
    captures,
    new_capture,
    objects_of_kind,
    root_of,
    segment_collections,
)
from cgc_addon.blender.common.access import of_collection
from cgc_addon.blender.output.placed_splats import gather, visible_splats
from cgc_addon.blender.segments.data import all_segments, count_of, rename, splats_of
from cgc_addon.blender.segments.import_run import import_run
from cgc_addon.blender.splats.objects import gaussians_of
from cgc_addon.blender.splats.origins import offset_of
from cgc_addon.errors import CgcError
from cgc_addon.splats.ply import read_ply
from cgc_addon.splats.splat_records import RECORD


def numbers(capture) -> list[tuple[int, int]]:
    return [(of_collection(c).segment, count_of(c)) for c in all_segments(capture) if count_of(c)]


def test_a_run_brings_its_cameras(write_capture, write_run) -> None:
    folder = write_run(dataset=write_capture())
    assert bpy.ops.cgc.import_run(directory=str(folder)) == {"FINISHED"}
    (capture,) = captures(bpy.context.scene)
    assert active_capture(bpy.context) == capture
    assert len(objects_of_kind(capture, "CAMERA")) == 4
    assert len(objects_of_kind(capture, "POINTS")) == 1
    assert numbers(capture) == [(1, 70), (2, 35), (3, 12), (0, 12)]


def test_a_scene_nobody_edited_is_the_run_to_the_last_bit(write_capture, write_run) -> None:
    folder = write_run(dataset=write_capture())
    bpy.ops.cgc.import_run(directory=str(folder))
    (capture,) = captures(bpy.context.scene)
    graph = bpy.context.evaluated_depsgraph_get()
    frame = np.array(root_of(capture).matrix_world)
    seen, stored = gather(visible_splats(graph), frame), read_ply(folder / "splat.ply").gaussians
    for name in ("means", "logit_opacities", "sh", "features", "segments"):
        assert np.array_equal(getattr(seen, name), getattr(stored, name)), name
    assert np.allclose(seen.log_scales, stored.log_scales, atol=1e-6)


def test_a_run_goes_into_the_capture_of_its_dataset(write_capture, write_run) -> None:
    dataset = write_capture()
    bpy.ops.cgc.import_colmap(filepath=str(dataset))
    (capture,) = captures(bpy.context.scene)
    root_of(capture).scale = (2, 2, 2)
    other = new_capture(bpy.context.scene, "other", None)
    bpy.context.view_layer.objects.active = root_of(other)
    bpy.ops.cgc.import_run(directory=str(write_run(dataset=dataset)))
    assert len(captures(bpy.context.scene)) == 2
    assert len(segment_collections(capture)) == 3
    assert root_of(capture).scale[:] == (2, 2, 2)
    assert len(objects_of_kind(capture, "CAMERA")) == 4


def test_another_run_of_the_dataset_takes_the_place_of_the_first(write_capture, write_run) -> None:
    dataset = write_capture()
    bpy.ops.cgc.import_run(directory=str(write_run(dataset=dataset)))
    second = write_run("second", dataset=dataset, granularity=1.0, seed=1)
    bpy.ops.cgc.import_run(directory=str(second))
    (capture,) = captures(bpy.context.scene)
    assert numbers(capture) == [(1, 105), (2, 12), (0, 12)]
    assert of_collection(capture).run == str(second)


def test_importing_a_run_again_keeps_edits(write_run) -> None:
    folder = write_run()
    imported = import_run(bpy.context, bpy.context.scene, folder)
    first = segment_collections(imported.capture)[0]
    rename(first, "Teapot")
    splats_of(first)[0].location = (1, 2, 3)
    again = import_run(bpy.context, bpy.context.scene, folder)
    assert again.capture == imported.capture
    assert again.built.kept == 3
    assert "3 segments are as they were" in again.sentence()
    assert splats_of(first)[0].location[:] == (1, 2, 3)


def test_a_run_whose_dataset_is_gone_has_no_cameras(write_run) -> None:
    notes: list[str] = []
    folder = write_run()
    for _ in range(2):
        imported = import_run(bpy.context, bpy.context.scene, folder, warn=notes.append)
    (capture,) = captures(bpy.context.scene)
    assert imported.capture == capture
    assert capture.name == "no dataset"
    assert numbers(capture) == [(1, 70), (2, 35), (3, 12), (0, 12)]
    assert len(notes) == 1
    assert "There are no cameras" in notes[0]
    upright = np.array(root_of(capture).matrix_basis.to_3x3()) @ (0, -1, 0)
    assert np.allclose(upright, (0, 0, 1), atol=1e-6)


def test_a_run_whose_dataset_is_damaged_comes_in_anyway(write_capture, write_run) -> None:
    dataset = write_capture()
    (dataset / "sparse" / "0" / "images.txt").write_text("nonsense\n")
    notes: list[str] = []
    folder = write_run(dataset=dataset)
    imported = import_run(bpy.context, bpy.context.scene, folder, warn=notes.append)
    assert numbers(imported.capture) == [(1, 70), (2, 35), (3, 12), (0, 12)]
    assert "images.txt" in notes[0]


def test_a_run_that_was_moved_along_with_its_blend_is_found_again(write_run, tmp_path) -> None:
    import_run(bpy.context, bpy.context.scene, write_run())
    (capture,) = captures(bpy.context.scene)
    of_collection(capture).dataset = "//elsewhere"
    of_collection(capture).run = "//run"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    import_run(bpy.context, bpy.context.scene, tmp_path / "run")
    assert captures(bpy.context.scene) == [capture]


def test_a_run_can_go_into_another_scene_than_the_one_shown(write_capture, write_run) -> None:
    scene = bpy.data.scenes.new("second")
    folder = write_run(dataset=write_capture())
    imported = import_run(bpy.context, scene, folder)
    assert captures(scene) == [imported.capture]
    assert captures(bpy.context.scene) == []
    assert len(objects_of_kind(imported.capture, "CAMERA")) == 4


def test_a_run_that_was_stopped_early_is_unassigned(write_run) -> None:
    assert bpy.ops.cgc.import_run(directory=str(write_run(segmented=False))) == {"FINISHED"}
    (capture,) = captures(bpy.context.scene)
    assert numbers(capture) == [(0, 129)]
    assert not bpy.ops.cgc.merge_segments.poll()


@pytest.mark.parametrize(("axis", "up"), [("Z", (0, 0, 1)), ("Y", (0, 1, 0))])
def test_a_splat_is_a_capture_of_its_own(write_run, tmp_path: Path, axis, up) -> None:
    shutil.copy(write_run() / "splat.ply", tmp_path / "vase.ply")
    for _ in range(2):
        bpy.ops.cgc.import_splat(filepath=str(tmp_path / "vase.ply"), up_axis=axis)
    (capture,) = captures(bpy.context.scene)
    assert capture.name == "vase"
    assert active_capture(bpy.context) == capture
    assert numbers(capture) == [(1, 70), (2, 35), (3, 12), (0, 12)]
    upright = np.array(root_of(capture).matrix_basis.to_3x3()) @ up
    assert np.allclose(upright, (0, 0, 1), atol=1e-6)
    assert bpy.ops.cgc.recut_segments() == {"FINISHED"}
    assert numbers(capture) == [(1, 70), (2, 35), (3, 12), (0, 12)]


@pytest.mark.parametrize("name", ["vase.splat", "vase.spz"])
def test_splats_of_other_programs_stand_as_their_axes_say(tmp_path: Path, name) -> None:
    """One Gaussian of twelve is high up: y is up in SPZ, and taken for down in a .splat."""
    places = np.zeros((12, 3), np.float32)
    places[0] = (1, 2, 3)
    if name.endswith(".spz"):
        fixed = (places * 4096).astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3]
        rest = [255, 127, 127, 127, 64, 64, 64, 127, 127, 127]
        attributes = [np.tile(np.uint8(part), 12) for part in (rest[:1], rest[1:4], rest[4:7])]
        header = struct.pack("<4sIIBBBB", b"NGSP", 2, 12, 0, 12, 0, 0)
        content = b"".join(part.tobytes() for part in (fixed, *attributes, np.uint8(rest[7:] * 12)))
        (tmp_path / name).write_bytes(gzip.compress(header + content))
    else:
        records = np.zeros(12, RECORD)
        records["position"] = places * (1, -1, -1)
        records["scale"], records["rotation"] = 0.1, (255, 128, 128, 128)
        records["color"] = 200
        records["position"][11] = np.nan
        records.tofile(tmp_path / name)
    assert bpy.ops.cgc.import_splat(filepath=str(tmp_path / name)) == {"FINISHED"}
    (capture,) = captures(bpy.context.scene)
    assert capture.name == "vase"
    assert numbers(capture) == [(0, 12 if name.endswith(".spz") else 11)]
    (item,) = objects_of_kind(capture, "SPLAT")
    bpy.context.view_layer.update()
    local = np.array(item.data.attributes["position"].data[0].vector)
    in_capture = local + np.array(item.location)
    np.testing.assert_allclose(in_capture, (1, -2, -3), atol=1e-6)
    world = np.array(item.matrix_world) @ (*local, 1)
    assert world[2] == pytest.approx(2, abs=1e-5)


@pytest.mark.parametrize("name", ["cloud.sog", "cloud.spz"])
def test_files_that_another_program_wrote(name) -> None:
    """As that program reads them itself, in a PLY beside them."""
    folder = Path(__file__).parents[2] / "splats" / "made_by_splat_transform"
    expected = read_ply(folder / f"{name.replace('.', '_')}.ply").gaussians
    assert bpy.ops.cgc.import_splat(filepath=str(folder / name)) == {"FINISHED"}
    (capture,) = captures(bpy.context.scene)
    assert numbers(capture) == [(0, 48)]
    (item,) = objects_of_kind(capture, "SPLAT")
    means = gaussians_of(item, offset_of(item)).means
    nearest = np.abs(means[:, None] - expected.means).max(axis=2).min(axis=0)
    assert nearest.max() < 1e-6
    assert not bpy.data.images


def test_a_damaged_sog_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "splats" / "made_by_splat_transform"
    with (
        zipfile.ZipFile(folder / "cloud.sog") as whole,
        zipfile.ZipFile(tmp_path / "a.sog", "w") as damaged,
    ):
        for item in whole.namelist():
            content = whole.read(item)
            damaged.writestr(item, content[:40] if item == "quats.webp" else content)
    with pytest.raises(RuntimeError, match=r"a\.sog is damaged: quats\.webp in it is no picture"):
        bpy.ops.cgc.import_splat(filepath=str(tmp_path / "a.sog"))
    assert len(bpy.data.collections) == len(bpy.data.objects) == len(bpy.data.images) == 0


def test_importing_while_points_are_edited(write_run) -> None:
    folder = write_run()
    imported = import_run(bpy.context, bpy.context.scene, folder)
    item = splats_of(segment_collections(imported.capture)[0])[0]
    item.select_set(True)
    bpy.context.view_layer.objects.active = item
    bpy.ops.object.mode_set(mode="EDIT")
    assert bpy.ops.cgc.import_run(directory=str(write_run(granularity=1.0))) == {"FINISHED"}
    assert bpy.context.mode == "OBJECT"
    assert numbers(imported.capture) == [(1, 105), (2, 12), (0, 12)]


def test_bad_input_is_said_and_nothing_is_left_behind(tmp_path: Path, write_run) -> None:
    (tmp_path / "text.ply").write_text("no splat")
    folder = write_run()
    (folder / "segments.json").write_text("{")
    for call, problem in (
        (lambda: bpy.ops.cgc.import_run(directory=str(tmp_path)), "is not a run folder"),
        (lambda: bpy.ops.cgc.import_run(directory=str(folder)), r"segments\.json is not valid"),
        (bpy.ops.cgc.import_run, "Choose the folder"),
        (lambda: bpy.ops.cgc.import_splat(filepath=str(tmp_path / "text.ply")), "not a PLY"),
        (bpy.ops.cgc.import_splat, "Choose a splat"),
    ):
        with pytest.raises(RuntimeError, match=problem):
            call()
    assert len(bpy.data.collections) == len(bpy.data.objects) == 0
    with pytest.raises(CgcError):
        import_run(bpy.context, bpy.context.scene, tmp_path)


def test_splats_can_be_dropped_beside_blenders_own_importer() -> None:
    handler = bpy.types.CGC_FH_import_splat
    assert handler.bl_import_operator == "cgc.import_splat"
    assert handler.bl_file_extensions == ".ply;.splat;.spz;.sog"


def test_sparse_points_are_hidden_by_the_first_splats_and_not_again(
    write_capture, write_run
) -> None:
    dataset = write_capture()
    capture = import_colmap(bpy.context, dataset)
    (points,) = objects_of_kind(capture, "POINTS")
    assert points.visible_get()
    run = write_run(dataset=dataset)
    import_run(bpy.context, bpy.context.scene, run)
    assert not points.visible_get()
    assert points.hide_render
    points.hide_set(False)
    points.hide_render = False
    import_run(bpy.context, bpy.context.scene, run)
    assert points.visible_get()
    assert not points.hide_render
