# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common import preferences
from cgc_addon.blender.common.access import SceneSettings, of_scene
from cgc_addon.blender.jobs import registry as jobs
from cgc_addon.blender.jobs.job import JobState, Phase
from cgc_addon.blender.training.plan import (
    RunState,
    TrainingPlan,
    free_folder,
    is_unfinished,
    new_arguments,
    plan_training,
    resumable_run,
    resume_arguments,
    run_folder,
    wanted,
)
from cgc_addon.errors import CgcError
from cgc_addon.training.asked import Asked
from cgc_addon.training.config_json import from_json, to_json
from cgc_addon.training.presets import configure
from cgc_addon.training.run_folder import RunFolder

EARLIER = Path(__file__).parents[2] / "earlier_versions"


@pytest.fixture
def settings() -> SceneSettings:
    return of_scene(bpy.context.scene)


@pytest.fixture
def capture(write_capture: Callable[..., Path], settings: SceneSettings) -> Path:
    """A dataset that the scene is set to."""
    folder = write_capture()
    (folder / "images").mkdir(exist_ok=True)
    settings.dataset = str(folder)
    return folder


def a_run(run: Path, dataset: Path, *, finished: bool = False, **chosen: Any) -> Path:
    RunFolder(run).start(dataset, configure(**{"name": "standard", **chosen}), {})
    if finished:
        RunFolder(run).segments.write_text("{}")
    return run


def planned() -> TrainingPlan:
    return plan_training(bpy.context.scene)


def test_settings_left_alone_say_only_what_has_no_default(
    capture: Path, settings: SceneSettings
) -> None:
    plan = planned()
    assert plan == TrainingPlan(capture, capture.with_name("capture_run"), RunState.EMPTY)
    assert new_arguments(plan, settings, plan.run) == (
        "train", str(capture), "-o", str(plan.run),
        "--preset", "standard", "--seed", "0", "--backend", "auto",
    )  # fmt: skip


def test_every_setting_reaches_the_command_line(capture: Path, settings: SceneSettings) -> None:
    settings.preset, settings.backend = "draft", "cpu"
    settings.steps, settings.maximum_gaussians, settings.maximum_size = 50, 900, 640
    settings.test_every, settings.seed = 8, 3
    settings.minutes = 7.5
    settings.features, settings.reduction, settings.spatial = "joint", "mean", "released"
    arguments = new_arguments(planned(), settings, capture / "run")
    assert " ".join(arguments[4:]) == (
        "--preset draft --steps 50 --minutes 7.5 --max-gaussians 900 --max-size 640 --test-every 8 "
        "--seed 3 --backend cpu --features joint --reduction mean --spatial released"
    )
    config, asked = wanted(settings)
    assert asked == Asked(max_size=640, max_gaussians=900, steps=50, minutes=7.5)
    assert (config.geometry.steps, config.geometry.densify.cap) == (50, 900)
    assert (config.features.mode, config.features.spatial) == ("joint", "released")


def test_an_existing_run_is_replaced_only_with_the_word_for_it(
    capture: Path, settings: SceneSettings
) -> None:
    a_run(run_folder(bpy.context.scene), capture)
    plan = planned()
    assert "--overwrite" in new_arguments(plan, settings, plan.run)
    assert "--overwrite" not in new_arguments(plan, settings, plan.run.with_name("new"))


@pytest.mark.parametrize(
    ("finished", "chosen", "found"),
    [
        (False, {}, RunState.UNFINISHED),
        (True, {}, RunState.FINISHED),
        (False, {"steps": 7}, RunState.OTHER),
        (True, {"name": "draft"}, RunState.OTHER),
        (True, {"test_every": 8}, RunState.OTHER),
    ],
)
def test_what_a_run_folder_holds(
    capture: Path, finished: bool, chosen: dict[str, Any], found: RunState
) -> None:
    a_run(run_folder(bpy.context.scene), capture, finished=finished, **chosen)
    assert planned().found is found


def test_a_run_that_was_fitted_to_a_machine_is_found_by_what_was_asked_for(
    capture: Path, settings: SceneSettings
) -> None:
    settings.minutes = 7.5
    fitted = configure("standard", steps=900, max_gaussians=20_000, max_size=480)
    run = RunFolder(run_folder(bpy.context.scene))
    run.start(capture, fitted, {}, asked=Asked(minutes=7.5).to_json())
    assert planned().found is RunState.UNFINISHED
    settings.minutes = 0
    assert planned().found is RunState.OTHER


def test_a_run_of_another_dataset_or_a_damaged_one_is_another_run(
    capture: Path, tmp_path: Path
) -> None:
    run = a_run(run_folder(bpy.context.scene), tmp_path / "elsewhere")
    assert planned().found is RunState.OTHER
    (run / "config.json").write_text("{")
    assert planned().found is RunState.OTHER


