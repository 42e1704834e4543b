# SPDX-License-Identifier: GPL-3.0-or-later
"""Solve, mask and train as one job; the stages themselves are played here."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from cgc_addon.cgc.segments import Segment, Segments, write_segments
from cgc_addon.dataset.image_files import write_photo
from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.masks.generate import MAKING_MASKS, make_masks
from cgc_addon.progress import Progress
from cgc_addon.stages import StagedProgress
from cgc_addon.training import far_radius
from cgc_addon.training.from_photos import (
    MASKS,
    SOLVE,
    STAGES,
    TRAIN,
    Steps,
    check_run,
    from_photos,
    unlabelled_photos,
)
from cgc_addon.training.photo_job import PhotoJob, read_job
from cgc_addon.training.pipeline import TrainSummary, train
from cgc_addon.training.presets import configure
from cgc_addon.training.run_folder import RunFolder
from cgc_addon.training.trainer import TRAINING

from ..masks.painted_model import PaintedModel, painted_photo

CONFIG = configure("draft")


class Played:
    """Three stages that write the files that the real ones write."""

    def __init__(self, folder: Path):
        self.job = PhotoJob(folder / "photos", folder / "desk", folder / "desk_run")
        self.called: list[str] = []
        self.told: list[Progress] = []
        self.said: list[str] = []
        self.stop_in = ""
        self.stems = ("a", "b", "left/c")

    def solve(self, report):
        self._begin("solve", report, "Matching")
        for stem in self.stems:
            self._touch(self.job.dataset / "images" / f"{stem}.jpg")
        model = self.job.dataset / "sparse" / "0"
        for name in ("cameras", "images", "points3D"):
            if not (model / f"{name}.txt").exists():
                self._touch(model / f"{name}.txt")

    def make_masks(self, report):
        self._begin("masks", report, MAKING_MASKS)
        for stem in self.stems:
            self._touch(self.job.dataset / "masks" / f"{stem}.png")

    def train(self, resume, report):
        self._begin("resume" if resume else "train", report, TRAINING)
        folder = RunFolder(self.job.run)
        if not resume:
            folder.start(self.job.dataset, CONFIG, {})
        if self.stop_in == "half-trained":
            raise Interrupted("Training")
        segments = (Segment(1, "Segment 001", (1, 2, 3), 10, (0.0,) * 16),)
        write_segments(folder.segments, Segments(segments))
        return TrainSummary(str(self.job.run), 10, 100, 1, 1.0)

    def run(self, masks: bool = True, overwrite: bool = False):
        self.called.clear()
        self.told.clear()
        steps = Steps(self.solve, self.make_masks if masks else None, self.train)
        return from_photos(
            self.job, steps, overwrite=overwrite,
            report=self.told.append, say=self.said.append,
        )  # fmt: skip

    def _begin(self, name, report, stage):
        self.called.append(name)
        report(Progress(stage, 0, 10))
        report(Progress(stage, 5, 10))
        if self.stop_in == name:
            raise Interrupted(name)
        report(Progress(stage, 10, 10))

    @staticmethod
    def _touch(path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


@pytest.fixture
def played(tmp_path):
    return Played(tmp_path)


def test_the_three_stages_follow_each_other_and_progress_only_grows(played):
    summary = played.run()
    assert played.called == ["solve", "masks", "train"]
    shares = [progress.overall for progress in played.told]
    assert shares == sorted(shares)
    assert shares[0] == 0.0
    assert (summary.registered, summary.masked, summary.gaussians, summary.segments) == (
        3,
        3,
        100,
        1,
    )
    assert set(summary.to_json()) >= {"dataset", "run", "registered", "segments"}
    assert "3 photos" in summary.sentence()


def test_what_is_done_is_passed(played):
    played.run()
    summary = played.run()
    assert played.called == ["solve"]  # which looks by itself whether there is anything to do
    assert summary.segments == 1
    assert any("trained already" in sentence for sentence in played.said)


@pytest.mark.parametrize(
    ("stage", "then"),
    [("solve", ["solve", "masks", "train"]), ("masks", ["solve", "masks", "train"]),
     ("half-trained", ["solve", "resume"])],
)  # fmt: skip
def test_an_interrupted_job_goes_on(played, stage, then):
    played.stop_in = stage
    with pytest.raises(Interrupted):
        played.run()
    assert read_job(played.job.dataset) is not None
    played.stop_in = ""
    played.run()
    assert played.called == then


def test_without_a_model_there_are_no_masks_and_training_follows(played):
    summary = played.run(masks=False)
    assert played.called == ["solve", "train"]
    assert summary.masked == 0
    assert max(p.overall for p in played.told) <= 1.0


def test_new_masks_make_new_segments_but_no_new_geometry(played):
    played.run()
    segments = RunFolder(played.job.run).segments.stat().st_mtime_ns
    file = played.job.dataset / "masks" / "a.png"
    os.utime(file, ns=(segments + 10**9, segments + 10**9))  # as a correction by hand does
    played.run()
    assert played.called == ["solve", "resume"]


def test_what_lacks_masks_gets_them(played):
    played.run()
    assert unlabelled_photos(played.job.dataset) == []
    (played.job.dataset / "masks" / "left" / "c.png").unlink()
    assert unlabelled_photos(played.job.dataset) == ["left/c"]
    played.run()
    assert played.called[:2] == ["solve", "masks"]


def test_a_folder_that_solving_refuses_is_left_alone(played):
    def refuse(_report):
        raise CgcError("That is none of ours.")

    played.job.dataset.mkdir()
    with pytest.raises(CgcError):
        from_photos(played.job, Steps(refuse, None, played.train))
    assert not list(played.job.dataset.iterdir())


def test_new_cameras_do_not_go_with_an_old_run(played):
    played.run()
    config = RunFolder(played.job.run).config.stat().st_mtime_ns
    model = played.job.dataset / "sparse" / "0" / "images.txt"
    os.utime(model, ns=(config + 10**9, config + 10**9))
    with pytest.raises(CgcError, match="earlier cameras"):
        played.run()
    played.run(overwrite=True)
    assert played.called == ["solve", "masks", "train"]


def test_a_run_in_the_way_is_found_before_anything_is_done(played):
    run, dataset = played.job.run, played.job.dataset
    check_run(run, dataset, CONFIG)
    played.run()
    check_run(run, dataset, CONFIG)
    with pytest.raises(CgcError, match="other settings"):
        check_run(run, dataset, replace(CONFIG, seed=3))
    with pytest.raises(CgcError, match="was trained on"):
        check_run(run, dataset.with_name("other"), CONFIG)


def ends_of_parts(stage, told):
    """Return where each part of a stage told that it ended, before the next one began.

    Args:
        stage: the only one of its job.
        told: what it reported, with the share of the whole.
    """
    ends: dict[str, float] = {}
    for progress in told:
        begins = progress.stage not in ends
        if progress.stage in stage.parts and (begins or progress.stage == list(ends)[-1]):
            ends[progress.stage] = progress.overall
    return ends


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_the_parts_of_a_stage_follow_each_other_without_gaps(stage):
    places = list(stage.parts.values())
    if not places:
        assert stage.name == SOLVE  # which tells its own share
        return
    assert [begin for begin, _ in places] == [0.0, *(end for _, end in places[:-1])]
    assert places[-1][1] == 1.0


def test_the_stages_cover_the_whole_in_the_order_in_which_they_are_done():
    assert [stage.name for stage in STAGES] == [SOLVE, MASKS, TRAIN]
    assert sum(stage.weight for stage in STAGES) == pytest.approx(1.0)


def test_a_training_reports_every_part_of_its_stage_where_it_belongs(
    tiny_dataset, tmp_path, monkeypatch
):
    monkeypatch.setattr(far_radius, "STEPS", 20)
    config = configure("standard", steps=40, max_gaussians=4_000, backend="cpu")
    config = replace(
        config,
        geometry=replace(config.geometry, far_points=20),
        features=replace(config.features, steps=20),
        edges=replace(config.edges, steps=5),
    )
    stage = next(stage for stage in STAGES if stage.name == TRAIN)
    told: list[Progress] = []
    progress = StagedProgress([stage], told.append)
    train(tiny_dataset, tmp_path / "run", config, report=progress.begin(TRAIN))
    ends = ends_of_parts(stage, told)
    assert list(ends) == list(stage.parts)
    assert ends == pytest.approx({name: end for name, (_, end) in stage.parts.items()})


def test_making_masks_reports_every_part_of_its_stage(tmp_path):
    write_photo(tmp_path / "images" / "a.png", painted_photo())
    stage = next(stage for stage in STAGES if stage.name == MASKS)
    told: list[Progress] = []
    progress = StagedProgress([stage], told.append)
    make_masks(tmp_path, PaintedModel(), report=progress.begin(MASKS))
    ends = ends_of_parts(stage, told)
    assert list(ends) == list(stage.parts)
    assert ends == pytest.approx({name: end for name, (_, end) in stage.parts.items()})
