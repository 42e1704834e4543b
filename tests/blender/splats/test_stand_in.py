# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in for a splat has its bounds, nothing to see, and is in no render."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.splats.objects import gaussians_of, new_splat
from cgc_addon.blender.splats.stand_in import (
    has_stand_in,
    remove_stand_in,
    show_stand_in,
    stand_in_modifier,
)
from cgc_addon.splats.gaussians import Gaussians


def some_gaussians(count: int = 50, seed: int = 0) -> Gaussians:
    random = np.random.default_rng(seed)
    return Gaussians(
        means=random.normal(size=(count, 3)).astype(np.float32),
        log_scales=random.normal(-3, 0.5, (count, 3)).astype(np.float32),
        quats=random.normal(size=(count, 4)).astype(np.float32),
        logit_opacities=random.normal(size=count).astype(np.float32),
        sh=random.normal(size=(count, 4, 3)).astype(np.float32),
    )


def add_splat(gaussians: Gaussians):
    index = np.arange(len(gaussians), dtype=np.int32)
    item = new_splat("splat", gaussians, index, index)
    bpy.context.scene.collection.objects.link(item)
    return item


def evaluated(item):
    return item.evaluated_get(bpy.context.evaluated_depsgraph_get())


def bounds(item) -> np.ndarray:
    bpy.context.view_layer.update()
    corners = np.array(item.bound_box)
    return np.stack([corners.min(axis=0), corners.max(axis=0)])


def test_blender_has_eight_points_without_size_to_draw_in_the_same_bounds() -> None:
    item = add_splat(some_gaussians())
    before = bounds(item)
    show_stand_in(item)
    np.testing.assert_allclose(bounds(item), before, atol=1e-6)
    shown = evaluated(item)
    assert shown.type == "POINTCLOUD"
    assert len(shown.data.points) == 8
    assert [point.radius for point in shown.data.points] == [0.0] * 8
    assert getattr(shown.data, "type", "POINTS") == "POINTS"
    instances = bpy.context.evaluated_depsgraph_get().object_instances
    assert [(one.object.type, one.show_self) for one in instances] == [("POINTCLOUD", True)]


def test_the_data_is_as_it_was_and_so_is_the_object_afterwards() -> None:
    gaussians = some_gaussians()
    item = add_splat(gaussians)
    show_stand_in(item)
    np.testing.assert_array_equal(gaussians_of(item).means, gaussians.means)
    remove_stand_in(item)
    assert len(evaluated(item).data.points) == 50
    assert len(item.modifiers) == 0
    remove_stand_in(item)


def test_a_splat_without_gaussians_has_nothing_that_stands_in_for_it() -> None:
    item = add_splat(some_gaussians(0))
    show_stand_in(item)
    assert len(evaluated(item).data.points) == 0


def test_renders_have_the_points_and_other_modifiers_come_before() -> None:
    item = add_splat(some_gaussians())
    show_stand_in(item)
    other = item.modifiers.new("mine", "NODES")
    assert list(item.modifiers) == [other, stand_in_modifier(item)]
    assert not stand_in_modifier(item).show_render


def test_there_is_one_node_group_and_one_modifier_each() -> None:
    items = [add_splat(some_gaussians()) for _ in range(3)]
    for item in items * 2:
        show_stand_in(item)
    assert len(bpy.data.node_groups) == 1
    assert [len(item.modifiers) for item in items] == [1, 1, 1]


def test_copies_have_it_too() -> None:
    item = add_splat(some_gaussians())
    assert not has_stand_in(item)
    show_stand_in(item)
    copy = item.copy()
    assert has_stand_in(copy)
    stand_in_modifier(copy).show_viewport = False
    assert has_stand_in(item)
    assert not has_stand_in(copy)
