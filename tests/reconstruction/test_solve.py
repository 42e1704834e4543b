# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos become a dataset; or a sentence says why not."""

import itertools
import json
import shutil
import time

import numpy as np
import pycolmap
import pytest
from PIL import Image, ImageFilter

from cgc_addon.dataset.load import load_dataset
from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.reconstruction import job
from cgc_addon.reconstruction.settings import SolveSettings
from cgc_addon.reconstruction.solve import solve
from cgc_addon.reconstruction.workspace import Workspace

from .conftest import SAMPLE, texture


@pytest.fixture
def fails(tmp_path):
    """Return a function that solves `photos`, which must fail, and returns the sentence."""

    def call(photos="photos", dataset="dataset", **settings) -> str:
        with pytest.raises(CgcError) as error:
            solve(tmp_path / photos, tmp_path / dataset, SolveSettings(**settings))
        return str(error.value)

    return call


def test_a_folder_that_is_not_there(fails):
    assert "does not exist" in fails()


def test_an_empty_folder(fails, tmp_path):
    (tmp_path / "photos").mkdir()
    assert "holds no photos" in fails()
    assert not (tmp_path / "dataset").exists()


def test_two_photos_are_too_few_and_the_damaged_one_is_named(fails, write_photo, tmp_path):
    for number in range(3):
        path = write_photo(f"{number}.jpg", seed=number)
    path.write_bytes(path.read_bytes()[:3000])
    sentence = fails()
    assert "holds 2 photos that can be read, but 3" in sentence
    assert "2.jpg" in sentence
    assert not (tmp_path / "dataset").exists()


def test_a_folder_that_was_there_stays_when_photos_are_refused(fails, write_photo, tmp_path):
    write_photo("0.jpg")
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "notes.txt").write_text("mine")
    assert "but 3 are the fewest" in fails()
    assert (tmp_path / "dataset" / "notes.txt").read_text() == "mine"


def test_one_photo_is_no_video(fails, write_photo):
    write_photo("a.jpg")
    assert "is one photo" in fails("photos/a.jpg")


def test_an_archive_of_photos_is_to_be_unpacked(fails, tmp_path):
    (tmp_path / "photos.zip").write_bytes(b"PK")
    assert "is an archive; unpack it" in fails("photos.zip")


def test_a_video_of_two_frames_is_too_short(fails, write_video):
    write_video([texture(0, 128, 96), texture(1, 128, 96)])
    assert "holds 2 frames, but 3" in fails("walk.mkv")


@pytest.mark.parametrize(("photos", "dataset"), [
    ("photos", "photos"), ("dataset/images", "dataset"), ("dataset/solve/x", "dataset"),
])  # fmt: skip
def test_photos_are_never_where_the_dataset_is_written(fails, tmp_path, photos, dataset):
    (tmp_path / photos).mkdir(parents=True)
    Image.new("RGB", (200, 200)).save(tmp_path / photos / "a.jpg")
    assert "name another" in fails(photos, dataset)
    assert (tmp_path / photos / "a.jpg").is_file()


def test_the_dataset_of_another_program_is_left_alone(fails, write_photo, tmp_path):
    write_photo("a.jpg")
    (tmp_path / "dataset" / "images").mkdir(parents=True)
    assert "did not make" in fails(overwrite=True)


def test_photos_below_the_dataset_can_be_solved(fails, tmp_path):
    # Two are too few, but they are found.
    folder = tmp_path / "dataset" / "photos"
    folder.mkdir(parents=True)
    for number in range(2):
        Image.fromarray(texture(number, 100, 100)).save(folder / f"{number}.jpg")
    assert "holds 2 photos" in fails("dataset/photos")


@pytest.mark.parametrize("folder", ["masks", "seg_masks", "object_mask", "masks_parts", "gt"])
def test_masks_of_the_photos_before_are_said_to_be_of_no_use(write_photo, tmp_path, folder):
    dataset = tmp_path / "dataset"
    Workspace(dataset).claim({"source": "other", "fingerprint": "", "settings": {}}, overwrite=True)
    (dataset / folder).mkdir()
    write_photo("a.jpg")
    told: list[str] = []
    with pytest.raises(CgcError, match="fewest"):
        solve(tmp_path / "photos", dataset, SolveSettings(overwrite=True), say=told.append)
    assert any("masks belong to the earlier photos" in each for each in told) == (folder != "gt")


END_OF_STAGE = dict(zip(job.STAGES, itertools.accumulate(job.STAGES.values()), strict=True))


@pytest.fixture
def ends(monkeypatch):
    """The share of the whole that each stage told last, in their order, and who is to tell it."""
    shares: dict[str, float] = {}
    now: list[str] = []
    part = job.Job.part

    def noted(self: job.Job, stage: str):
        report = part(self, stage)

        def told(progress):
            now.append(stage)
            report(progress)

        return told

    monkeypatch.setattr(job.Job, "part", noted)
    return shares, lambda progress: shares.update({now[-1]: progress.overall})


def crops(folder, seeds, step: int, blur: float = 0.0) -> None:
    folder.mkdir()
    for number, seed in enumerate(seeds):
        wide = Image.fromarray(texture(seed, 400, 150))
        if blur:
            wide = wide.filter(ImageFilter.GaussianBlur(blur))
        wide.crop((step * number, 0, step * number + 200, 150)).save(folder / f"{number}.png")


