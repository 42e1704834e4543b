# SPDX-License-Identifier: GPL-3.0-or-later
"""What a new run does with the folder of an earlier one."""

from __future__ import annotations

import shutil
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cgc_addon.cgc.clusters.cluster_file import read_clusters
from cgc_addon.cgc.segments import read_segments
from cgc_addon.dataset.mask_answers import checksum, pack_masks, write_answers
from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.state_clock import StateClock
from cgc_addon.training import far_radius, matching_state, pipeline, stage_state
from cgc_addon.training.checkpoint import load_checkpoint
from cgc_addon.training.config import TrainingConfig
from cgc_addon.training.far_radius import RADII
from cgc_addon.training.pipeline import train
from cgc_addon.training.presets import preset
from cgc_addon.training.run_folder import RunFolder

FILES = (
    *("config", "splat", "segments", "clusters", "checkpoint", "checkpoint_summary"),
    *("metrics", "log", "preview", "evaluation"),
    *("matching", "background_trials", "background_state", "feature_state", "edge_state"),
    *("looking_state", "finding_state", "shown_state", "edge_target_state", "looking_again_state"),
)
CONFIG = replace(preset("draft", steps=20), backend="cpu")


@pytest.fixture
def earlier(tmp_path) -> RunFolder:
    """A folder with every file that a run leaves, all of them stale."""
    folder = RunFolder(tmp_path)
    for name in FILES:
        getattr(folder, name).write_text("stale")
    return folder


def test_every_file_of_a_run_is_known_here() -> None:
    paths = {name for name, value in vars(RunFolder).items() if isinstance(value, property)}
    paths -= {"stage_states"}  # several of them
    paths -= {"corrections"}  # those of a person stay, whatever is trained anew
    assert paths == set(FILES)
    assert [field.name for field in fields(RunFolder)] == ["path"]


def test_starting_anew_leaves_nothing_of_the_run_before(earlier, tiny_dataset) -> None:
    config = replace(CONFIG, geometry=replace(CONFIG.geometry, surface_share=0.0))
    with pytest.raises(Interrupted):
        train(tiny_dataset, earlier.path, config, overwrite=True, should_stop=lambda: True)
    stale = [
        path.name
        for path in earlier.path.iterdir()
        if path.is_file() and path.read_bytes() == b"stale"
    ]
    assert stale == []
    assert not earlier.segments.exists()
    assert not earlier.clusters.exists()
    assert earlier.read_config()[1] == config


def test_stopping_before_a_run_begins_leaves_the_one_before(earlier, tiny_dataset) -> None:
    with pytest.raises(Interrupted):
        train(tiny_dataset, earlier.path, CONFIG, overwrite=True, should_stop=lambda: True)
    assert all(path.read_bytes() == b"stale" for path in earlier.path.iterdir() if path.is_file())


def test_without_being_told_to_nothing_is_touched(earlier, tiny_dataset) -> None:
    with pytest.raises(CgcError, match="already holds a run; use --resume"):
        train(tiny_dataset, earlier.path, CONFIG)
    assert all(getattr(earlier, name).read_text() == "stale" for name in FILES)


@pytest.mark.parametrize("place", [".", "images", "masks/run", "sparse"])
def test_a_run_never_begins_among_what_it_is_trained_on(tiny_dataset, place) -> None:
    before = sorted(path.name for path in tiny_dataset.rglob("*"))
    with pytest.raises(CgcError, match="belongs to the dataset; name a folder of its own"):
        train(tiny_dataset, tiny_dataset / place, CONFIG, overwrite=True)
    assert sorted(path.name for path in tiny_dataset.rglob("*")) == before


def test_input_that_cannot_be_used_leaves_the_run_before(earlier, tmp_path) -> None:
    with pytest.raises(CgcError):
        train(tmp_path / "nowhere", earlier.path, CONFIG, overwrite=True)
    assert all(getattr(earlier, name).read_text() == "stale" for name in FILES)


def test_a_run_started_anew_is_the_one_that_a_new_folder_gets(tiny_dataset, tmp_path) -> None:
    train(tiny_dataset, tmp_path / "new", CONFIG)
    train(tiny_dataset, tmp_path / "used", replace(CONFIG, seed=5))
    before = (tmp_path / "used" / "splat.ply").read_bytes()
    train(tiny_dataset, tmp_path / "used", CONFIG, overwrite=True)
    after = (tmp_path / "used" / "splat.ply").read_bytes()
    assert after == (tmp_path / "new" / "splat.ply").read_bytes()
    assert after != before