@pytest.mark.parametrize(("finished", "found"), [(False, "UNFINISHED"), (True, "FINISHED")])
def test_a_run_of_an_earlier_version_is_compared_by_what_its_settings_meant(
    capture: Path, settings: SceneSettings, finished: bool, found: str
) -> None:
    run = run_folder(bpy.context.scene)
    shutil.copytree(EARLIER / "0.1.0" / "unfinished", run)
    lines = (EARLIER / "0.1.0" / "configurations.jsonl").read_text("utf-8").splitlines()
    written = next(
        each["config"] for each in map(json.loads, lines) if each["chosen"] == {"name": "standard"}
    )
    stored = json.loads((run / "config.json").read_text("utf-8"))
    stored = {**stored, **written, "dataset": str(capture.resolve())}
    (run / "config.json").write_text(json.dumps(stored), "utf-8")
    if finished:
        (run / "segments.json").write_text("{}")
    settings.preset = "standard"
    assert planned().found is RunState.OTHER, "this preset did less then"
    meant, today = from_json(written, "config.json"), configure("standard")
    as_today = replace(
        meant,
        geometry=today.geometry,
        edges=today.edges,
        segments=replace(meant.segments, evidence=today.segments.evidence),
    )
    (run / "config.json").write_text(json.dumps({**stored, **to_json(as_today)}), "utf-8")
    assert planned().found is RunState[found]
    settings.seed = 3
    assert planned().found is RunState.OTHER


def test_resuming_takes_dataset_and_settings_of_the_run(
    capture: Path, tmp_path: Path, settings: SceneSettings
) -> None:
    run = a_run(tmp_path / "run", capture, steps=9)
    settings.dataset = "/somewhere/else"
    assert resume_arguments(run) == ("train", str(capture), "-o", str(run), "--resume")
    with pytest.raises(CgcError, match="not exist"):
        resume_arguments(tmp_path / "nothing")


def test_the_run_folder_is_the_chosen_one_else_in_the_folder_of_the_preferences(
    capture: Path, settings: SceneSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = bpy.context.scene
    monkeypatch.setattr(preferences, "runs_folder", lambda: tmp_path / "runs")
    assert run_folder(scene) == tmp_path / "runs" / "capture_run"
    settings.run = str(tmp_path / "mine" / "")
    assert run_folder(scene) == tmp_path / "mine"


def test_beside_a_dataset_that_cannot_be_written_the_blend_is_the_place(
    capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def writable(path: Path, mode: int) -> bool:
        return path != capture.parent

    monkeypatch.setattr(os, "access", writable)
    with pytest.raises(CgcError, match="choose a Run Folder"):
        run_folder(bpy.context.scene)
    blend = tmp_path / "work" / "scene.blend"
    blend.parent.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    assert run_folder(bpy.context.scene) == blend.parent / "capture_run"


def test_a_relative_path_needs_a_saved_blend(capture: Path, settings: SceneSettings) -> None:
    settings.run = "//run"
    with pytest.raises(CgcError, match="save that first"):
        run_folder(bpy.context.scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(capture.parent / "scene.blend"))
    assert run_folder(bpy.context.scene) == capture.parent / "run"


def test_the_next_free_folder(tmp_path: Path) -> None:
    (tmp_path / "run2").mkdir()
    assert free_folder(tmp_path / "run") == tmp_path / "run3"


def test_what_is_no_dataset_is_said_before_anything_starts(
    capture: Path, settings: SceneSettings, tmp_path: Path
) -> None:
    (capture / "images").rename(capture / "photos")
    with pytest.raises(CgcError, match=r"images is missing"):
        planned()
    (capture / "sparse" / "0" / "cameras.txt").unlink()
    with pytest.raises(CgcError, match="all three"):
        planned()
    settings.dataset = str(tmp_path / "nothing")
    with pytest.raises(CgcError, match="is not a folder"):
        planned()
    settings.dataset = ""
    with pytest.raises(CgcError, match="Choose a dataset first"):
        planned()


def test_what_can_be_resumed(
    capture: Path, settings: SceneSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = bpy.context.scene
    assert resumable_run(scene) is None
    run = a_run(run_folder(scene), capture)
    assert resumable_run(scene) == run
    RunFolder(run).segments.write_text("{}")
    assert not is_unfinished(run)
    assert resumable_run(scene) is None
    other = a_run(tmp_path / "capture_run2", capture)
    last = JobState("Train", ("train", str(capture)), other, Phase.CANCELLED)
    monkeypatch.setattr(jobs, "current", lambda: last)
    assert resumable_run(scene) == other
    monkeypatch.setattr(jobs, "current", lambda: SimpleNamespace(run=None))
    settings.dataset = ""
    assert resumable_run(scene) is None