@pytest.mark.parametrize(("seeds", "step", "blur", "told"), [
    ([0, 0, 0], 10, 40.0, "blurred, dark or blank"),
    ([1, 2, 3], 10, 0.0, "no two of the 3 photos"),
    ([1, 1, 1], 0, 0.0, "none shows depth"),
])  # fmt: skip
def test_what_cannot_be_solved_says_what_to_do(fails, tmp_path, seeds, step, blur, told):
    crops(tmp_path / "photos", seeds, step, blur)
    assert told in fails()
    assert not (tmp_path / "dataset" / "images").exists()
    assert told in fails()  # and again, from what is there


def stop_at(stage: str):
    """Return a reporter that notes stages, and the question that says yes in one of them."""
    stages: list[str] = []

    def should_stop() -> bool:
        return bool(stages) and stages[-1] == stage

    return stages, lambda progress: stages.append(progress.stage), should_stop


@pytest.mark.slow
def test_photos_become_a_dataset_across_interruptions(tmp_path, monkeypatch, ends):
    photos, dataset = tmp_path / "my photos", tmp_path / "dataset"
    photos.mkdir()
    for path in sorted(SAMPLE.iterdir())[:8]:
        shutil.copy(path, photos / f"tea {path.name}")
    results = []
    run = job.run_stage

    def noted(stage, *arguments, **options):
        result = run(stage, *arguments, **options)
        results.append((stage, result))
        return result

    monkeypatch.setattr(job, "run_stage", noted)
    for stage in ("Finding features", "Matching photos", "Placing photos", "Undistorting photos"):
        _stages, report, should_stop = stop_at(stage)
        with pytest.raises(Interrupted):
            solve(photos, dataset, SolveSettings(), report=report, should_stop=should_stop)
        assert not (dataset / "solve.json").exists()
        assert not (dataset / "images").exists()
    assert [r for s, r in results if s == "matching"][-1] == {"matched": 0}
    assert sum(r["extracted"] for s, r in results if s == "features") <= 8

    shares, told = [], []

    def report(progress):
        shares.append(progress.overall)
        ends[1](progress)

    outcome = solve(photos, dataset, SolveSettings(), report=report, say=told.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert list(ends[0])[-1] == job.UNDISTORTING
    assert outcome.registered >= 6
    assert outcome.mean_reprojection_error < 1.2
    assert json.loads((dataset / "solve.json").read_text())["registered"] == outcome.registered

    model = pycolmap.Reconstruction(dataset / "sparse" / "0")
    assert model.num_reg_images() == outcome.registered
    assert {camera.model.name for camera in model.cameras.values()} == {"PINHOLE"}
    assert model.num_points3D() == outcome.points
    assert model.compute_mean_track_length() == pytest.approx(outcome.mean_track_length, abs=1e-3)
    names = {model.image(number).name for number in model.reg_image_ids()}
    assert names | set(outcome.unregistered) == {path.name for path in photos.iterdir()}
    assert names == {path.name for path in (dataset / "images").iterdir()}
    loaded = load_dataset(dataset)
    assert not loaded.warnings
    for index, view in enumerate(loaded.scene.views):  # undistorted pixels fit the cameras
        assert loaded.store.photo(index).shape[:2] == (view.camera.height, view.camera.width)
    # Keypoints were moved along: points project to where their tracks say.
    errors = [
        np.linalg.norm(model.image(e.image_id).project_point(point.xyz)
                       - model.image(e.image_id).points2D[e.point2D_idx].xy)
        for point in model.points3D.values() for e in point.track.elements
    ]  # fmt: skip
    assert np.median(errors) < 1.5

    begin, count = time.monotonic(), len(results)
    assert solve(photos, dataset, SolveSettings()) == outcome
    assert len(results) == count
    assert time.monotonic() - begin < 3
    with pytest.raises(CgcError, match="--overwrite"):
        solve(photos, dataset, SolveSettings(max_size=300))
    (dataset / "images" / sorted(names)[0]).unlink()  # lost: only that stage is done again
    assert solve(photos, dataset, SolveSettings()).registered == outcome.registered
    assert "mapping" not in [stage for stage, _ in results[count:]]
    assert {path.name for path in (dataset / "images").iterdir()} == names


def test_a_damaged_database_is_made_anew(tmp_path, monkeypatch):
    crops(tmp_path / "photos", [1, 2, 3], 10)
    for _attempt in range(2):
        told: list[str] = []
        with pytest.raises(CgcError, match="no two"):
            solve(tmp_path / "photos", tmp_path / "dataset", SolveSettings(), say=told.append)
        if _attempt:
            assert any("made anew" in sentence for sentence in told)
        path = tmp_path / "dataset" / "solve" / "database.db"
        path.write_bytes(path.read_bytes()[:5000])


def test_the_overall_share_covers_all_stages():
    assert sum(job.STAGES.values()) == pytest.approx(1.0)


def test_each_stage_that_is_reported_ends_where_the_next_one_begins(tmp_path, ends):
    shares, report = ends
    crops(tmp_path / "photos", [1, 1, 1], 0)
    settings = SolveSettings(matching="sequential")
    with pytest.raises(CgcError, match="none shows depth"):
        solve(tmp_path / "photos", tmp_path / "dataset", settings, report=report)
    photos, features, pairs, matching, mapping, _undistorting = job.STAGES
    assert list(shares) == [photos, features, pairs, matching, mapping]
    assert shares.pop(mapping) == pytest.approx(END_OF_STAGE[matching])  # nothing was placed
    assert shares == pytest.approx({stage: END_OF_STAGE[stage] for stage in shares})
