# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run says after segments were written into it is what the .blend shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.parts import new_capture, segment_collections
from cgc_addon.blender.common.access import of_collection
from cgc_addon.blender.segments import edits
from cgc_addon.blender.segments.build import build_segments
from cgc_addon.blender.segments.data import all_segments, count_of, splats_of
from cgc_addon.blender.segments.recut import recut
from cgc_addon.blender.segments.run_files import read_run
from cgc_addon.blender.segments.write_run import keep_for_training, write_to_run
from cgc_addon.blender.splats.objects import clusters_of, data_of, indices_of
from cgc_addon.cgc.clusters.cluster_file import read_all_clusters
from cgc_addon.cgc.corrections.apply import correct
from cgc_addon.cgc.corrections.records import read_corrections
from cgc_addon.cgc.segments import read_segments
from cgc_addon.errors import CgcError
from cgc_addon.splats.ply import read_ply

from .tea_set import segment, tea_set


@pytest.fixture
def run(write_run: Callable[..., Path]) -> Path:
    return write_run()


def edit(capture) -> None:
    """Give a third of segment 1 to 2, a fifth of 2 to none; name and colour 1."""
    (first,) = splats_of(segment(capture, 1))
    edits.assign(
        capture, {first: np.arange(len(data_of(first).points)) % 3 == 0}, segment(capture, 2)
    )
    (second,) = splats_of(segment(capture, 2))
    edits.unassign(capture, {second: np.arange(len(data_of(second).points)) % 5 == 0})
    edits.rename_segment(segment(capture, 1), "Teapot")
    of_collection(segment(capture, 1)).color = (0.2, 0.4, 0.6)


def owners(capture) -> dict[int, int]:
    return {
        int(index): of_collection(collection).segment
        for collection in all_segments(capture)
        for item in splats_of(collection)
        for index in indices_of(item)
    }


def described(capture) -> list[tuple]:
    return [
        (
            of_collection(one).segment,
            one.name.split(".")[0],
            tuple(round(255 * value) for value in of_collection(one).color),
            of_collection(one).pinned,
            count_of(one),
        )
        for one in segment_collections(capture)
    ]


def imported(run: Path):
    capture = new_capture(bpy.context.scene, "again", None)
    build_segments(bpy.context.scene, capture, read_run(run))
    return capture


def test_the_run_says_what_the_file_shows_and_says_it_to_the_next_import(run: Path) -> None:
    capture = tea_set(run)
    edit(capture)
    assert bpy.ops.cgc.write_segments_to_run(directory=str(run)) == {"FINISHED"}
    expected = owners(capture)
    labels = read_ply(run / "splat.ply").gaussians.segments
    assert labels.tolist() == [expected[index] for index in range(len(labels))]
    listed = read_segments(run / "segments.json")
    assert listed.edited
    assert [(s.id, s.name, s.color, s.pinned, s.count) for s in listed.segments] == described(
        capture
    )
    again = imported(run)
    assert owners(again) == expected
    assert described(again) == described(capture)
    assert (of_collection(again).granularity, of_collection(again).minimum_size) == (0.5, 10)


def test_what_was_done_by_hand_outlasts_a_recut_after_the_import(run: Path) -> None:
    capture = tea_set(run)
    edit(capture)
    write_to_run(capture, run)
    again = imported(run)
    before, pinned = owners(again), owners(capture)
    assert read_run(run).notes == ()
    recut(again, 0.5, 10)
    assert owners(again) == before
    recut(again, 0.0, 1)
    kept = {index for index, number in pinned.items() if number == 2}
    after = owners(again)
    assert {index for index, number in after.items() if number == 2} == kept
    unassigned = {index for index, number in pinned.items() if number == 0}
    (rest,) = splats_of(segment(again, 0))
    in_none = set(indices_of(rest)[clusters_of(rest) == 0].tolist())
    by_hand = unassigned - {index for index, number in owners_of_run(run).items() if number == 0}
    assert by_hand <= in_none


