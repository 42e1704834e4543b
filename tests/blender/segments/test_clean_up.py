# SPDX-License-Identifier: GPL-3.0-or-later
"""What nobody wants goes to the bin and comes back, and nothing else is touched."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy
from mathutils import Euler, Matrix

from cgc_addon.blender.capture.cameras import apply_intrinsics, camera_data
from cgc_addon.blender.capture.parts import part, root_of
from cgc_addon.blender.common.access import of_collection, of_object
from cgc_addon.blender.output.placed_splats import gather, visible_splats
from cgc_addon.blender.segments.bin import binned, binned_of, empty_bin, is_in_bin
from cgc_addon.blender.segments.build import build_segments
from cgc_addon.blender.segments.clean_up import CGC_OT_clean_up, clean_up
from cgc_addon.blender.segments.data import all_segments, count_of, splats_of
from cgc_addon.blender.segments.edits import delete_segments
from cgc_addon.blender.segments.recut import recut
from cgc_addon.blender.segments.run_files import read_run
from cgc_addon.blender.splats.apply_transform import apply_transform
from cgc_addon.blender.splats.objects import (
    clusters_of,
    gaussians_of,
    indices_of,
    new_splat,
    replace_gaussians,
)
from cgc_addon.cgc.cleaning import CleaningRules
from cgc_addon.dataset.scene import PinholeCamera
from cgc_addon.errors import CgcError
from cgc_addon.splats.gaussians import Gaussians

from ..recorded_layout import RecordedLayout
from .tea_set import segment, select, tea_set

AFLOAT = CleaningRules()


@pytest.fixture
def capture(write_run):
    """The tea set; in each segment the Gaussians number 3 and 8 float far away."""
    capture = tea_set(write_run())
    for collection in all_segments(capture):
        item = splats_of(collection)[0]
        gaussians = gaussians_of(item)
        gaussians.means[[3, 8]] += (50, 0, 0), (0, 90, 0)
        replace_gaussians(item, gaussians, indices_of(item), clusters_of(item))
    return capture


def splat(capture, number: int):
    return splats_of(segment(capture, number))[0]


def everything(items) -> tuple:
    """Return all that is stored of some splats, for comparison."""
    return tuple(
        (indices_of(i).tolist(), clusters_of(i).tolist(), gaussians_of(i).means.tolist(),
         gaussians_of(i).sh.tolist(), gaussians_of(i).segments.tolist())
        for i in items
    )  # fmt: skip


def in_world(item) -> np.ndarray:
    bpy.context.view_layer.update()
    graph = bpy.context.evaluated_depsgraph_get()
    return gather(visible_splats(graph, only=[item])).means


def bin_collection(capture):
    return next(c for c in capture.children if of_collection(c).kind == "BIN")


def test_what_floats_apart_goes_to_the_bin_and_the_count_is_told(capture, capfd) -> None:
    item = splat(capture, 1)
    before, index = gaussians_of(item).means, indices_of(item)
    select(item)
    assert bpy.ops.cgc.clean_up() == {"FINISHED"}
    assert "2 of 70 Gaussians moved to the bin" in capfd.readouterr().out
    kept = np.delete(np.arange(70), [3, 8])
    np.testing.assert_array_equal(indices_of(item), index[kept])
    np.testing.assert_array_equal(gaussians_of(item).means, before[kept])
    waste = binned_of(item)
    assert waste is not None
    np.testing.assert_array_equal(indices_of(waste), index[[3, 8]])
    assert [one.name for one in waste.users_collection] == [bin_collection(capture).name]
    assert not waste.visible_get()
    assert count_of(segment(capture, 2)) == 35  # was not selected


def test_restoring_brings_everything_back_to_the_last_bit(capture) -> None:
    items = [splat(capture, 1), splat(capture, 2)]
    before = everything(items)
    select(*items)
    bpy.ops.cgc.clean_up()
    bpy.ops.cgc.clean_up(use_opacity=True, least_opacity=0.4)
    assert sum(len(indices_of(item)) for item in items) < 101
    assert bpy.ops.cgc.restore_from_bin() == {"FINISHED"}
    assert everything(items) == before
    assert not binned(bpy.context.scene)
    assert all(of_collection(c).kind != "BIN" for c in capture.children)
    assert not bpy.ops.cgc.restore_from_bin.poll()


def test_what_is_selected_is_restored_alone(capture) -> None:
    first, second = splat(capture, 1), splat(capture, 2)
    select(first, second)
    bpy.ops.cgc.clean_up()
    select(second)
    bpy.ops.cgc.restore_from_bin()
    assert (len(indices_of(first)), len(indices_of(second))) == (68, 35)
    select()
    bpy.ops.cgc.restore_from_bin()
    assert (len(indices_of(first)), len(indices_of(second))) == (70, 35)


def test_what_is_in_the_bin_goes_where_its_object_goes(capture) -> None:
    item = splat(capture, 1)
    before = gaussians_of(item).means
    clean_up(bpy.context.scene, [item], AFLOAT)
    turned = Matrix.LocRotScale((1, 2, 3), Euler((1, 0.5, 0)), (2, 2, 2))
    item.matrix_basis = turned
    apply_transform([item])
    item.location.z += 4
    body = in_world(item)
    select(item)
    bpy.ops.cgc.restore_from_bin()
    np.testing.assert_allclose(np.delete(in_world(item), [3, 8], 0), body, atol=1e-4)
    expected = before @ np.array(turned.to_3x3()).T + np.array(turned.translation)
    np.testing.assert_allclose(gaussians_of(item).means, expected, atol=1e-4)


def test_the_bin_outlives_recutting_and_is_given_to_nobody(capture) -> None:
    select(splat(capture, 1))
    bpy.ops.cgc.clean_up()
    total = sum(count_of(c) for c in all_segments(capture))
    for granularity in (0.0, 1.0, 0.5):
        recut(capture, granularity, 10)
        assert sum(count_of(c) for c in all_segments(capture)) == total
        assert sum(len(indices_of(item)) for item in binned(bpy.context.scene)) == 2
    bpy.ops.cgc.restore_from_bin()
    assert sum(count_of(c) for c in all_segments(capture)) == total + 2
    indices = [indices_of(item) for c in all_segments(capture) for item in splats_of(c)]
    np.testing.assert_array_equal(np.sort(np.concatenate(indices)), np.arange(129))


def test_where_the_object_is_gone_its_gaussians_become_unassigned(capture) -> None:
    item = splat(capture, 1)
    place = in_world(item)[3]
    select(item)
    bpy.ops.cgc.clean_up()
    delete_segments([segment(capture, 1)])
    assert bpy.ops.cgc.restore_from_bin() == {"FINISHED"}
    rest = all_segments(capture)[-1]
    assert of_collection(rest).kind == "UNASSIGNED"
    free = next(one for one in splats_of(rest) if len(indices_of(one)) == 2)
    assert free.visible_get()
    np.testing.assert_allclose(in_world(free)[0], place, atol=1e-4)


def test_the_bin_is_saved_and_left_out_of_exports(capture, tmp_path: Path) -> None:
    select(splat(capture, 1))
    bpy.ops.cgc.clean_up()
    name = splat(capture, 1).name
    file = tmp_path / "saved.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(file))
    bpy.ops.wm.open_mainfile(filepath=str(file))
    scene = bpy.context.scene
    assert [item.parent.name for item in binned(scene)] == [name]
    graph = bpy.context.evaluated_depsgraph_get()
    for visibility in ("VIEWPORT", "RENDER", "ALL"):
        shown = [placed.object for placed in visible_splats(graph, visibility=visibility)]
        assert shown
        assert not any(is_in_bin(item) for item in shown)
    assert bpy.ops.cgc.restore_from_bin() == {"FINISHED"}
    assert len(indices_of(bpy.data.objects[name])) == 70


def test_a_splat_of_elsewhere_is_cleaned_as_well() -> None:
    generator = np.random.default_rng(0)
    means = generator.uniform(-1, 1, (50, 3)).astype(np.float32)
    means[7] = (30, 0, 0)
    gaussians = Gaussians(
        means=means,
        log_scales=np.full((50, 3), -1.0, np.float32),
        quats=np.tile(np.float32([1, 0, 0, 0]), (50, 1)),
        logit_opacities=np.zeros(50, np.float32),
        sh=np.zeros((50, 1, 3), np.float32),
    )
    item = new_splat("alien", gaussians, np.arange(50, dtype=np.int32), np.full(50, -1, np.int32))
    of_object(item).kind = "NONE"
    item.data.attributes.remove(item.data.attributes["gaussian"])
    bpy.context.scene.collection.objects.link(item)
    select(item)
    assert bpy.ops.cgc.clean_up() == {"FINISHED"}
    assert len(indices_of(item)) == 49
    bin_ = next(c for c in bpy.context.scene.collection.children if of_collection(c).kind == "BIN")
    assert bin_.hide_viewport
    assert bin_.hide_render
    assert bpy.ops.cgc.restore_from_bin() == {"FINISHED"}
    np.testing.assert_array_equal(gaussians_of(item).means, means)
    bpy.ops.cgc.clean_up()
    bpy.data.objects.remove(item)
    assert bpy.ops.cgc.restore_from_bin() == {"FINISHED"}
    alone = bpy.context.scene.collection.objects["alien (bin)"]
    np.testing.assert_allclose(gaussians_of(alone).means, means[[7]])


def settings_shown() -> list[str]:
    layout = RecordedLayout()
    options = bpy.ops.cgc.clean_up.get_rna_type()
    values = {**dict.fromkeys(options.properties.keys(), True), "outcome": ""}
    shown = SimpleNamespace(**{**values, "layout": layout, "bl_rna": options})
    shown._draw_rule = partial(CGC_OT_clean_up._draw_rule, shown)
    CGC_OT_clean_up.draw(shown, bpy.context)
    return layout.record.properties


def test_the_limit_of_cameras_is_shown_where_there_are_cameras(capture) -> None:
    select(splat(capture, 1))
    alone = settings_shown()
    assert {"use_pieces", "largest", "least_opacity", "longest_needle"} <= set(alone)
    assert "fewest_cameras" not in alone
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    of_object(camera).kind = "CAMERA"
    part(capture, "CAMERAS", "Cameras").objects.link(camera)
    assert [*alone, "use_cameras", "fewest_cameras"] == settings_shown()


def test_cameras_of_the_capture_count_those_in_whose_picture_a_gaussian_is(capture) -> None:
    item, root = splat(capture, 1), root_of(capture)
    root.scale = (2, 2, 2)
    cameras = part(capture, "CAMERAS", "Cameras")
    for number in range(2):
        camera = bpy.data.objects.new(f"camera {number}", bpy.data.cameras.new("camera"))
        of_object(camera).kind = "CAMERA"
        cameras.objects.link(camera)
        camera.parent = root
        apply_intrinsics(camera_data(camera), PinholeCamera(100, 100, 50.0, 50.0, 50.0, 50.0))
        camera.location.z = 20  # looks down the capture's Z
    item.location.x = 500  # moved since it was captured
    rules = CleaningRules(smallest_piece=None, fewest_cameras=2)
    assert clean_up(bpy.context.scene, [item], rules).moved == 2
    assert clean_up(bpy.context.scene, [item], rules).moved == 0
    stricter = CleaningRules(smallest_piece=None, fewest_cameras=3)
    assert clean_up(bpy.context.scene, [item], stricter).spared == (item.name,)


def test_nothing_is_emptied(capture, capfd) -> None:
    item = splat(capture, 1)
    select(item)
    bpy.ops.cgc.clean_up(use_opacity=True, least_opacity=1.0)
    assert len(indices_of(item)) == 70
    assert f"{item.name} left alone, as nothing would be left of it" in capfd.readouterr().out
    assert not binned(bpy.context.scene)


def test_copies_of_an_object_keep_their_gaussians(capture) -> None:
    item = splat(capture, 1)
    other = item.copy()
    segment(capture, 1).objects.link(other)
    clean_up(bpy.context.scene, [item], AFLOAT)
    assert (len(indices_of(item)), len(indices_of(other))) == (68, 70)


def test_a_clean_up_can_be_undone_done_again_and_done_otherwise(capture) -> None:
    select(splat(capture, 1))
    bpy.ops.ed.undo_push(message="selected")
    bpy.ops.cgc.clean_up()
    bpy.ops.ed.undo_push(message="cleaned")
    name = splat(bpy.data.collections["tea set"], 1).name
    bpy.ops.ed.undo()
    assert len(indices_of(bpy.data.objects[name])) == 70
    assert not binned(bpy.context.scene)
    bpy.ops.ed.redo()
    assert len(indices_of(bpy.data.objects[name])) == 68
    assert len(binned(bpy.context.scene)) == 1
    bpy.ops.ed.undo()
    bpy.ops.cgc.clean_up(use_pieces=False)
    assert len(indices_of(bpy.data.objects[name])) == 70


def test_importing_a_run_again_empties_the_bin(capture, write_run) -> None:
    select(splat(capture, 1))
    bpy.ops.cgc.clean_up()
    build_segments(bpy.context.scene, capture, read_run(write_run()))
    assert not binned(bpy.context.scene)
    assert sum(count_of(c) for c in all_segments(capture)) == 129


def test_emptying_the_bin_deletes_what_is_in_it(capture) -> None:
    select(splat(capture, 1))
    bpy.ops.cgc.clean_up()
    waste = binned(bpy.context.scene)[0].data.name
    empty_bin(capture)
    assert waste not in bpy.data.pointclouds
    assert not binned(bpy.context.scene)


def test_what_is_linked_is_not_cleaned(capture, tmp_path: Path) -> None:
    file = tmp_path / "library.blend"
    name = splat(capture, 1).name
    bpy.data.libraries.write(str(file), {bpy.data.objects[name]})
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(str(file), link=True) as (_, wanted):
        wanted.objects = [name]
    bpy.context.scene.collection.objects.link(wanted.objects[0])
    with pytest.raises(CgcError, match="linked from another file"):
        clean_up(bpy.context.scene, [wanted.objects[0]], AFLOAT)


def test_without_a_splat_selected_there_is_nothing_to_clean(capture) -> None:
    select(root_of(capture))
    assert not bpy.ops.cgc.clean_up.poll()
