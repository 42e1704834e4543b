# SPDX-License-Identifier: GPL-3.0-or-later
"""What people do to segments by hand: nothing moves in the world, and no recut undoes it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.parts import new_capture, segment_collections
from cgc_addon.blender.common.access import of_collection
from cgc_addon.blender.output.placed_splats import gather, visible_splats
from cgc_addon.blender.segments.build import build_segments
from cgc_addon.blender.segments.data import all_segments, count_of, splats_of, unassigned
from cgc_addon.blender.segments.edits import (
    assign,
    delete_segments,
    last_merge_undone,
    merge_segments,
    pin,
    rename_segment,
    split_segment,
    unassign,
)
from cgc_addon.blender.segments.recut import recut
from cgc_addon.blender.segments.run_files import read_run
from cgc_addon.blender.splats.objects import clusters_of, gaussians_of
from cgc_addon.cgc.clusters.granularity import MergeTree
from cgc_addon.errors import CgcError


@pytest.fixture
def capture(write_run):
    capture = new_capture(bpy.context.scene, "tea set", np.array([0.0, -1.0, 0.0]))
    build_segments(bpy.context.scene, capture, read_run(write_run()))
    for number, collection in enumerate(all_segments(capture)):
        splats_of(collection)[0].location = (number, 2 * number, 0)
        splats_of(collection)[0].rotation_euler = (0, number, 0)
    return capture


def numbers(capture) -> list[tuple[int, int]]:
    return [(of_collection(c).segment, count_of(c)) for c in all_segments(capture) if count_of(c)]


def segment(capture, number: int):
    return next(c for c in segment_collections(capture) if of_collection(c).segment == number)


def splat(capture, number: int):
    return splats_of(segment(capture, number))[0]


def clusters_in(collection) -> set[int]:
    return set(clusters_of(splats_of(collection)[0]).tolist())


def means() -> np.ndarray:
    graph = bpy.context.evaluated_depsgraph_get()
    return gather(visible_splats(graph, visibility="ALL")).means


# ---- Merge ---------------------------------------------------------------------------------------


def test_merging_puts_all_into_one_object_that_stays(capture) -> None:
    before, into, item = means(), segment(capture, 3), splat(capture, 3)
    merge_segments(capture, segment_collections(capture), into)
    assert numbers(capture) == [(3, 117), (0, 12)]
    assert splats_of(into) == [item]
    assert item.location[:] == (2, 4, 0)
    assert (gaussians_of(item).segments == 3).all()
    assert np.allclose(means(), before, atol=2e-5)
    assert {c.name for c in bpy.data.collections} == {"Segment 003", "Unassigned", "tea set"}


def test_what_was_merged_stays_merged_until_it_is_unpinned(capture) -> None:
    merge_segments(capture, [segment(capture, 3)], segment(capture, 1))
    recut(capture, 0.0, 10)
    assert numbers(capture) == [(1, 82), (2, 20), (3, 15), (0, 12)]
    pin(segment(capture, 1), False)
    recut(capture, 0.0, 10)
    assert sorted(count for _, count in numbers(capture)) == [12, 12, 15, 20, 30, 40]


def test_merging_wants_two_segments(capture) -> None:
    first = segment(capture, 1)
    for others in ([], [first], [unassigned(capture)]):
        with pytest.raises(CgcError, match="nothing to merge"):
            merge_segments(capture, others, first)
    with pytest.raises(CgcError, match="nothing to merge"):
        merge_segments(capture, [first], unassigned(capture))


# ---- Split ---------------------------------------------------------------------------------------


def test_splitting_undoes_the_last_merge(capture) -> None:
    recut(capture, 1.0, 10)
    before = means()
    parts = split_segment(capture, segment(capture, 1))
    assert [clusters_in(part) for part in parts] == [{1, 2}, {3, 4}]
    assert [of_collection(part).segment for part in parts] == [1, 2]
    assert [clusters_in(part) for part in split_segment(capture, parts[0])] == [{1}, {2}]
    assert np.allclose(means(), before, atol=2e-5)


def test_what_was_split_stays_split(capture) -> None:
    split_segment(capture, segment(capture, 1))
    recut(capture, 1.0, 10)
    assert numbers(capture) == [(1, 40), (2, 35), (3, 12), (4, 30), (0, 12)]


def test_segments_merged_by_hand_come_apart_again(capture) -> None:
    merge_segments(capture, [segment(capture, 3)], segment(capture, 2))
    parts = split_segment(capture, segment(capture, 2))
    assert [clusters_in(part) for part in parts] == [{3, 4}, {5}]


def test_gaussians_of_no_cluster_stay_with_the_largest_part(capture) -> None:
    assign(capture, {splats_of(unassigned(capture))[0]: None}, segment(capture, 2))
    assert clusters_in(segment(capture, 2)) == {0, 3, 4, 6}
    parts = split_segment(capture, segment(capture, 2))  # the tree never joins 6 with 3 and 4
    assert [clusters_in(part) for part in parts] == [{0, 3, 4}, {6}]


def test_a_single_cluster_cannot_be_split(capture) -> None:
    with pytest.raises(CgcError, match="Segment 003 is a single cluster"):
        split_segment(capture, segment(capture, 3))


@given(st.data())
def test_undoing_the_last_merge_leaves_two_parts_or_those_never_joined(data) -> None:
    count = data.draw(st.integers(2, 9))
    living = list(range(1, count + 1))
    merges = []
    for _ in range(data.draw(st.integers(0, count - 1))):
        kept, joined = data.draw(st.permutations(living))[:2]
        merges.append((kept, joined))
        living.remove(joined)
    heights = np.linspace(1.0, 0.1, len(merges)).astype(np.float32)
    tree = MergeTree(count, np.array(merges, np.int32).reshape(-1, 2), heights)
    some = data.draw(st.sets(st.integers(1, count), min_size=2))

    parts = last_merge_undone(tree, np.array([*some, 0, *some]))
    assert parts[0] == 0
    labels = {int(parts[cluster]) for cluster in some}
    joined_in_the_end = {int(tree.cut(0.0)[cluster]) for cluster in some}
    assert len(labels) == max(2, len(joined_in_the_end))
    # It is a cut of the tree: the same as after some number of its merges.
    cuts = [
        MergeTree(count, tree.merges[:made], tree.heights[:made]).cut(0.0)
        for made in range(len(merges) + 1)
    ]
    assert any(np.array_equal(parts, cut) for cut in cuts)


# ---- Assign --------------------------------------------------------------------------------------


def test_whole_objects_are_assigned(capture) -> None:
    before = means()
    target = segment(capture, 1)
    chosen = {splat(capture, 3): None, splat(capture, 1): None}
    assert assign(capture, chosen, target) == target
    assert numbers(capture) == [(1, 82), (2, 35), (0, 12)]
    assert np.allclose(means(), before, atol=2e-5)
    recut(capture, 1.0, 10)
    assert numbers(capture) == [(1, 82), (2, 35), (0, 12)]


def test_points_are_assigned(capture) -> None:
    before, item = means(), splat(capture, 1)
    mask = np.arange(70) % 7 == 0
    assign(capture, {item: mask, splat(capture, 2): np.zeros(35, bool)}, segment(capture, 3))
    assert numbers(capture) == [(1, 60), (2, 35), (3, 22), (0, 12)]
    assert splat(capture, 1) == item
    assert np.allclose(means(), before, atol=2e-5)


def test_a_new_segment_is_made_of_points(capture) -> None:
    before = means()
    chosen = {splat(capture, 1): np.arange(70) < 5, splat(capture, 2): np.arange(35) < 2}
    made = assign(capture, chosen, None)
    assert (made.name, count_of(made)) == ("Segment 004", 7)
    assert of_collection(made).pinned
    alone = gaussians_of(splats_of(made)[0]).means
    assert np.abs(np.median(alone, axis=0)).max() < np.ptp(alone, axis=0).max()  # its own middle
    assert np.allclose(means(), before, atol=2e-5)


def test_nothing_to_assign_is_said(capture) -> None:
    for chosen in ({}, {splat(capture, 1): None}, {splat(capture, 2): np.zeros(35, bool)}):
        with pytest.raises(CgcError, match="Nothing was moved"):
            assign(capture, chosen, segment(capture, 1))


def test_unassigned_gaussians_are_not_brought_back(capture) -> None:
    before = means()
    unassign(capture, {splat(capture, 3): None, splat(capture, 1): np.arange(70) < 10})
    assert numbers(capture) == [(1, 60), (2, 35), (0, 34)]
    assert np.allclose(means(), before, atol=2e-5)
    recut(capture, 0.0, 1)
    sizes = dict(numbers(capture))
    assert sizes[0] == 29  # without the five of cluster 6, which are a segment now
    assert sum(sizes.values()) == 129


def test_the_first_gaussians_of_none_get_a_collection(capture) -> None:
    rest = unassigned(capture)
    bpy.data.objects.remove(splats_of(rest)[0])
    bpy.data.collections.remove(rest)
    before = means()
    unassign(capture, {splat(capture, 2): None})
    assert numbers(capture) == [(1, 70), (3, 12), (0, 35)]
    assert np.allclose(means(), before, atol=2e-5)


# ---- The rest ------------------------------------------------------------------------------------


def test_names_are_kept_in_step(capture) -> None:
    collection, item = segment(capture, 1), splat(capture, 1)
    rename_segment(collection, " Teapot ")
    assert (collection.name, item.name, item.data.name) == ("Teapot", "Teapot", "Teapot")
    item.name = "Lid"
    rename_segment(collection, "Pot")
    assert (collection.name, item.name) == ("Pot", "Lid")
    with pytest.raises(CgcError, match="name is empty"):
        rename_segment(collection, "  ")


def test_deleting_leaves_nothing_behind(capture) -> None:
    delete_segments([segment(capture, 2), unassigned(capture)])
    assert numbers(capture) == [(1, 70), (3, 12)]
    assert [item.name for item in bpy.data.objects if item.type == "POINTCLOUD"] == [
        "Segment 001",
        "Segment 003",
    ]
    assert len(bpy.data.pointclouds) == 2
    assert "Segment 002" not in bpy.data.collections


def test_a_segment_linked_from_another_file_is_refused(capture, tmp_path) -> None:
    path = str(tmp_path / "library.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path, copy=True)
    with bpy.data.libraries.load(path, link=True) as (_, wanted):
        wanted.objects = ["Segment 002"]
    segment(capture, 3).objects.link(wanted.objects[0])
    with pytest.raises(CgcError, match="linked from another file"):
        merge_segments(capture, [segment(capture, 3)], segment(capture, 1))
    assert numbers(capture) == [(1, 70), (2, 35), (3, 47), (0, 12)]
