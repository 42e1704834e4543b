# SPDX-License-Identifier: GPL-3.0-or-later
"""Corrections of a run outlive every cut and every training."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from cgc_addon.cgc.clusters.cluster_file import read_all_clusters, read_clusters
from cgc_addon.cgc.corrections.records import Correction, read_corrections
from cgc_addon.cgc.corrections.shapes import shape_of
from cgc_addon.cgc.segments import read_segments
from cgc_addon.cli import main
from cgc_addon.splats.ply import read_ply
from cgc_addon.training.recutting import segment_again
from cgc_addon.training.run_folder import RunFolder

BALLS = ((0.7, 0.7), (-0.7, 0.7), (-0.7, -0.7), (0.7, -0.7))


@pytest.fixture(scope="module")
def trained(tiny_dataset, tmp_path_factory) -> RunFolder:
    """A short training of four balls on a board."""
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "run")
    assert main([*command(tiny_dataset, folder)]) == 0
    return folder


def command(dataset: Path, folder: RunFolder, *options: str) -> list[str]:
    steps = ["--preset", "draft", "--steps", "120", "--backend", "cpu"]
    return ["train", str(dataset), "-o", str(folder.path), *steps, *options]


@pytest.fixture
def folder(trained, tmp_path) -> RunFolder:
    shutil.copytree(trained.path, tmp_path / "run")
    return RunFolder(tmp_path / "run")


def id_of_ball(folder: RunFolder, number: int) -> int:
    """Return the segment that most Gaussians on a ball are of."""
    gaussians = read_ply(folder.splat).gaussians
    away = np.linalg.norm(gaussians.means - np.array([*BALLS[number], 0.35]), axis=1)
    return int(np.bincount(gaussians.segments[away < 0.4]).argmax())


def test_joined_objects_stay_joined_at_every_granularity(folder):
    first, second = id_of_ball(folder, 0), id_of_ball(folder, 2)
    before = read_ply(folder.splat).gaussians.segments
    wanted = np.isin(before, (first, second))
    assert first != second
    assert main(["segment", str(folder.path), "--join", str(first), str(second)]) == 0
    for granularity in ("0", "0.5", "1"):
        assert main(["segment", str(folder.path), "--granularity", granularity]) == 0
        labels = read_ply(folder.splat).gaussians.segments
        one = id_of_ball(folder, 0)
        assert np.array_equal(labels == one, wanted)
        assert read_segments(folder.segments)[one].pinned
    assert main(["segment", str(folder.path), "--forget", "1", "--granularity", "0.5"]) == 0
    assert read_corrections(folder.corrections) == ()
    assert np.array_equal(read_ply(folder.splat).gaussians.segments, before)


def test_the_cut_stays_where_it_was_and_clusters_of_training_are_kept(folder):
    main(["segment", str(folder.path), "--granularity", "0.2", "--min-size", "3"])
    found = read_clusters(folder.clusters)
    ids = id_of_ball(folder, 0), id_of_ball(folder, 1)
    assert main(["segment", str(folder.path), "--join", *map(str, ids)]) == 0
    cut = read_segments(folder.segments).cut
    assert cut is not None
    assert (cut.granularity, cut.minimum_size) == (0.2, 3)
    clusters = read_all_clusters(folder.clusters)
    assert np.array_equal(clusters.found, found[0])
    assert clusters.found_tree.count == found[1].count
    labels = clusters.tree.labels(
        clusters.labels, 0.2, 3, gaussians=read_ply(folder.splat).gaussians
    )
    assert np.array_equal(labels, read_ply(folder.splat).gaussians.segments)


def test_what_is_at_a_pixel_is_split_off_what_was_joined_by_the_tree(folder, capsys):
    ids = id_of_ball(folder, 0), id_of_ball(folder, 2)
    alone = read_ply(folder.splat).gaussians.segments == ids[1]
    main(["segment", str(folder.path), "--join", *map(str, ids)])
    gaussians = read_ply(folder.splat).gaussians
    joined = id_of_ball(folder, 0)
    x, y = pixel_of(folder, np.array([*BALLS[2], 0.6]))
    wrong = next(f"{other}@{x},{y},0003" for other in range(1, 5) if other != joined)
    assert main(["segment", str(folder.path), "--split", wrong]) == 1
    assert f"there is object {joined}" in " ".join(capsys.readouterr().err.split())
    assert main(["segment", str(folder.path), "--split", f"{joined}@{x},{y},0003"]) == 0
    assert "contradicts correction 1" in " ".join(capsys.readouterr().err.split())
    labels = read_ply(folder.splat).gaussians.segments
    assert id_of_ball(folder, 0) != id_of_ball(folder, 2)
    part = labels == id_of_ball(folder, 2)
    assert (part & alone).sum() / (part | alone).sum() > 0.9
    assert np.array_equal(part | (labels == id_of_ball(folder, 0)), gaussians.segments == joined)
    main(["segment", str(folder.path), "--corrections"])
    listed = capsys.readouterr().out
    assert "1: join" in listed
    assert f"2: split {joined} (Segment {joined:03d}) at {x:g},{y:g} of 0003" in listed


def pixel_of(folder: RunFolder, point: np.ndarray) -> tuple[float, float]:
    from cgc_addon.dataset.load import load_dataset

    view = load_dataset(folder.read_config()[0]).scene.views[3]
    x, y, z = view.world_to_camera[:3, :3] @ point + view.world_to_camera[:3, 3]
    camera = view.camera
    return round(camera.fx * x / z + camera.cx, 1), round(camera.fy * y / z + camera.cy, 1)


@pytest.mark.slow
@pytest.mark.parametrize("options", [("--resume",), ("--overwrite", "--seed", "5")])
def test_a_training_of_the_same_folder_keeps_them(folder, tiny_dataset, options):
    ids = id_of_ball(folder, 0), id_of_ball(folder, 2)
    main(["segment", str(folder.path), "--join", *map(str, ids)])
    before = read_ply(folder.splat).gaussians
    assert main(command(tiny_dataset, folder, *options)) == 0
    after = read_ply(folder.splat).gaussians
    if "--overwrite" in options:
        assert not np.array_equal(after.means, before.means)
    assert id_of_ball(folder, 0) == id_of_ball(folder, 2)
    assert id_of_ball(folder, 0) not in (id_of_ball(folder, 1), id_of_ball(folder, 3), 0)
    assert len(read_corrections(folder.corrections)) == 1
    main(["segment", str(folder.path), "--forget", "all"])
    assert id_of_ball(folder, 0) != id_of_ball(folder, 2)


def test_an_object_that_is_not_in_the_splat_is_said(folder):
    means = read_ply(folder.splat).gaussians.means
    gone = Correction("object", "add 1,2 of a", shape_of(means + 50, np.arange(len(means)) < 40))
    said: list[str] = []
    before = read_ply(folder.splat).gaussians.segments
    segment_again(folder, corrections=[gone], say=said.append)
    assert said == [
        "Correction 1 (add 1,2 of a) is of something that is not in this splat; it has no effect."
    ]
    assert np.array_equal(read_ply(folder.splat).gaussians.segments, before)


def test_what_is_wrong_changes_nothing(folder, capsys):
    files = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    for options, said in (
        (["--join", "1", "99"], "no object 99"),
        (["--join", "1", "1"], "one object already"),
        (["--forget", "1"], "this run has none"),
        (["--split", "1@500,2,0003"], "outside the view"),
        (["--split", "1@5,2,none"], "no view none"),
        (["--name", "Cup", "--join", "1", "2"], "are for one --add"),
        (["--negative", "1,2,0003"], "are for one --add"),
    ):
        assert main(["segment", str(folder.path), *options]) == 1
        assert said in " ".join(capsys.readouterr().err.split())
    changed = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    assert changed.keys() - {"train.lock"} == files.keys() - {"train.lock"}
    assert all(changed[name] == files[name] for name in files if name != "train.lock")


@pytest.mark.parametrize(
    "wrong", [("--split", "1"), ("--split", "a@1,2,b"), ("--add", "1,2"), ("--forget", "none")]
)
def test_what_cannot_be_meant_is_refused(folder, wrong, capsys):
    assert main(["segment", str(folder.path), *wrong]) == 2
    assert wrong[0] in capsys.readouterr().err
