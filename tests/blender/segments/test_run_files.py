# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs and splats are read as far as they go; what does not fit is said, never guessed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

from cgc_addon.blender.segments.run_files import read_run
from cgc_addon.cgc.clusters.cluster_file import read_clusters, write_clusters
from cgc_addon.errors import CgcError
from cgc_addon.splats.ply import read_ply, write_ply

EARLIER = Path(__file__).parents[2] / "earlier_versions"


def rewrite(splat: Path, **changes: object) -> None:
    write_ply(splat, replace(read_ply(splat).gaussians, **changes))


def test_a_run_is_read_whole(write_run, tmp_path: Path) -> None:
    folder = write_run(dataset=tmp_path / "tea set")
    run = read_run(folder)
    assert run.path == folder
    assert run.name == "tea set"
    assert run.dataset == tmp_path / "tea set"
    assert [(one.id, one.name, one.count) for one in run.segments.segments] == [
        (1, "Segment 001", 70),
        (2, "Segment 002", 35),
        (3, "Segment 003", 12),
    ]
    assert np.bincount(run.clusters).tolist() == [7, 40, 30, 20, 15, 12, 5]
    assert run.tree.merges.tolist() == [[1, 2], [3, 4], [1, 3]]
    assert (run.granularity, run.minimum_size, run.notes) == (0.5, 10, ())


def test_the_splat_of_a_run_means_the_run(write_run) -> None:
    folder = write_run()
    assert read_run(folder / "splat.ply").path == folder


def test_a_run_that_was_stopped_before_segments_has_none(write_run) -> None:
    run = read_run(write_run(segmented=False))
    assert not run.gaussians.segments.any()
    assert not run.clusters.any()
    assert (len(run.segments), run.tree.count, run.notes) == (0, 0, ())


def test_what_an_earlier_run_left_in_the_folder_is_not_used(write_run) -> None:
    folder = write_run()
    run = read_run(write_run(segmented=False))
    assert (folder / "clusters.npz").is_file()
    assert (len(run.segments), run.tree.count, run.notes) == (0, 0, ())


def test_segments_of_a_lone_splat_are_its_clusters(write_run, tmp_path: Path) -> None:
    gaussians = read_ply(write_run() / "splat.ply").gaussians
    write_ply(tmp_path / "lone.ply", replace(gaussians, segments=gaussians.segments * 5))
    run = read_run(tmp_path / "lone.ply")
    assert run.name == "lone"
    assert run.dataset is None
    assert [one.name for one in run.segments.segments] == [
        "Segment 005",
        "Segment 010",
        "Segment 015",
    ]
    assert len({one.color for one in run.segments.segments}) == 3
    assert np.array_equal(run.clusters, run.gaussians.segments)
    assert len(run.tree.merges) == 0
    recut = run.tree.labels(run.clusters, 1.0, run.minimum_size)
    assert len(np.unique(recut)) == len(np.unique(run.clusters))


def test_small_segments_of_a_lone_splat_do_not_count_as_too_small(write_run, tmp_path) -> None:
    gaussians = read_ply(write_run() / "splat.ply").gaussians
    segments = np.zeros(len(gaussians), np.int32)
    segments[:3] = 1
    write_ply(tmp_path / "lone.ply", replace(gaussians, segments=segments))
    assert read_run(tmp_path / "lone.ply").minimum_size == 3


def test_numbers_that_label_maps_cannot_hold_are_given_anew(write_run, tmp_path: Path) -> None:
    gaussians = read_ply(write_run() / "splat.ply").gaussians
    write_ply(tmp_path / "lone.ply", replace(gaussians, segments=gaussians.segments * 70_000))
    run = read_run(tmp_path / "lone.ply")
    assert np.array_equal(run.gaussians.segments, gaussians.segments)
    assert "numbered anew" in run.notes[0]


def test_segments_that_segments_json_does_not_list_are_named_anyway(write_run) -> None:
    folder = write_run()
    labels = read_ply(folder / "splat.ply").gaussians.segments
    (folder / "clusters.npz").unlink()
    rewrite(folder / "splat.ply", segments=np.where(labels == 2, 9, labels))
    run = read_run(folder)
    assert [one.id for one in run.segments.segments] == [1, 3, 9]
    assert run.segments[9].name == "Segment 009"


@pytest.mark.parametrize("what", ["fewer", "others"])
def test_clusters_of_another_splat_are_not_used(write_run, what: str) -> None:
    folder = write_run()
    clusters, tree = read_clusters(folder / "clusters.npz")
    clusters = clusters[:-1] if what == "fewer" else np.roll(clusters, 1)
    write_clusters(folder / "clusters.npz", clusters, tree)
    run = read_run(folder)
    assert "clusters.npz does not belong to splat.ply" in run.notes[0]
    assert np.array_equal(run.clusters, run.gaussians.segments)


@pytest.mark.parametrize("granularity", [0.0, 0.1, 0.5, 0.7, 1.0])
def test_where_the_tree_was_cut_is_taken_from_segments_json(write_run, granularity: float) -> None:
    run = read_run(write_run(granularity=granularity, minimum_size=12))
    assert (run.granularity, run.minimum_size) == (granularity, 12)


@pytest.mark.parametrize("granularity", [0.0, 0.1, 0.5, 0.7, 1.0])
def test_the_granularity_is_found_from_segments_that_do_not_tell_it(
    write_run, granularity: float
) -> None:
    """In 0.1.0 the verb `segment` cut a run anew, and kept no record of where."""
    run = read_run(write_run(granularity=granularity, tells_cut=False))
    recut = run.tree.labels(run.clusters, run.granularity, run.minimum_size)
    assert np.array_equal(recut, run.gaussians.segments)
    assert (run.granularity == 0.5) == (granularity == 0.5)


def test_a_run_of_an_earlier_version_keeps_its_segments() -> None:
    """Cut by `segment --granularity 0.9 --min-size 12`, which its files do not tell."""
    run = read_run(EARLIER / "0.1.0" / "run")
    counts = np.bincount(run.gaussians.segments)
    assert [(one.id, one.count) for one in run.segments.segments] == [(1, 105), (2, 12)]
    assert counts.tolist() == [len(run.gaussians) - 117, 105, 12]
    recut = run.tree.labels(run.clusters, run.granularity, run.minimum_size)
    assert np.array_equal(recut, run.gaussians.segments)
    assert run.dataset == Path("/captures/tiny")
    assert run.notes == ()


def test_damaged_gaussians_are_left_out_and_said(write_run) -> None:
    folder = write_run()
    means = read_ply(folder / "splat.ply").gaussians.means.copy()
    means[3] = np.nan
    rewrite(folder / "splat.ply", means=means)
    run = read_run(folder)
    assert len(run.gaussians) == len(run.clusters) == len(means) - 1
    assert any("1 damaged" in note for note in run.notes)


def test_what_is_missing_is_said(write_run, tmp_path: Path) -> None:
    folder = write_run()
    (folder / "splat.ply").unlink()
    with pytest.raises(CgcError, match=r"holds no splat\.ply yet"):
        read_run(folder)
    with pytest.raises(CgcError, match="is not a run folder"):
        read_run(tmp_path)
    with pytest.raises(CgcError, match="is missing"):
        read_run(tmp_path / "nothing.ply")


def test_a_config_that_makes_no_sense_changes_nothing(write_run) -> None:
    folder = write_run()
    (folder / "config.json").write_text('{"dataset": 3, "segments": {"granularity": "much"}}')
    run = read_run(folder)
    assert (run.dataset, run.granularity, run.minimum_size) == (None, 0.5, 10)
    assert run.name == "run"
