# SPDX-License-Identifier: GPL-3.0-or-later
"""A run is cut again without training, and its files then say where."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cgc_addon.cgc.clusters.cluster_file import read_clusters
from cgc_addon.cgc.segments import Cut, read_segments
from cgc_addon.cli import main
from cgc_addon.errors import CgcError
from cgc_addon.results.sources import read_splat
from cgc_addon.splats.ply import read_ply, write_ply
from cgc_addon.training.recutting import segment_again
from cgc_addon.training.run_folder import RunFolder
from cgc_addon.training.run_lock import locked

from ..kills import killed_before

EARLIER = Path(__file__).parents[1] / "earlier_versions" / "0.1.0"


@pytest.fixture
def folder(tmp_path):
    """A run of 0.1.0, configured for 0.5 and 10, and last cut at 0.9 and 12."""
    return copied(tmp_path / "run")


def copied(path: Path) -> RunFolder:
    """Copy that run, its Gaussians so large that each segment hangs together."""
    shutil.copytree(EARLIER / "run", path)
    gaussians = read_ply(path / "splat.ply").gaussians
    write_ply(path / "splat.ply", replace(gaussians, log_scales=gaussians.log_scales + 2))
    return RunFolder(path)


@pytest.mark.parametrize(
    ("asked", "cut", "counts"),
    [
        ({}, Cut(0.5, 10), [70, 35, 12]),
        ({"granularity": 0.0}, Cut(0.0, 10), [40, 30, 20, 15, 12]),
        ({"minimum_size": 20}, Cut(0.5, 20), [70, 35]),
        ({"granularity": 0.9, "minimum_size": 12}, Cut(0.9, 12), [105, 12]),
    ],
)
def test_a_cut_is_as_asked_for_or_else_as_configured_and_is_written_down(
    folder, asked, cut, counts
):
    segments = segment_again(folder, **asked)
    assert segments.cut == cut
    assert [segment.count for segment in segments.segments] == counts
    assert read_segments(folder.segments) == segments
    assert json.loads(folder.segments.read_text("utf-8"))["version"] == 2
    gaussians = read_ply(folder.splat).gaussians
    clusters, tree = read_clusters(folder.clusters)
    expected = tree.labels(clusters, cut.granularity, cut.minimum_size, gaussians=gaussians)
    assert np.array_equal(gaussians.segments, expected)


def test_what_floats_apart_from_its_segment_belongs_to_none(folder):
    gaussians = read_ply(folder.splat).gaussians
    clusters, _ = read_clusters(folder.clusters)
    means = gaussians.means.copy()
    floating = np.flatnonzero(clusters == 2)[:1]
    means[floating] += 100
    write_ply(folder.splat, replace(gaussians, means=means))
    assert [one.count for one in segment_again(folder).segments] == [69, 35, 12]
    assert read_ply(folder.splat).gaussians.segments[floating] == 0


def test_a_cut_as_before_leaves_the_segments_as_they_were(folder):
    before = read_ply(folder.splat).gaussians
    listed = read_segments(folder.segments).segments
    assert segment_again(folder, granularity=0.9, minimum_size=12).segments == listed
    after = read_ply(folder.splat).gaussians
    assert np.array_equal(after.segments, before.segments)
    assert np.array_equal(after.means, before.means)


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_a_kill_while_cutting_never_parts_the_splat_from_its_segments(tmp_path):
    outcomes = set()
    change = 0
    while True:
        change += 1
        folder = copied(tmp_path / str(change))
        killed = killed_before(
            change, lambda folder=folder: segment_again(folder, granularity=0.0, minimum_size=10)
        )
        labels = read_splat(folder).segments  # the next command, of whatever kind
        assert labels is not None
        listed = [one.count for one in read_segments(folder.segments).segments]
        assert np.bincount(labels)[1:].tolist() == listed
        outcomes.add(tuple(listed))
        if not killed:
            break
    assert outcomes == {(105, 12), (40, 30, 20, 15, 12)}


def test_a_run_that_is_being_trained_is_not_cut(folder, capsys):
    before = folder.splat.read_bytes()
    with locked(folder.path):
        assert main(["segment", str(folder.path), "--granularity", "0"]) == 1
    assert "is being trained by process" in capsys.readouterr().err
    assert folder.splat.read_bytes() == before
    assert main(["segment", str(folder.path), "--granularity", "0"]) == 0


def test_what_is_no_run_is_not_made_one_by_cutting_it(tmp_path, capsys):
    assert main(["segment", str(tmp_path / "none")]) == 1
    assert "does not exist; train first" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_clusters_of_another_splat_are_not_cut(folder):
    """Left where photos lost their masks: the splat then has no features."""
    write_ply(folder.splat, replace(read_ply(folder.splat).gaussians, features=None))
    with pytest.raises(CgcError, match="has no features"):
        segment_again(folder)
