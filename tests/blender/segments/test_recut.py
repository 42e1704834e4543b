# SPDX-License-Identifier: GPL-3.0-or-later
"""Another granularity regroups Gaussians: nothing moves, and what a person made stays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy
from mathutils import Euler, Matrix

from cgc_addon.blender.capture.parts import new_capture, root_of, segment_collections
from cgc_addon.blender.common.access import of_collection
from cgc_addon.blender.output.placed_splats import gather, visible_splats
from cgc_addon.blender.segments.build import build_segments
from cgc_addon.blender.segments.data import all_segments, automatic_color, count_of, splats_of
from cgc_addon.blender.segments.recut import Recut, heirs_of, recut
from cgc_addon.blender.segments.run_files import read_run
from cgc_addon.blender.splats.objects import clusters_of, gaussians_of, indices_of
from cgc_addon.cgc.clusters.cluster_file import read_clusters
from cgc_addon.errors import CgcError
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.ply import read_ply, write_ply
from cgc_addon.splats.rotations import matrices

LEAVES = [(1, 40), (2, 30), (3, 20), (4, 15), (5, 12)]


@pytest.fixture
def capture(write_run):
    capture = new_capture(bpy.context.scene, "tea set", np.array([0.0, -1.0, 0.0]))
    build_segments(bpy.context.scene, capture, read_run(write_run()))
    return capture


def numbers(capture) -> list[tuple[int, int]]:
    """Number and size of each segment, those without Gaussians left out, Unassigned last."""
    return [(of_collection(c).segment, count_of(c)) for c in all_segments(capture) if count_of(c)]


def members(collection) -> set[int]:
    return {int(index) for item in splats_of(collection) for index in indices_of(item)}


def segment(capture, number: int):
    return next(c for c in segment_collections(capture) if of_collection(c).segment == number)


def splat(capture, number: int):
    return splats_of(segment(capture, number))[0]


def in_world() -> Gaussians:
    """Everything there is, in the world, in the order of the run."""
    graph = bpy.context.evaluated_depsgraph_get()
    return gather(visible_splats(graph, visibility="ALL"))


def covariances(gaussians: Gaussians) -> np.ndarray:
    axes = matrices(gaussians.quats) * np.exp(gaussians.log_scales.astype(float))[:, None]
    return axes @ axes.transpose(0, 2, 1)


def assert_same_world(before: Gaussians, after: Gaussians) -> None:
    assert np.allclose(after.means, before.means, atol=2e-5)
    assert np.allclose(covariances(after), covariances(before), rtol=1e-3, atol=1e-7)
    assert np.allclose(after.sh, before.sh, atol=2e-5)
    assert np.array_equal(after.logit_opacities, before.logit_opacities)
    assert np.array_equal(after.features, before.features)


def state(capture) -> list[tuple]:
    return [
        (c, c.name, tuple(c.objects), of_collection(c).segment, members(c))
        for c in all_segments(capture)
    ]


# ---- What becomes of segments --------------------------------------------------------------------


def test_the_same_granularity_changes_nothing(capture) -> None:
    before = state(capture)
    assert recut(capture, 0.5, 10) == Recut(segments=3, kept=3, by_hand=0)
    assert state(capture) == before


def test_finer_and_coarser_and_back(capture) -> None:
    before = [members(c) for c in all_segments(capture)]
    assert recut(capture, 0.0, 10).segments == 5
    assert numbers(capture) == [(1, 40), (2, 20), (3, 12), (4, 30), (5, 15), (0, 12)]
    assert recut(capture, 1.0, 10).segments == 2
    assert numbers(capture) == [(1, 105), (3, 12), (0, 12)]
    assert recut(capture, 0.5, 10).segments == 3
    assert numbers(capture) == [(1, 70), (2, 35), (3, 12), (0, 12)]
    assert [members(c) for c in all_segments(capture)] == before
    assert (of_collection(capture).granularity, of_collection(capture).minimum_size) == (0.5, 10)


def test_points_know_their_segment(capture) -> None:
    recut(capture, 0.0, 10)
    for collection in all_segments(capture):
        for item in splats_of(collection):
            assert (gaussians_of(item).segments == of_collection(collection).segment).all()
            assert (np.diff(indices_of(item)) > 0).all()


def test_the_smallest_size_sends_segments_to_unassigned_and_back(capture) -> None:
    recut(capture, 0.5, 30)
    assert numbers(capture) == [(1, 70), (2, 35), (0, 24)]
    recut(capture, 0.5, 5)
    assert numbers(capture) == [(1, 70), (2, 35), (3, 12), (4, 5), (0, 7)]


def test_a_segment_that_stays_is_not_touched(capture) -> None:
    item = splat(capture, 3)
    data = item.data
    item.data["mine"] = 1
    item.data.attributes.new("mine", "FLOAT", "POINT")
    assert recut(capture, 0.0, 10).kept == 1
    assert item.data == data
    assert "mine" in item.data.attributes
    assert item.data["mine"] == 1


def test_a_segment_goes_on_as_the_one_with_most_of_it(capture) -> None:
    first = segment(capture, 1)
    first.name, of_collection(first).named = "Teapot", True
    of_collection(first).color = (0.1, 0.2, 0.3)
    item = splat(capture, 1)
    item.name = "Pot"
    item["price"] = 3
    item.modifiers.new("Mine", "NODES")
    recut(capture, 0.0, 10)
    assert segment(capture, 1) == first
    assert first.name == "Teapot"
    assert splats_of(first) == [item]
    assert (item.name, item["price"], "Mine" in item.modifiers) == ("Pot", 3, True)
    assert np.allclose(of_collection(first).color, (0.1, 0.2, 0.3))
    piece = splat(capture, 4)
    assert (piece.name, piece["price"], "Mine" in piece.modifiers) == ("Segment 004", 3, True)
    assert np.allclose(of_collection(segment(capture, 4)).color, automatic_color(4), atol=1e-6)
    recut(capture, 1.0, 10)
    assert segment(capture, 1) == first
    assert splats_of(first) == [item]


def test_heirs_are_found_once_and_by_what_is_in_common() -> None:
    shares = np.array([[0, 5, 4, 0], [0, 6, 3, 0], [9, 0, 0, 2]])
    assert heirs_of(shares, None) == {1: 1, 2: 0, 3: 2}
    assert heirs_of(shares, 2) == {0: 2, 1: 1, 2: 0}
    assert heirs_of(np.zeros((0, 1), np.int64), None) == {}


def test_numbers_of_living_segments_are_not_given_again(capture) -> None:
    of_collection(segment(capture, 2)).segment = 4
    recut(capture, 0.0, 10)
    assert [number for number, _ in numbers(capture)] == [1, 2, 3, 4, 5, 0]
    assert count_of(segment(capture, 4)) == 20


# ---- Nothing moves -------------------------------------------------------------------------------


def place_all(capture) -> None:
    """Turn, move and scale the root and each segment in ways of their own."""
    root = root_of(capture)
    root.scale = (1.5, 1.5, 1.5)
    root.location = (3.0, 0.0, 1.0)
    for number, collection in enumerate(all_segments(capture)):
        item = splats_of(collection)[0]
        item.location = (number, -number, 0.5)
        item.rotation_euler = (0.3 * number, 0.1, -0.2 * number)
        item.scale = (1 + 0.2 * number,) * 3
    stretched = splat(capture, 2)
    stretched.scale = (0.5, 1.0, 2.0)
    stretched.matrix_parent_inverse = Matrix.Translation((0.0, 0.0, 1.0))


@pytest.mark.parametrize("steps", [(1.0,), (0.0, 1.0, 0.5), (0.5, 0.0, 0.2, 0.8, 0.0)])
def test_gaussians_of_moved_segments_stay_in_their_places(capture, steps: Sequence[float]) -> None:
    place_all(capture)
    before = in_world()
    for granularity in steps:
        recut(capture, granularity, 10)
        assert_same_world(before, in_world())


def test_what_was_not_moved_keeps_its_numbers_to_the_last_bit(capture) -> None:
    before = in_world()
    recut(capture, 0.0, 10)
    recut(capture, 1.0, 10)
    after = in_world()
    for name in ("means", "logit_opacities", "sh", "features"):
        assert np.array_equal(getattr(before, name), getattr(after, name)), name


def test_hidden_segments_have_moved_with_the_root(capture) -> None:
    """Blender does not bring the matrices of hidden objects up to date."""

    def move(distance: float) -> None:
        root_of(capture).location = (distance, 0.0, 0.0)
        splat(capture, 2).location = (0.0, 0.0, distance)
        bpy.context.view_layer.update()

    move(5.0)
    before = in_world()
    move(0.0)
    segment(capture, 2).hide_viewport = True
    bpy.context.view_layer.update()
    move(5.0)
    assert splat(capture, 2).matrix_world.translation[:] == (0.0, 0.0, 0.0)
    recut(capture, 1.0, 10)
    assert_same_world(before, in_world())


def test_objects_with_constraints_stay_in_their_places(capture) -> None:
    target = bpy.data.objects.new("target", None)
    bpy.context.scene.collection.objects.link(target)
    target.location = (1.0, 2.0, 3.0)
    target.rotation_euler = Euler((0.0, math.pi / 3, 0.0))
    splat(capture, 2).constraints.new("COPY_TRANSFORMS").target = target
    before = in_world()
    recut(capture, 1.0, 10)
    assert_same_world(before, in_world())


def test_a_piece_moves_on_as_what_it_was_cut_from(capture) -> None:
    item = splat(capture, 1)
    item.keyframe_insert("location", frame=1)
    item.location = (4.0, 0.0, 0.0)
    item.keyframe_insert("location", frame=10)
    recut(capture, 0.0, 10)
    bpy.context.scene.frame_set(10)
    assert splat(capture, 4).location[:] == (4.0, 0.0, 0.0)


def test_a_flattened_object_is_refused_before_anything_changes(capture) -> None:
    splat(capture, 2).scale = (1.0, 0.0, 1.0)
    before = state(capture)
    with pytest.raises(CgcError, match=r"Segment 002.*scale of zero"):
        recut(capture, 1.0, 10)
    assert state(capture) == before
    assert of_collection(capture).granularity == 0.5


# ---- What people made ----------------------------------------------------------------------------


def test_deleted_gaussians_stay_deleted(capture) -> None:
    gone = members(segment(capture, 2))
    bpy.data.objects.remove(splat(capture, 2))
    recut(capture, 1.0, 10)
    assert numbers(capture) == [(1, 70), (3, 12), (0, 12)]
    recut(capture, 0.0, 10)
    everything = set().union(*(members(c) for c in all_segments(capture)))
    assert everything == set(range(129)) - gone


def test_pinned_segments_are_left_alone(capture) -> None:
    of_collection(segment(capture, 2)).pinned = True
    before = state(capture)[1]
    assert recut(capture, 1.0, 10) == Recut(segments=3, kept=3, by_hand=1)
    recut(capture, 0.0, 10)
    assert numbers(capture) == [(1, 40), (2, 35), (3, 12), (4, 30), (0, 12)]
    assert state(capture)[1] == before


def test_copied_objects_are_left_alone_with_their_originals(capture) -> None:
    item = splat(capture, 1)
    copy = item.copy()
    copy.data = item.data.copy()
    copy.location = (5.0, 0.0, 0.0)
    segment(capture, 1).objects.link(copy)
    assert recut(capture, 0.0, 10) == Recut(segments=4, kept=2, by_hand=1)
    assert numbers(capture) == [(1, 140), (2, 20), (3, 12), (4, 15), (0, 12)]


def test_copies_that_share_their_data_are_left_alone(capture) -> None:
    copy = splat(capture, 1).copy()
    segment(capture, 2).objects.link(copy)
    assert recut(capture, 1.0, 10).by_hand == 2
    assert numbers(capture) == [(1, 70), (2, 105), (3, 12), (0, 12)]


def test_data_that_another_object_uses_is_copied_first(capture) -> None:
    elsewhere = bpy.data.objects.new("elsewhere", splat(capture, 1).data)
    bpy.context.scene.collection.objects.link(elsewhere)
    recut(capture, 0.0, 10)
    assert count_of(segment(capture, 1)) == 40
    assert len(indices_of(elsewhere)) == 70


def test_objects_that_were_separated_stay_apart_until_they_change(capture) -> None:
    item = splat(capture, 3)
    bpy.context.view_layer.objects.active = item
    item.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    selected = np.arange(12) < 5
    bpy.ops.pointcloud.select_all(action="DESELECT")
    item.data.attributes[".selection"].data.foreach_set("value", selected)
    bpy.ops.pointcloud.separate()
    bpy.ops.object.mode_set(mode="OBJECT")
    assert len(splats_of(segment(capture, 3))) == 2
    splats_of(segment(capture, 3))[1].location = (1.0, 1.0, 1.0)
    before = in_world()
    assert recut(capture, 0.0, 10).kept == 1
    assert len(splats_of(segment(capture, 3))) == 2
    recut(capture, 0.0, 20)  # now its Gaussians are too few
    assert_same_world(before, in_world())
    assert [number for number, _ in numbers(capture)] == [1, 2, 4, 0]


def test_other_things_in_a_collection_stay(capture) -> None:
    lamp = bpy.data.objects.new("lamp", None)
    collection = segment(capture, 2)
    collection.objects.link(lamp)
    recut(capture, 1.0, 10)
    assert collection.objects[:] == [lamp]
    assert of_collection(collection).kind == "NONE"
    assert numbers(capture) == [(1, 105), (3, 12), (0, 12)]


def test_unassigned_is_made_anew_where_it_was_deleted(capture) -> None:
    rest = all_segments(capture)[-1]
    for item in splats_of(rest):
        bpy.data.objects.remove(item)
    bpy.data.collections.remove(rest)
    recut(capture, 0.5, 30)
    assert numbers(capture) == [(1, 70), (2, 35), (0, 12)]
    (item,) = splats_of(all_segments(capture)[-1])
    assert item.parent == root_of(capture)
    assert (clusters_of(item) == 5).all()


def test_linked_segments_are_left_alone(capture, tmp_path: Path) -> None:
    path = str(tmp_path / "library.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path, copy=True)
    item = splat(capture, 2)
    with bpy.data.libraries.load(path, link=True) as (_, wanted):
        wanted.objects = ["Segment 002"]
    linked = wanted.objects[0]
    segment(capture, 2).objects.link(linked)
    bpy.data.objects.remove(item)
    assert recut(capture, 1.0, 10) == Recut(segments=3, kept=3, by_hand=1)
    assert splats_of(segment(capture, 2)) == [linked]


def test_a_capture_without_clusters_says_so(capture, write_run) -> None:
    build_segments(bpy.context.scene, capture, read_run(write_run(segmented=False)))
    with pytest.raises(CgcError, match="nothing to cut"):
        recut(capture, 0.5, 10)
    empty = new_capture(bpy.context.scene, "empty", None)
    with pytest.raises(CgcError, match="has no segments yet"):
        recut(empty, 0.5, 10)


def test_it_works_after_saving_without_the_run(capture, tmp_path: Path, write_run) -> None:
    import shutil

    shutil.rmtree(tmp_path / "run")
    recut(capture, 0.2, 10)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "saved.blend"))
    capture = bpy.data.collections["tea set"]
    recut(capture, 1.0, 10)
    assert numbers(capture) == [(1, 105), (3, 12), (0, 12)]


def test_every_cluster_is_a_segment_at_zero(capture) -> None:
    recut(capture, 0.0, 1)
    found = {
        (int(clusters_of(splats_of(c)[0])[0]), count_of(c)) for c in segment_collections(capture)
    }
    assert found == {*LEAVES, (6, 5)}


def test_recutting_leaves_out_what_floats_apart_wherever_its_segment_was_moved(write_run) -> None:
    """As the run's own cut does; objects that are moved about do not float apart for it."""
    folder = write_run()
    clusters, _ = read_clusters(folder / "clusters.npz")
    floating = int(np.flatnonzero(clusters == 2)[0])

    gaussians = read_ply(folder / "splat.ply").gaussians
    means = gaussians.means.copy()
    means[floating] += 100
    write_ply(folder / "splat.ply", replace(gaussians, means=means))
    capture = new_capture(bpy.context.scene, "tea set", None)
    build_segments(bpy.context.scene, capture, read_run(folder))
    assert floating in members(segment(capture, 1))
    splat(capture, 1).location = (500, 0, 0)
    before = in_world()
    recut(capture, 0.5, 10)
    assert numbers(capture) == [(1, 69), (2, 35), (3, 12), (0, 13)]
    assert floating in members(all_segments(capture)[-1])
    assert_same_world(before, in_world())
    recut(capture, 1.0, 10)
    assert numbers(capture) == [(1, 104), (3, 12), (0, 13)]