def owners_of_run(run: Path) -> dict[int, int]:
    """Return the segments that the tree of a run gives at the granularity it was cut at."""
    from cgc_addon.cgc.clusters.cluster_file import read_clusters

    clusters, tree = read_clusters(run / "clusters.npz")
    return dict(enumerate(tree.labels(clusters, 0.5, 10).tolist()))


def test_what_was_made_by_hand_becomes_corrections_that_every_cut_of_the_run_has(run: Path) -> None:
    capture = tea_set(run)
    before = owners(capture)
    edit(capture)
    expected = owners(capture)
    write_to_run(capture, run)
    made = read_corrections(run / "corrections.npz")
    assert [one.kind for one in made] == ["unassign", "object"]
    assert made[1].color is not None
    clusters = read_all_clusters(run / "clusters.npz")
    means = read_ply(run / "splat.ply").gaussians.means
    corrected = correct(clusters.found, clusters.found_tree, means, made)
    second = [index for index, number in expected.items() if number == 2]
    unassigned = [i for i, number in expected.items() if number == 0 and before[i] > 0]
    for granularity in (0.0, 0.5, 1.0):
        labels = corrected.tree.labels(corrected.labels, granularity, 10)
        assert len(set(labels[second].tolist())) == 1
        assert (labels == labels[second[0]]).sum() == len(second)
        assert not labels[unassigned].any()
    write_to_run(capture, run)  # again: nothing is there twice
    assert len(read_corrections(run / "corrections.npz")) == 2


def test_before_a_training_what_was_made_by_hand_is_kept(run: Path) -> None:
    capture = tea_set(run)
    of_collection(capture).run = str(run)
    assert keep_for_training(bpy.context.scene, run) == ""
    assert not (run / "corrections.npz").exists()  # nothing is pinned
    edits.split_segment(capture, segment(capture, 1))
    assert keep_for_training(bpy.context.scene, run) == ""
    assert len(read_corrections(run / "corrections.npz")) == 2
    assert keep_for_training(bpy.context.scene, run.parent / "another") == ""
    tree = of_collection(capture).merge_tree
    of_collection(capture).merge_tree = tree.replace('"count":6', '"count":7')
    assert "is not kept" in keep_for_training(bpy.context.scene, run)


def test_importing_over_what_was_written_changes_nothing(run: Path) -> None:
    capture = tea_set(run)
    edit(capture)
    (item,) = splats_of(segment(capture, 2))
    item.location = (1.0, 2.0, 3.0)
    write_to_run(capture, run)
    before = described(capture)
    built = build_segments(bpy.context.scene, capture, read_run(run))
    assert (built.kept, built.made, built.removed) == (3, 0, 0)
    assert described(capture) == before
    assert tuple(item.location) == (1.0, 2.0, 3.0)


def test_deleted_gaussians_are_in_none_and_copies_count_once(run: Path) -> None:
    capture = tea_set(run)
    deleted = {index for index, number in owners(capture).items() if number == 3}
    edits.delete_segments([segment(capture, 3)])
    (item,) = splats_of(segment(capture, 1))
    copied = item.copy()
    segment(capture, 2).objects.link(copied)
    written = write_to_run(capture, run)
    assert (written.segments, written.missing, written.twice) == (2, 12, 70)
    labels = read_ply(run / "splat.ply").gaussians.segments
    assert not labels[sorted(deleted)].any()
    assert (labels == 1).sum() == 70


def test_another_run_is_left_alone(run: Path, write_run: Callable[..., Path]) -> None:
    capture = tea_set(run)
    edit(capture)
    for other in (write_run("other", seed=1), write_run("no clusters", seed=2, segmented=False)):
        files = {path.name: path.read_bytes() for path in other.iterdir()}
        with pytest.raises(CgcError, match="did not come from"):
            write_to_run(capture, other)
        assert {path.name: path.read_bytes() for path in other.iterdir()} == files
    of_collection(capture).run = ""
    with pytest.raises(RuntimeError, match="came from no run"):
        bpy.ops.cgc.write_segments_to_run()
    with pytest.raises(RuntimeError, match="is not a run folder"):
        bpy.ops.cgc.write_segments_to_run(directory=str(run / "none"))
