# SPDX-License-Identifier: GPL-3.0-or-later
"""Origins: in the middle of the body, and wherever they are no bit of a splat changes."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy
from mathutils import Euler, Matrix

from cgc_addon.blender.capture.parts import new_capture, root_of
from cgc_addon.blender.common.point_attributes import new_point_cloud, read_or_none
from cgc_addon.blender.output.placed_splats import gather, visible_splats
from cgc_addon.blender.segments.build import build_segments
from cgc_addon.blender.segments.data import all_segments, splats_of
from cgc_addon.blender.segments.recut import recut
from cgc_addon.blender.segments.run_files import read_run
from cgc_addon.blender.splats.objects import (
    REMAINDER,
    gaussians_of,
    means_in,
    replace_gaussians,
    write_means,
)
from cgc_addon.blender.splats.origins import base_of, middle_of, move_origin
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.ply import read_ply


@pytest.fixture
def run(write_run):
    return write_run()


@pytest.fixture
def capture(run) -> bpy.types.Collection:
    made = new_capture(bpy.context.scene, "tea set", np.array([0.1, -1.0, 0.2]))
    build_segments(bpy.context.scene, made, read_run(run))
    root_of(made).location, root_of(made).scale = (3.0, -7.0, 1.0), (0.3, 0.3, 0.3)
    bpy.context.view_layer.update()
    return made


def in_capture(capture: bpy.types.Collection) -> Gaussians:
    graph = bpy.context.evaluated_depsgraph_get()
    frame = np.array(root_of(capture).matrix_world, dtype=np.float64)
    return gather(visible_splats(graph), frame)


def in_world() -> Gaussians:
    return gather(visible_splats(bpy.context.evaluated_depsgraph_get()))


def assert_same(first: Gaussians, second: Gaussians) -> None:
    for name in ("means", "logit_opacities", "sh", "features"):
        assert np.array_equal(getattr(first, name), getattr(second, name)), name
    # Blender's splats have scales without logarithm and quaternions of length 1.
    np.testing.assert_allclose(first.log_scales, second.log_scales, atol=1e-6)
    quats = second.quats / np.linalg.norm(second.quats, axis=1, keepdims=True)
    np.testing.assert_allclose(first.quats, quats, atol=1e-6)


@pytest.mark.parametrize("seed", range(40))
def test_means_come_out_as_they_went_in_whatever_the_origin(seed) -> None:
    random = np.random.default_rng(seed)
    magnitudes = 10.0 ** random.uniform(-30, 4, (500, 3))
    means = (random.choice([-1, 0, 1], (500, 3)) * magnitudes).astype(np.float32)
    origin = (10.0 ** random.uniform(-6, 4, 3) * random.choice([-1, 1], 3)).astype(np.float32)
    cloud = new_point_cloud("any", means)
    write_means(cloud, means, origin.astype(np.float64))
    assert np.array_equal(means_in(cloud, origin.astype(np.float64)), means)


def test_nothing_is_kept_beside_where_nothing_is_rounded_off() -> None:
    means = np.arange(30, dtype=np.float32).reshape(10, 3)
    cloud = new_point_cloud("whole numbers", means)
    write_means(cloud, means + np.float32(1e-9), np.full(3, 7.1))
    assert read_or_none(cloud, REMAINDER) is not None
    write_means(cloud, means, np.full(3, 4.0))
    assert read_or_none(cloud, REMAINDER) is None


def test_the_middle_is_that_of_the_body_without_its_floaters() -> None:
    random = np.random.default_rng(0)
    body = random.uniform(-1, 1, (1000, 3)) * (1, 2, 3) + (5, 6, 7)
    dense = np.concatenate([body, body[body[:, 0] > 5], [(900.0, 6, 7)] * 40])
    opacities = np.ones(len(dense))
    np.testing.assert_allclose(middle_of(dense, opacities), (5, 6, 7), atol=0.3)
    np.testing.assert_allclose(base_of(dense, opacities), (5, 6, 4), atol=0.3)
    streak = np.concatenate([body, np.c_[np.full((100, 2), 5.5), np.linspace(9, 90, 100)]])
    np.testing.assert_allclose(middle_of(streak, np.ones(1100)), (5, 6, 7), atol=0.3)
    haze = np.concatenate([body, body + 50])
    opacities = np.r_[np.ones(1000), np.full(1000, 0.01)]
    np.testing.assert_allclose(middle_of(haze, opacities), (5, 6, 7), atol=0.3)


def test_each_object_stands_at_its_own_middle(capture) -> None:
    for collection in all_segments(capture):
        (item,) = splats_of(collection)
        assert item.location.length > 0.01
        assert np.abs(np.median(gaussians_of(item).means, axis=0)).max() < 2.0


def test_what_nobody_edited_is_exported_to_the_last_bit(capture, run) -> None:
    assert_same(in_capture(capture), read_ply(run / "splat.ply").gaussians)


def test_recuts_and_moved_origins_leave_no_trace(capture, run) -> None:
    world = in_world()
    recut(capture, 0.0, 10)
    for place in ("BASE", "CAPTURE", "MIDDLE"):
        bpy.ops.object.select_all(action="SELECT")
        assert bpy.ops.cgc.set_splat_origin(place=place) == {"FINISHED"}
        bpy.context.view_layer.update()
        assert_same(in_world(), world)
    recut(capture, 1.0, 10)
    recut(capture, 0.5, 10)
    assert_same(in_capture(capture), read_ply(run / "splat.ply").gaussians)
    assert_same(in_world(), world)


def test_the_origin_of_a_capture_is_where_its_root_is(capture) -> None:
    bpy.ops.object.select_all(action="SELECT")
    bpy.ops.cgc.set_splat_origin(place="CAPTURE")
    for collection in all_segments(capture):
        (item,) = splats_of(collection)
        assert item.location[:] == (0, 0, 0)
        assert read_or_none(item.data, REMAINDER) is None


def test_the_base_is_below_the_middle_in_the_world(capture) -> None:
    (item,) = splats_of(all_segments(capture)[0])
    middle = item.matrix_world.translation.copy()
    item.select_set(True)
    bpy.ops.cgc.set_splat_origin(place="BASE")
    bpy.context.view_layer.update()
    base = item.matrix_world.translation
    assert base.z < middle.z - 0.1
    assert (base.xy - middle.xy).length < 1e-4


def test_an_object_that_was_moved_its_copy_and_its_child_stay_where_they_are(capture) -> None:
    (item,) = splats_of(all_segments(capture)[0])
    item.matrix_basis = Matrix.LocRotScale((1, 2, 3), Euler((0.5, 0.6, 0.7)), (1, -2, 0.5))
    copy = item.copy()
    copy.location.x += 20
    all_segments(capture)[0].objects.link(copy)
    child = bpy.data.objects.new("child", None)
    child.parent, child.location = item, (1, 1, 1)
    capture.objects.link(child)
    bpy.context.view_layer.update()
    before, at = in_world(), child.matrix_world.copy()
    move_origin(item, np.array((4.0, -5.0, 6.0)))
    bpy.context.view_layer.update()
    after = in_world()
    assert item.location[:] == (4.0, -5.0, 6.0)
    np.testing.assert_allclose(after.means, before.means, atol=1e-5)
    np.testing.assert_allclose(after.log_scales, before.log_scales, atol=1e-4)
    np.testing.assert_allclose(np.array(child.matrix_world), np.array(at), atol=1e-5)


def test_a_run_that_is_imported_again_finds_its_objects_where_they_were_put(capture, run) -> None:
    (item,) = splats_of(all_segments(capture)[0])
    item.location.x += 2.0
    item.select_set(True)
    bpy.ops.cgc.set_splat_origin(place="BASE")
    bpy.context.view_layer.update()
    before = in_world()
    assert build_segments(bpy.context.scene, capture, read_run(run)).kept == 3
    bpy.context.view_layer.update()
    np.testing.assert_allclose(in_world().means, before.means, atol=1e-5)


def test_applying_the_transform_puts_the_origin_where_the_parents_is(capture, run) -> None:
    bpy.ops.object.select_all(action="SELECT")
    bpy.ops.cgc.apply_splat_transform()
    assert all(splats_of(one)[0].location.length == 0 for one in all_segments(capture))
    bpy.context.view_layer.update()
    assert_same(in_capture(capture), read_ply(run / "splat.ply").gaussians)
    build_segments(bpy.context.scene, capture, read_run(run))
    assert_same(in_capture(capture), read_ply(run / "splat.ply").gaussians)


def test_an_animated_splat_keeps_its_origin_and_it_is_said(capture) -> None:
    (item,) = splats_of(all_segments(capture)[0])
    item.keyframe_insert("location")
    item.select_set(True)
    with pytest.raises(RuntimeError, match="is animated"):
        bpy.ops.cgc.set_splat_origin()
    place = item.location.copy()
    recut(capture, 0.0, 10)  # a piece of it can be taken out all the same
    assert item.location == place


def test_gaussians_put_into_an_object_are_in_its_own_space(capture) -> None:
    (item,) = splats_of(all_segments(capture)[0])
    gaussians = gaussians_of(item)
    replace_gaussians(item, gaussians, *(np.arange(len(gaussians), dtype=np.int32),) * 2)
    assert np.array_equal(gaussians_of(item).means, gaussians.means)
    assert read_or_none(item.data, REMAINDER) is None


def test_it_is_kept_in_the_file(capture, run, tmp_path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    (again,) = [one for one in bpy.data.collections if one.cgc.kind == "CAPTURE"]
    assert_same(in_capture(again), read_ply(run / "splat.ply").gaussians)
