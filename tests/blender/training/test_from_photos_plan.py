# SPDX-License-Identifier: GPL-3.0-or-later
"""What was chosen for "From Photos…" becomes a call of the verb."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common.access import of_scene
from cgc_addon.blender.training.from_photos_plan import (
    job_of,
    photos_at,
    plan_from_photos,
    unfinished_job,
)
from cgc_addon.errors import CgcError
from cgc_addon.training.photo_job import write_job


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "desk"
    (folder / "left").mkdir(parents=True)
    (folder / "left" / "a.JPG").write_bytes(b"")
    return folder


def plan(chosen: object, **options):
    given = {"model": "mobilesam", "levels": "objects", **options}
    return plan_from_photos(bpy.context.scene, str(chosen), **given)


def test_what_is_made_lies_beside_the_photos(photos: Path) -> None:
    job = plan(photos)
    assert job.photos == photos
    assert job.dataset == photos.with_name("desk_dataset")
    assert job.run == photos.with_name("desk_dataset_run")
    assert job.arguments[:6] == (
        "from-photos", str(photos), "-o", f"{photos}_dataset", "--run", f"{photos}_dataset_run",
    )  # fmt: skip
    assert "--frames" not in job.arguments


def test_every_choice_reaches_the_verb(photos: Path, tmp_path: Path) -> None:
    settings = of_scene(bpy.context.scene)
    settings.preset, settings.steps, settings.maximum_gaussians = "draft", 70, 900
    settings.maximum_size, settings.test_every, settings.seed = 640, 8, 3
    settings.backend = "cpu"
    job = plan(
        photos, dataset=str(tmp_path / "d"), run=str(tmp_path / "r"), model="/m/encoder.onnx",
        levels="both", matching="sequential", frames=50,
    )  # fmt: skip
    assert (job.dataset, job.run) == (tmp_path / "d", tmp_path / "r")
    options = dict(zip(job.options[::2], job.options[1::2], strict=True))
    assert options == {
        "--model": "/m/encoder.onnx", "--levels": "both", "--matching": "sequential",
        "--frames": "50", "--preset": "draft", "--steps": "70", "--max-gaussians": "900",
        "--max-size": "640", "--test-every": "8", "--seed": "3", "--backend": "cpu",
    }  # fmt: skip
    assert job_of((*job.arguments, "--preview", "3")) == job
    anew = plan(photos, overwrite=True)
    assert anew.arguments[-1] == "--overwrite"
    assert job_of(anew.arguments) == plan(photos)  # which going on does not do again


def test_the_arguments_are_those_of_the_verb(photos: Path) -> None:
    from cgc_addon.cli.arguments import parse

    parsed = parse(plan(photos, frames=4).arguments)
    assert (parsed.photos, parsed.frames, parsed.model) == (photos, 4, "mobilesam")


def test_a_photo_means_its_folder_and_a_video_itself(photos: Path, tmp_path: Path) -> None:
    assert photos_at(str(photos / "left" / "a.JPG")) == photos / "left"
    assert photos_at(f"{photos}{os.sep}") == photos
    video = tmp_path / "walk.mp4"
    video.write_bytes(b"")
    assert photos_at(str(video)) == video
    assert plan(video).dataset == tmp_path / "walk_dataset"


def test_what_cannot_be_is_said(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(CgcError, match="Choose a folder of photos"):
        plan("")
    with pytest.raises(CgcError, match="does not exist"):
        plan(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".hidden.jpg").write_bytes(b"")
    with pytest.raises(CgcError, match="holds no photos"):
        plan(tmp_path / "empty")
    with pytest.raises(CgcError, match="among the photos"):
        plan(photos, dataset=str(photos / "dataset"))
    with pytest.raises(CgcError, match="among the photos"):
        plan(photos, dataset=str(photos))
    file = tmp_path / "a file"
    file.write_bytes(b"")
    with pytest.raises(CgcError, match="is a file"):
        plan(photos, dataset=str(file / "dataset"))


def test_a_dataset_knows_whether_it_came_to_its_end(photos: Path) -> None:
    job = plan(photos)
    assert unfinished_job(job.dataset) is None
    write_job(job)
    assert unfinished_job(job.dataset) == job
    job.run.mkdir()
    (job.run / "segments.json").write_text("{}")
    assert unfinished_job(job.dataset) is None