def test_masks_of_one_object_separate_it_from_the_rest(tiny_dataset, tmp_path) -> None:
    folder = shutil.copytree(tiny_dataset, tmp_path / "one object")
    for path in (folder / "masks").iterdir():
        ids = np.asarray(Image.open(folder / "gt" / path.name))
        Image.fromarray(np.uint8(255 * (ids == 1))).save(path)
    said: list[str] = []
    train(folder, tmp_path / "run", CONFIG, say=said.append)
    assert "Masks show one object in each photo, which is told apart from the rest." in said
    assert len(read_segments(RunFolder(tmp_path / "run").segments).segments) == 2


def test_answers_of_the_mask_model_take_part_unless_told_not_to(tiny_dataset, tmp_path) -> None:
    """With them, clusters are in pieces, of which the tree makes segments."""
    folder = shutil.copytree(tiny_dataset, tmp_path / "answered")
    for path in (folder / "masks").iterdir():
        ids = np.asarray(Image.open(path)).astype(np.uint16)
        masks = np.stack([ids == one for one in np.unique(ids[ids > 0])])
        answers = pack_masks(masks, np.full(len(masks), 0.9), np.full(len(masks), 0.9))
        answers = replace(answers, map_checksum=checksum(ids))
        write_answers(folder / "masks_answers" / f"{path.stem}.npz", answers)
    counts = {}
    for evidence in ("maps", "answers"):
        config = replace(CONFIG, segments=replace(CONFIG.segments, evidence=evidence))
        run = RunFolder(tmp_path / evidence)
        train(folder, run.path, config)
        counts[evidence] = read_clusters(run.clusters)[1].count
        assert len(read_segments(run.segments).segments) >= 2
    assert counts["answers"] > counts["maps"]


def test_a_start_that_fails_leaves_no_half_of_two_runs(earlier, tiny_dataset, monkeypatch) -> None:
    """The old settings without the old results would be taken for a run to go on with."""

    def full_disk(*_arguments) -> None:
        raise CgcError("No space left on device.")

    monkeypatch.setattr(RunFolder, "start", full_disk)
    with pytest.raises(CgcError, match="No space left"):
        train(tiny_dataset, earlier.path, CONFIG, overwrite=True)
    assert not earlier.config.exists()


class Killed(BaseException):
    """Ends a training where a kill would."""


@pytest.fixture(scope="module")
def with_edges() -> TrainingConfig:
    """A run with all stages."""
    config = replace(preset("standard", steps=30), backend="cpu")
    return replace(config, edges=replace(config.edges, steps=30))


