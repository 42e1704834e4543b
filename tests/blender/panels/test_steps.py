# SPDX-License-Identifier: GPL-3.0-or-later
"""One panel is open: that of what comes next, and those of what runs or has failed."""

from __future__ import annotations

import shutil

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.jobs import registry as jobs
from cgc_addon.blender.jobs.job import Phase
from cgc_addon.blender.panels.sidebar import CLASSES
from cgc_addon.blender.panels.steps import FOLDED, Step, next_step
from cgc_addon.blender.training.dataset_facts import look
from cgc_addon.files import write_json


@pytest.fixture(autouse=True)
def no_problem(blender: None) -> None:
    """What failed in another test opens no panel here."""
    jobs.keep_problem(None)


def opened() -> list[str]:
    """Names of the panels that are drawn open, after checking that each is drawn once."""
    turns = [cls for cls in CLASSES if hasattr(cls, "step")]
    drawn = [cls.__name__ for cls in turns if cls.poll(bpy.context)]
    once = [name.removesuffix(FOLDED) for name in drawn]
    assert len(once) == len(set(once)) == len(turns) / 2
    return [name.removeprefix("CGC_PT_") for name in drawn if not name.endswith(FOLDED)]


def test_from_an_empty_scene_to_masks_and_training(dataset) -> None:
    scene = bpy.context.scene
    scene.cgc.dataset = ""
    assert opened() == ["dataset"]
    scene.cgc.dataset = str(dataset)
    assert opened() == ["dataset"]  # not looked at yet
    look(scene)
    assert opened() == ["dataset"]  # cameras are not in the scene
    assert bpy.ops.cgc.import_colmap(filepath=str(dataset)) == {"FINISHED"}
    look(scene)
    assert opened() == ["training"]
    shutil.rmtree(dataset / "masks")
    look(scene)
    assert opened() == ["photo_masks"]
    write_json(dataset / "solve.json", {"unregistered": ["lost.jpg"]})
    look(scene)
    assert opened() == ["dataset"]


def test_what_was_found_comes_last(segmented) -> None:
    assert next_step(bpy.context) is Step.SEGMENTS
    assert opened() == ["segments"]


def test_another_dataset_than_that_of_the_segments_begins_anew(segmented, dataset) -> None:
    look(bpy.context.scene)
    assert opened() == ["dataset"]


@pytest.mark.parametrize(
    ("verb", "names"),
    [
        ("train", ["training"]),
        ("from-photos", ["dataset"]),
        ("masks", ["photo_masks", "segments"]),
        ("render", ["segments", "render_masks"]),
    ],
)
def test_what_runs_is_open(segmented, job, verb, names) -> None:
    job(arguments=(verb, "/x"))
    assert opened() == names
    job(arguments=(verb, "/x"), phase=Phase.DONE)
    assert opened() == ["segments"]


def test_what_has_failed_is_open(segmented) -> None:
    jobs.keep_problem(jobs.Problem("CGC_OT_train", "No."))
    assert opened() == ["training", "segments"]


def test_panels_below_are_there_with_either() -> None:
    for name in ("granularity", "looks"):
        assert getattr(bpy.types, f"CGC_PT_{name}").bl_parent_id == "CGC_PT_segments"
        folded = getattr(bpy.types, f"CGC_PT_{name}{FOLDED}")
        assert folded.bl_parent_id == f"CGC_PT_segments{FOLDED}"
