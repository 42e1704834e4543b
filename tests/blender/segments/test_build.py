# SPDX-License-Identifier: GPL-3.0-or-later
"""A run becomes collections, and importing it again keeps what people made of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy
from mathutils import Matrix

from cgc_addon.blender.capture.parts import captures, new_capture, root_of, segment_collections
from cgc_addon.blender.common.access import of_collection, of_object
from cgc_addon.blender.segments.build import Built, build_segments
from cgc_addon.blender.segments.data import (
    all_segments,
    automatic_color,
    collection_of,
    count_of,
    number_apart,
    rename,
    splats_of,
)
from cgc_addon.blender.segments.merge_tree import stored_tree
from cgc_addon.blender.segments.run_files import read_run
from cgc_addon.blender.splats.objects import clusters_of, gaussians_of, indices_of
from cgc_addon.errors import CgcError
from cgc_addon.splats.ply import read_ply, write_ply


@pytest.fixture
def capture():
    return new_capture(bpy.context.scene, "tea set", np.array([0.0, -1.0, 0.0]))


def build(capture, folder: Path) -> Built:
    return build_segments(bpy.context.scene, capture, read_run(folder))


def rewrite_segments(folder: Path, function) -> None:
    """Change the segments of a run, and leave it without clusters."""
    gaussians = read_ply(folder / "splat.ply").gaussians
    write_ply(
        folder / "splat.ply", replace(gaussians, segments=function(gaussians.segments.copy()))
    )
    (folder / "clusters.npz").unlink(missing_ok=True)


def described(capture) -> list[tuple[int, str, int]]:
    return [(of_collection(c).segment, c.name, count_of(c)) for c in all_segments(capture)]


def test_each_segment_is_a_collection_with_its_point_cloud(capture, write_run) -> None:
    folder = write_run()
    assert build(capture, folder) == Built(kept=0, made=3, removed=0, unassigned=12)
    assert described(capture) == [
        (1, "Segment 001", 70),
        (2, "Segment 002", 35),
        (3, "Segment 003", 12),
        (0, "Unassigned", 12),
    ]
    source = read_ply(folder / "splat.ply").gaussians
    run = read_run(folder)
    for collection in all_segments(capture):
        (item,) = collection.objects
        assert item.name == collection.name
        assert item.parent == root_of(capture)
        assert item.matrix_parent_inverse.is_identity
        place = item.matrix_basis.translation
        assert item.matrix_basis == Matrix.Translation(place)
        assert (
            np.ptp(gaussians_of(item).means, axis=0).max()
            > 2 * np.abs(np.median(gaussians_of(item).means, axis=0)).max()
        )  # its own middle
        assert of_object(item).kind == "SPLAT"
        index = indices_of(item)
        assert (np.diff(index) > 0).all()
        assert np.array_equal(clusters_of(item), run.clusters[index])
        gaussians = gaussians_of(item, np.array(place))
        assert np.array_equal(gaussians.means, source.means[index])
        assert np.array_equal(gaussians.features, source.features[index])
        assert np.array_equal(gaussians.segments, source.segments[index])
        assert (gaussians.segments == of_collection(collection).segment).all()


def test_colors_are_those_of_the_run_and_the_outliner_has_the_nearest(capture, write_run) -> None:
    folder = write_run()
    build(capture, folder)
    for collection, segment in zip(
        segment_collections(capture), read_run(folder).segments.segments, strict=True
    ):
        color = of_collection(collection).color
        assert np.allclose(color, np.array(segment.color) / 255, atol=1e-6)
        assert np.allclose(color, automatic_color(segment.id), atol=1e-6)
    blue = segment_collections(capture)[0]
    of_collection(blue).color = (1.0, 0.1, 0.1)
    red = blue.color_tag
    of_collection(blue).color = (0.1, 1.0, 0.1)
    assert {"NONE", red, blue.color_tag} > {red} > set()
    assert red == "COLOR_01"
    assert blue.color_tag == "COLOR_04"


def test_the_capture_remembers_how_it_was_cut(capture, write_run) -> None:
    folder = write_run()
    build(capture, folder)
    settings = of_collection(capture)
    assert settings.run == str(folder)
    assert (settings.granularity, settings.minimum_size) == (0.5, 10)
    tree, original = stored_tree(capture), read_run(folder).tree
    assert tree.count == original.count
    assert np.array_equal(tree.merges, original.merges)
    assert np.array_equal(tree.heights, original.heights)


def test_a_run_without_segments_is_all_unassigned(capture, write_run) -> None:
    assert build(capture, write_run(segmented=False)).unassigned == 129
    assert described(capture) == [(0, "Unassigned", 129)]
    assert gaussians_of(splats_of(all_segments(capture)[0])[0]).features is None


def test_importing_again_keeps_what_people_made(capture, write_run) -> None:
    folder = write_run()
    build(capture, folder)
    first, second, third = segment_collections(capture)
    rename(first, "Teapot")
    of_collection(second).color = (0.2, 0.3, 0.4)
    item = splats_of(first)[0]
    item.location = (1.0, 2.0, 3.0)
    item["price"] = 3
    modifier = item.modifiers.new("Mine", "NODES")
    data = {one: splats_of(one)[0].data.name for one in (second, third)}

    assert build(capture, folder) == Built(kept=3, made=0, removed=0, unassigned=12)
    assert segment_collections(capture) == [first, second, third]
    assert splats_of(first) == [item]
    assert (first.name, item.name) == ("Teapot", "Teapot")
    assert tuple(item.location) == (1.0, 2.0, 3.0)
    assert item["price"] == 3
    assert item.modifiers["Mine"] == modifier
    assert np.allclose(of_collection(second).color, (0.2, 0.3, 0.4))
    assert {one: splats_of(one)[0].data.name for one in (second, third)} == data
    assert len(capture.all_objects) == 5


def test_data_of_kept_segments_is_new(capture, write_run) -> None:
    folder = write_run()
    build(capture, folder)
    gaussians = read_ply(folder / "splat.ply").gaussians
    write_ply(folder / "splat.ply", replace(gaussians, means=gaussians.means + 5))
    assert build(capture, folder).kept == 3
    for collection in all_segments(capture):
        item = splats_of(collection)[0]
        wanted = gaussians.means[indices_of(item)] + 5
        assert np.array_equal(gaussians_of(item, np.array(item.location)).means, wanted)


def test_segments_that_are_others_now_are_replaced(capture, write_run) -> None:
    folder = write_run()
    build(capture, folder)
    kept = segment_collections(capture)[0]
    rename(segment_collections(capture)[1], "Saucer")
    rewrite_segments(folder, lambda segments: np.where(segments == 3, 2, segments))
    assert build(capture, folder) == Built(kept=1, made=1, removed=2, unassigned=12)
    assert segment_collections(capture)[0] == kept
    assert described(capture) == [
        (1, "Segment 001", 70),
        (2, "Segment 002", 47),
        (0, "Unassigned", 12),
    ]
    assert "Saucer" not in bpy.data.objects
    assert len(bpy.data.pointclouds) == 3


def test_kept_segments_take_the_numbers_of_the_run(capture, write_run) -> None:
    folder = write_run()
    build(capture, folder)
    first, second, third = segment_collections(capture)
    rename(third, "Spoon")
    of_collection(third).named = True
    rewrite_segments(folder, lambda segments: np.array([0, 2, 1, 3])[segments].astype(np.int32))
    assert build(capture, folder).kept == 3
    assert segment_collections(capture) == [second, first, third]
    assert [one.name for one in (second, first, third)] == ["Segment 001", "Segment 002", "Spoon"]
    assert [splats_of(one)[0].name for one in (second, first)] == ["Segment 001", "Segment 002"]
    assert np.allclose(of_collection(second).color, automatic_color(1), atol=1e-6)


def test_other_things_in_a_collection_outlive_its_segment(capture, write_run) -> None:
    folder = write_run()
    build(capture, folder)
    collection = segment_collections(capture)[2]
    lamp = bpy.data.objects.new("lamp", None)
    collection.objects.link(lamp)
    rewrite_segments(folder, lambda segments: np.where(segments == 3, 2, segments))
    build(capture, folder)
    assert collection.objects[:] == [lamp]
    assert of_collection(collection).kind == "NONE"


def test_splats_in_collections_inside_a_segment_belong_to_it(capture, write_run) -> None:
    build(capture, write_run())
    collection = segment_collections(capture)[0]
    item = splats_of(collection)[0]
    inner = bpy.data.collections.new("mine")
    collection.children.link(inner)
    inner.objects.link(item)
    collection.objects.unlink(item)
    assert splats_of(collection) == [item]
    assert collection_of(item) == collection


def test_duplicated_collections_get_a_number_of_their_own(capture, write_run) -> None:
    build(capture, write_run())
    twin = segment_collections(capture)[1].copy()
    capture.children.link(twin)
    number_apart(capture)
    assert sorted(of_collection(c).segment for c in segment_collections(capture)) == [1, 2, 3, 4]


def test_a_capture_that_lost_its_root_is_left_alone(capture, write_run) -> None:
    folder = write_run()
    build(capture, folder)
    bpy.data.objects.remove(root_of(capture))
    with pytest.raises(CgcError, match="lost its root"):
        build(capture, folder)
    assert len(segment_collections(capture)) == 3


def test_all_of_it_survives_saving(capture, write_run, tmp_path: Path) -> None:
    folder = write_run()
    build(capture, folder)
    rename(segment_collections(capture)[0], "Teapot")
    splats_of(segment_collections(capture)[0])[0].location = (1, 2, 3)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "saved.blend"))
    (capture,) = captures(bpy.context.scene)
    assert described(capture)[0] == (1, "Teapot", 70)
    assert build(capture, folder).kept == 3
    assert tuple(splats_of(segment_collections(capture)[0])[0].location) == (1, 2, 3)


def test_one_segment_can_be_appended_to_another_file(capture, write_run, tmp_path: Path) -> None:
    build(capture, write_run())
    collection = segment_collections(capture)[1]
    before = gaussians_of(splats_of(collection)[0])
    bpy.context.view_layer.update()
    matrix = np.array(splats_of(collection)[0].matrix_world)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "saved.blend")) as (_, wanted):
        wanted.collections = ["Segment 002"]
    collection = bpy.data.collections["Segment 002"]
    bpy.context.scene.collection.children.link(collection)
    bpy.context.view_layer.update()
    (item,) = splats_of(collection)
    assert of_collection(collection).segment == 2
    assert np.allclose(of_collection(collection).color, automatic_color(2), atol=1e-6)
    after = gaussians_of(item)
    for name in ("means", "log_scales", "quats", "logit_opacities", "sh", "features", "segments"):
        assert np.array_equal(getattr(after, name), getattr(before, name)), name
    assert np.allclose(item.matrix_world, matrix, atol=1e-6)
