# SPDX-License-Identifier: GPL-3.0-or-later
"""From photos to objects in the scene, with a worker that a test plays."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.capture.parts import captures, objects_of_kind, segment_collections
from cgc_addon.blender.common.access import of_scene
from cgc_addon.blender.jobs import registry as jobs
from cgc_addon.blender.jobs.job import JobState, Phase
from cgc_addon.blender.jobs.wording import status_line
from cgc_addon.blender.training import dataset_facts
from cgc_addon.blender.training.from_photos_operators import PhotosOperator, _start_folder
from cgc_addon.training.photo_job import PhotoJob, write_job

from ..fake_worker import FakeWorker


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWorker]:
    fake = FakeWorker()
    monkeypatch.setattr(jobs, "new_worker", lambda: fake)
    yield fake
    jobs.unregister()
    jobs.register()
    dataset_facts.forget()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "desk"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"")
    return folder


@pytest.fixture
def solved(
    worker: FakeWorker, photos: Path, write_capture: Callable[..., Path]
) -> Callable[[], Path]:
    """Return a function that does what the first stage does."""

    def solve() -> Path:
        dataset = Path(worker.arguments[3])
        if not dataset.exists():
            shutil.copytree(write_capture(), dataset)
        worker.progress(3, 10, stage="Matching", overall=0.2, seconds_left=90.0)
        return dataset

    return solve


@pytest.fixture
def whole(solved, worker: FakeWorker, write_run: Callable[..., Path]) -> Callable[[], None]:
    """Return a function that does what all stages do."""

    def do() -> None:
        dataset = solved()
        shutil.copytree(write_run(dataset=dataset), worker.arguments[5], dirs_exist_ok=True)
        worker.progress(10, 10, stage="Training", overall=1.0)
        worker.tell("result", dataset=str(dataset), run=worker.arguments[5], segments=3)

    return do


def names_of_data() -> set[str]:
    return {f"{kind}.{item.name}" for kind in ("objects", "collections", "pointclouds", "cameras")
            for item in getattr(bpy.data, kind)}  # fmt: skip


def test_photos_become_cameras_and_objects(worker: FakeWorker, photos: Path, whole) -> None:
    worker.does = whole
    assert bpy.ops.cgc.from_photos(filepath=str(photos), model="vit_b") == {"FINISHED"}
    assert worker.arguments[0] == "from-photos"
    assert worker.arguments[worker.arguments.index("--model") + 1] == "vit_b"
    assert "--preview" not in worker.arguments  # nobody looks on
    (capture,) = captures(bpy.context.scene)
    assert len(objects_of_kind(capture, "CAMERA")) == 4
    assert len(objects_of_kind(capture, "POINTS")) == 1
    assert len(segment_collections(capture)) == 3
    settings = of_scene(bpy.context.scene)
    assert Path(settings.dataset) == photos.with_name("desk_dataset")
    assert Path(settings.run) == photos.with_name("desk_dataset_run")
    before = names_of_data()
    assert bpy.ops.cgc.from_photos(filepath=str(photos)) == {"FINISHED"}  # brings it up to date
    assert names_of_data() == before


def test_the_panel_says_what_a_script_leaves_open(worker: FakeWorker, photos: Path, whole) -> None:
    settings = of_scene(bpy.context.scene)
    settings.photo_mask_model, settings.photo_mask_levels = "vit_l", "objects"
    worker.does = whole
    bpy.ops.cgc.from_photos(filepath=str(photos))
    options = worker.arguments[6:]
    assert options[options.index("--model") + 1] == "vit_l"
    assert options[options.index("--levels") + 1] == "objects"


def test_a_failure_leaves_the_scene_as_it_was_and_can_be_resumed(
    worker: FakeWorker, photos: Path, solved, whole
) -> None:
    def fail() -> None:
        solved()
        worker.tell("error", text="The weights of MobileSAM are not on this machine.")

    before, worker.does = names_of_data(), fail
    assert not bpy.ops.cgc.resume_from_photos.poll()
    with pytest.raises(RuntimeError, match="weights of MobileSAM"):
        bpy.ops.cgc.from_photos(filepath=str(photos), matching="sequential")
    assert names_of_data() == before
    assert of_scene(bpy.context.scene).dataset == ""
    assert jobs.problem().operator == "CGC_OT_from_photos"
    asked = worker.arguments
    worker.does = whole
    assert bpy.ops.cgc.resume_from_photos() == {"FINISHED"}
    assert worker.arguments == asked
    assert len(captures(bpy.context.scene)) == 1
    with pytest.raises(RuntimeError, match="Nothing from photos was left"):
        bpy.ops.cgc.resume_from_photos()


class Stopped(PhotosOperator):
    """The operator at its end, without a window."""

    bl_label = "Splat from Photos"

    def __init__(self, job: PhotoJob) -> None:
        self._job = job
        self.reports: list[str] = []

    def report(self, _kind: set[str], text: str) -> None:
        self.reports.append(text)

    def end(self) -> set[str]:
        state = JobState("Splat from Photos", self._job.arguments, phase=Phase.STOPPED)
        return self.finish(bpy.context, state)


def test_what_a_stopped_job_has_is_imported(
    photos: Path, tmp_path: Path, write_capture: Callable[..., Path], write_run: Callable[..., Path]
) -> None:
    operator = Stopped(PhotoJob(photos, tmp_path / "capture", tmp_path / "run"))
    before = names_of_data()
    assert operator.end() == {"CANCELLED"}
    assert "before there was anything" in operator.reports[-1]
    assert names_of_data() == before
    write_capture()
    assert operator.end() == {"FINISHED"}
    (capture,) = captures(bpy.context.scene)
    assert len(objects_of_kind(capture, "CAMERA")) == 4
    assert not segment_collections(capture)
    assert "Resume goes on" in operator.reports[-1]
    write_run(dataset=tmp_path / "capture")
    assert operator.end() == {"FINISHED"}
    assert len(captures(bpy.context.scene)) == 1
    assert len(segment_collections(capture)) == 3


def test_a_dataset_that_was_left_unfinished_is_gone_on_with(
    worker: FakeWorker, photos: Path, tmp_path: Path, whole
) -> None:
    dataset = tmp_path / "desk_dataset"
    job = PhotoJob(photos, dataset, tmp_path / "elsewhere", ("--levels", "both"))
    of_scene(bpy.context.scene).dataset = str(dataset)
    with pytest.raises(RuntimeError, match="Nothing from photos was left"):
        bpy.ops.cgc.resume_from_photos()
    write_job(job)

    def go_on() -> None:
        shutil.rmtree(dataset)
        whole()

    worker.does = go_on
    assert bpy.ops.cgc.resume_from_photos() == {"FINISHED"}
    assert worker.arguments == job.arguments


def test_photos_that_are_gone_are_said(worker: FakeWorker, photos: Path, tmp_path: Path) -> None:
    dataset = tmp_path / "desk_dataset"
    write_job(PhotoJob(tmp_path / "gone", dataset, tmp_path / "run"))
    of_scene(bpy.context.scene).dataset = str(dataset)
    with pytest.raises(RuntimeError, match="gone is gone; put the photos back"):
        bpy.ops.cgc.resume_from_photos()


def test_without_photos_nothing_is_started(worker: FakeWorker, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="holds no photos"):
        bpy.ops.cgc.from_photos(filepath=str(tmp_path))
    assert worker.arguments == ()


def test_one_bar_for_all_stages(worker: FakeWorker, photos: Path) -> None:
    jobs.start(["from-photos", "a", "-o", "b", "--run", "c"], "Splat from Photos")
    worker.progress(3, 10, stage="Matching", overall=0.25, seconds_left=90.0)
    state = jobs.poll()
    assert state.fraction == 0.25
    assert state.seconds_left == 90.0
    assert "25%" in status_line(state)
    assert "Matching" in status_line(state)
    worker.progress(9, 10, stage="Training", overall=0.9)
    assert jobs.poll().seconds_left is None  # of the whole it is not known, and no other is told


def test_photos_are_looked_for_beside_the_dataset_or_the_blend(photos, tmp_path) -> None:
    """A browser that is given no folder would offer the name of the .blend."""
    assert _start_folder("") == f"{Path.home()}{os.sep}"
    assert _start_folder("//desk_dataset") == f"{Path.home()}{os.sep}"
    assert _start_folder(str(photos)) == f"{tmp_path}{os.sep}"
    (tmp_path / "work").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "work" / "scene.blend"))
    assert _start_folder("") == f"{tmp_path / 'work'}{os.sep}"
    assert _start_folder("/nowhere/desk") == f"{tmp_path / 'work'}{os.sep}"