@pytest.fixture(scope="module")
def undisturbed(tiny_dataset, with_edges, tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("undisturbed")
    train(tiny_dataset, run, with_edges)
    return run


@pytest.mark.parametrize(
    ("stage", "done"),
    [
        ("Matching photos", 7),
        ("Placing the background", 220),
        ("Looking at the masks", 8),
        ("Learning features", 150),
        ("Reading edges", 6),
        ("Sharpening edges", 20),
    ],
)
def test_a_kill_costs_little_of_each_stage_and_changes_nothing(
    tiny_dataset, with_edges, undisturbed, tmp_path, stage, done
) -> None:
    run = tmp_path / "run"

    def kill(progress) -> None:
        if progress.stage == stage and progress.done >= done:
            raise Killed

    with pytest.raises(Killed):
        train(tiny_dataset, run, with_edges, checkpoint_seconds=0.0, report=kill)
    messages = []
    train(tiny_dataset, run, with_edges, resume=True, report=messages.append)
    again = [message.done for message in messages if message.stage == stage]
    assert again[0] >= done
    for name in ("splat.ply", "segments.json", "clusters.npz", "matching.safetensors"):
        assert (run / name).read_bytes() == (undisturbed / name).read_bytes(), name
    assert not any(path.exists() for path in RunFolder(run).stage_states)


def test_what_took_long_is_not_done_again_after_a_kill(
    tiny_dataset, with_edges, undisturbed, tmp_path
) -> None:
    """Stages that are over by then; as long as a whole stage of a large capture takes."""

    def kill(progress) -> None:
        if progress.stage == "Sharpening edges" and progress.done >= 20:
            raise Killed

    with pytest.raises(Killed):
        train(tiny_dataset, tmp_path, with_edges, checkpoint_seconds=0.0, report=kill)
    messages = []
    train(tiny_dataset, tmp_path, with_edges, resume=True, report=messages.append)
    stages = dict.fromkeys(message.stage for message in messages)
    assert "Clustering features" not in stages
    assert "Matching photos" not in stages
    for stage in ("Looking for what no photo shows", "Reading edges", "Learning features"):
        assert {one.done for one in messages if one.stage == stage} <= {12, 400}
    assert (tmp_path / "splat.ply").read_bytes() == (undisturbed / "splat.ply").read_bytes()


def test_a_complete_run_keeps_the_gains_and_matches_no_photos_again(
    tiny_dataset, with_edges, undisturbed, tmp_path
) -> None:
    run = shutil.copytree(undisturbed, tmp_path / "run")
    kept = load_checkpoint(RunFolder(run).matching, torch.device("cpu")).tensors
    assert list(kept) == ["gains"]
    messages = []
    train(tiny_dataset, run, with_edges, resume=True, report=messages.append)
    assert "Matching photos" not in {one.stage for one in messages}
    for name in ("splat.ply", "segments.json", "matching.safetensors"):
        assert (run / name).read_bytes() == (undisturbed / name).read_bytes(), name


def test_whenever_a_long_run_is_killed_20_seconds_of_work_are_lost_at_most(
    tiny_dataset, tmp_path, monkeypatch
) -> None:
    """Steps take as long as those of a million Gaussians, by a clock that they turn."""
    run = RunFolder(tmp_path)
    photos, steps = 12, 60
    pairs = steps // 2  # two photos go together in training
    states = [(run.matching, photos)] + [(run.background_state, pairs)] * len(RADII)
    states += [(run.checkpoint, pairs), (run.looking_state, photos), (run.feature_state, 400)]
    states += [(run.finding_state, 0), (run.shown_state, photos), (run.edge_target_state, photos)]
    states += [(run.edge_state, pairs), (run.looking_again_state, photos)]
    random, now, lost = np.random.default_rng(0), [0.0], []

    def done(state) -> int:
        """Return how many steps of a stage are kept."""
        if not state.exists():
            return 0
        found = load_checkpoint(state, torch.device("cpu"))
        if state == run.matching:
            return sum(name.startswith("planes.") for name in found.tensors)
        return found.values["step"]

    class Watched(StateClock):
        """Looks at what a kill would lose, at the end of each step."""

        def __init__(self, seconds: float, _clock: object = None) -> None:
            super().__init__(seconds, lambda: now[0])
            self.state, self.steps = states[len(lost)]
            self.ends, self.lost = [now[0]], []
            lost.append(self.lost)

        def due(self) -> bool:
            # A picture of each photo takes longer than a step.
            now[0] += random.uniform(1.0, 1.5) * (4.0 if self.steps == photos else 1.0)
            self.ends += [now[0]] * (2 if self.steps == pairs else 1)
            self.lost.append(now[0] - self.ends[done(self.state)])
            return super().due()

    for module in (pipeline, stage_state, matching_state):
        monkeypatch.setattr(module, "StateClock", Watched)
    monkeypatch.setattr(far_radius, "STEPS", steps)
    monkeypatch.setattr(far_radius, "FEWEST_STEPS", steps)  # no background is given up
    config = replace(preset("standard", steps=steps), backend="cpu")
    config = replace(config, edges=replace(config.edges, steps=steps))
    train(tiny_dataset, run.path, config)
    assert [len(stage) for stage in lost] == [count for _, count in states]
    assert all(max(stage, default=20.0) > 12.0 for stage in lost)  # some of it is kept
    assert all(max(stage, default=0.0) <= 20.0 for stage in lost)


def test_masks_that_changed_after_a_kill_are_learned_anew(tiny_dataset, tmp_path) -> None:
    """A state of other masks would be taken for theirs."""
    dataset = tmp_path / "dataset"
    shutil.copytree(tiny_dataset, dataset)

    def kill(progress) -> None:
        if progress.stage == "Learning features" and progress.done >= 100:
            raise Killed

    with pytest.raises(Killed):
        train(dataset, tmp_path / "run", CONFIG, checkpoint_seconds=0.0, report=kill)
    for path in sorted((dataset / "masks").glob("*.png"))[:6]:
        path.unlink()
    messages = []
    train(dataset, tmp_path / "run", CONFIG, resume=True, report=messages.append)
    assert next(one.done for one in messages if one.stage == "Learning features") == 0


def test_the_cap_holds_from_the_start(tiny_dataset, tmp_path) -> None:
    """The capture has 300 points; a dense cloud has millions."""
    densify = replace(CONFIG.geometry.densify, cap=100)
    config = replace(CONFIG, geometry=replace(CONFIG.geometry, densify=densify))
    told = []
    summary = train(tiny_dataset, tmp_path, config, say=told.append)
    assert 80 <= summary.gaussians <= 100
    assert any("300 points are more than the cap of 100" in sentence for sentence in told)


@pytest.mark.parametrize(
    ("stage", "done"),
    [("Placing the background", 100), ("Training", 10), ("Learning features", 100)],
)
def test_a_run_folder_that_is_deleted_does_not_come_back_as_half_a_run(
    tiny_dataset, tmp_path, stage, done
) -> None:
    run = tmp_path / "run"

    def delete(progress) -> None:
        if progress.stage == stage and progress.done >= done and run.exists():
            shutil.rmtree(run)

    with pytest.raises(CgcError, match=r"deleted or moved while|could not be written"):
        train(tiny_dataset, run, CONFIG, checkpoint_seconds=0.0, report=delete)
    assert not run.exists()
