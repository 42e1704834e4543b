# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons and scripts that render masks: what they are asked for, and what they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.parts import segment_collections
from cgc_addon.blender.common.access import of_collection, of_scene
from cgc_addon.blender.jobs import registry as jobs
from cgc_addon.blender.output import mask_rendering
from cgc_addon.blender.output.mask_files import RenderedMaskSettings
from cgc_addon.errors import CgcError


@pytest.fixture
def capture(
    write_capture: Callable[..., Path], write_run: Callable[..., Path]
) -> bpy.types.Collection:
    """Return four cameras and three segments in the scene."""
    dataset = write_capture()
    assert bpy.ops.cgc.import_run(directory=str(write_run(dataset=dataset))) == {"FINISHED"}
    return bpy.context.scene.collection.children[0]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[RenderedMaskSettings]:
    """Return what `mask_rendering.plan` is asked for, which then refuses."""
    settings: list[RenderedMaskSettings] = []

    def plan(_context: object, wanted: RenderedMaskSettings) -> tuple[mask_rendering.Batch, ...]:
        settings.append(wanted)
        raise CgcError("enough.")

    monkeypatch.setattr(mask_rendering, "plan", plan)
    return settings


def test_without_splats_the_button_is_off() -> None:
    assert not bpy.ops.cgc.render_masks.poll()
    assert not bpy.ops.cgc.look_at_masks.poll()


def test_a_script_gets_what_it_asks_for_and_the_rest_from_the_panel(capture, asked, tmp_path):
    panel = of_scene(bpy.context.scene)
    panel.mask_folder, panel.mask_cameras = str(tmp_path / "panel"), "SELECTED"
    panel.mask_palette, panel.mask_exr, panel.backend = False, True, "cpu"
    with pytest.raises(RuntimeError, match="enough"):
        bpy.ops.cgc.render_masks()
    with pytest.raises(RuntimeError, match="enough"):
        bpy.ops.cgc.render_masks(
            cameras="FRAMES", folder=str(tmp_path), palette=True, exr=False, overwrite=True
        )
    assert asked == [
        RenderedMaskSettings("SELECTED", tmp_path / "panel", False, True, False, "cpu"),
        RenderedMaskSettings("FRAMES", tmp_path, True, False, True, "cpu"),
    ]


def test_a_folder_beside_the_blend_needs_a_saved_one(capture, asked, tmp_path):
    with pytest.raises(RuntimeError, match="not saved yet"):
        bpy.ops.cgc.render_masks(folder="//masks")
    with pytest.raises(RuntimeError, match="Choose a folder"):
        bpy.ops.cgc.render_masks(folder=" ")
    assert asked == []
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    with pytest.raises(RuntimeError, match="enough"):
        bpy.ops.cgc.render_masks(folder="//masks")
    assert asked[0].folder == tmp_path / "masks"


def test_existing_files_are_not_replaced(capture, tmp_path):
    old = tmp_path / "out" / "labels" / "0001.png"
    old.parent.mkdir(parents=True)
    old.write_text("precious")
    with pytest.raises(RuntimeError, match=r"1 of the 8 files exist already.*0001\.png"):
        bpy.ops.cgc.render_masks(cameras="CAPTURE", folder=str(tmp_path / "out"), palette=True)
    assert old.read_text() == "precious"


def test_each_reason_not_to_render_is_said_and_stays_in_the_panel(capture, tmp_path):
    def reason(cameras: str) -> str:
        with pytest.raises(RuntimeError) as failure:
            bpy.ops.cgc.render_masks(cameras=cameras, folder=str(tmp_path / "out"))
        problem = jobs.problem()
        assert problem is not None
        assert problem.operator == "CGC_OT_render_masks"
        assert problem.sentence in str(failure.value)
        return problem.sentence

    assert "No camera is selected" in reason("SELECTED")
    bpy.context.scene.camera.data.type = "ORTHO"
    assert "perspective" in reason("ACTIVE")
    bpy.context.scene.camera = None
    assert "no active camera" in reason("ACTIVE")
    assert "no active camera" in reason("FRAMES")
    for collection in bpy.data.collections:
        if of_collection(collection).kind in ("SEGMENT", "UNASSIGNED"):
            of_collection(collection).shown = False
    assert "No splat" in reason("CAPTURE")
    bpy.data.batch_remove(list(bpy.data.cameras))
    assert "no capture cameras" in reason("CAPTURE")
    assert not (tmp_path / "out").exists()
    jobs.keep_problem(None)


def test_a_worker_that_cannot_be_started_leaves_nothing_behind(capture, tmp_path, monkeypatch):
    monkeypatch.setenv("CGC_PYTHON", "/nowhere/python")
    scene = bpy.context.scene
    ball = segment_collections(capture)[0].objects[0]
    ball.keyframe_insert("location", frame=1)
    scene.frame_start, scene.frame_end = 1, 2
    scene.frame_set(5, subframe=0.5)
    with pytest.raises(RuntimeError, match="/nowhere/python"):
        bpy.ops.cgc.render_masks(cameras="FRAMES", folder=str(tmp_path / "out"))
    assert (scene.frame_current, scene.frame_subframe) == (5, 0.5)
    assert not (tmp_path / "out").exists()
    jobs.keep_problem(None)
