# SPDX-License-Identifier: GPL-3.0-or-later
"""A transform that is applied to its Gaussians changes nothing that can be seen."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from mathutils import Euler, Matrix

from cgc_addon.blender.output.placed_splats import gather, visible_splats
from cgc_addon.blender.splats.apply_transform import apply_transform
from cgc_addon.blender.splats.objects import gaussians_of, indices_of
from cgc_addon.splats.gaussians import Gaussians

from ..kitchen import assert_close, kitchen


@pytest.fixture
def gaussians() -> Gaussians:
    """Return the 300 Gaussians of the kitchen that the scene holds."""
    return kitchen()


def world_of(item) -> Gaussians:
    bpy.context.view_layer.update()
    return gather(visible_splats(bpy.context.evaluated_depsgraph_get(), only=[item]))


def test_applying_a_transform_keeps_everything_in_its_place(gaussians) -> None:
    item, child = bpy.data.objects["object 1"], bpy.data.objects.new("child", None)
    bpy.context.scene.collection.objects.link(child)
    child.parent, child.location = item, (1, 1, 1)
    item.matrix_basis = Matrix.LocRotScale((1, 2, 3), Euler((0.5, 0.6, 0.7)), (1, 2, 0.5))
    item.delta_location, item.delta_scale = (0, 0, 1), (2, 2, 2)
    before, index = world_of(item), indices_of(item)
    place = child.matrix_world.copy()
    item.select_set(True)
    bpy.context.view_layer.objects.active = item
    assert bpy.ops.cgc.apply_splat_transform() == {"FINISHED"}
    assert_close(world_of(item), before)
    np.testing.assert_array_equal(indices_of(item), index)
    np.testing.assert_allclose(np.array(child.matrix_world), np.array(place), atol=1e-5)
    np.testing.assert_allclose(np.array(item.matrix_basis), np.eye(4), atol=1e-7)


def test_applying_to_one_of_two_that_share_data_leaves_the_other(gaussians) -> None:
    item = bpy.data.objects["object 1"]
    other = item.copy()
    bpy.context.scene.collection.objects.link(other)
    item.location.x = 3
    before = gaussians_of(other)
    apply_transform([item])
    assert item.data != other.data
    np.testing.assert_array_equal(gaussians_of(other).means, before.means)
    np.testing.assert_allclose(
        gaussians_of(item).means, before.means + np.float32([3, 0, 0]), atol=1e-6
    )


def test_applying_a_scale_of_zero_changes_no_object(gaussians) -> None:
    items = [bpy.data.objects["object 1"], bpy.data.objects["object 2"]]
    items[0].location.x, items[1].scale = 3, (0, 1, 1)
    before = gaussians_of(items[0])
    for item in items:
        item.select_set(True)
    with pytest.raises(RuntimeError, match=r"object 2: .*scale of zero"):
        bpy.ops.cgc.apply_splat_transform()
    np.testing.assert_array_equal(gaussians_of(items[0]).means, before.means)
    assert items[0].location.x == 3


def test_applying_can_be_undone(gaussians) -> None:
    item = bpy.data.objects["object 1"]
    item.location.x = 3
    before = gaussians_of(item)
    bpy.ops.ed.undo_push(message="moved")
    apply_transform([item])
    bpy.ops.ed.undo_push(message="applied")
    bpy.ops.ed.undo()
    item = bpy.data.objects["object 1"]
    assert item.location.x == 3
    np.testing.assert_array_equal(gaussians_of(item).means, before.means)


def test_without_a_selected_splat_there_is_nothing_to_apply() -> None:
    assert not bpy.ops.cgc.apply_splat_transform.poll()
