# SPDX-License-Identifier: GPL-3.0-or-later
"""What viewports show is what Blender shows, and is read again only where it has changed."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common.access import of_collection, of_scene
from cgc_addon.blender.drawing import collect
from cgc_addon.blender.drawing.watch import shown_scene
from cgc_addon.blender.splats.objects import gaussians_of
from cgc_addon.blender.splats.stand_in import stand_in_modifier
from cgc_addon.results.feature_colors import fit_feature_colors

from .splat_scene import add_splat, collection_of, instance_of, some_gaussians


def appearances(space=None) -> tuple:
    return shown_scene().appearances(bpy.context.evaluated_depsgraph_get(), space)


def viewport() -> bpy.types.SpaceView3D:
    spaces = (s for screen in bpy.data.screens for area in screen.areas for s in area.spaces)
    return next(space for space in spaces if space.type == "VIEW_3D")


def owners() -> list[str]:
    found = shown_scene().owners(bpy.context.evaluated_depsgraph_get(), None)
    names = {item.session_uid: item.name for item in bpy.data.objects}
    return [names[identifier] for identifier in found]


def layer_collection(collection):
    return bpy.context.view_layer.layer_collection.children[collection.name]


def edit(item, change: float = 1.0) -> None:
    means = gaussians_of(item).means + np.float32(change)
    item.data.attributes["position"].data.foreach_set("vector", means.reshape(-1))
    item.data.update_tag()


def nodes_that_instance(item) -> bpy.types.NodeTree:
    group = bpy.data.node_groups.new("spread", "GeometryNodeTree")
    group.interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    line = group.nodes.new("GeometryNodeMeshLine")
    line.inputs["Count"].default_value = 3
    info = group.nodes.new("GeometryNodeObjectInfo")
    info.inputs["Object"].default_value = item
    info.inputs["As Instance"].default_value = True
    spread = group.nodes.new("GeometryNodeInstanceOnPoints")
    output = group.nodes.new("NodeGroupOutput")
    group.links.new(line.outputs["Mesh"], spread.inputs["Points"])
    group.links.new(info.outputs["Geometry"], spread.inputs["Instance"])
    group.links.new(spread.outputs["Instances"], output.inputs["Geometry"])
    return group


def test_a_splat_appears_as_it_is_stored_where_it_stands() -> None:
    gaussians = some_gaussians()
    item = add_splat(gaussians, collection=collection_of("Chair", (0.2, 0.4, 0.6)))
    item.location, item.scale = (1, 2, 3), (2, 2, 2)
    (shown,) = appearances()
    np.testing.assert_array_equal(
        shown.matrix, [[2, 0, 0, 1], [0, 2, 0, 2], [0, 0, 2, 3], [0] * 3 + [1]]
    )
    expected = gaussians_of(item)
    for name in ("means", "log_scales", "quats", "logit_opacities", "sh"):
        np.testing.assert_array_equal(
            getattr(shown.splat.gaussians, name), getattr(expected, name), err_msg=name
        )
    assert shown.splat.feature_colors is None
    np.testing.assert_allclose(shown.color, (0.2, 0.4, 0.6), atol=1e-6)
    assert (shown.selected, shown.active) == (False, False)
    assert owners() == ["splat"]


def test_outside_of_segments_an_object_shows_its_own_colour() -> None:
    add_splat().color = (0.21404114, 1.0, 0.0, 1.0)
    (shown,) = appearances()
    np.testing.assert_allclose(shown.color, (0.5, 1.0, 0.0), atol=1e-6)


def test_nothing_is_new_while_nothing_changes() -> None:
    add_splat()
    cube = bpy.data.objects.new("cube", bpy.data.meshes.new("cube"))
    bpy.context.scene.collection.objects.link(cube)
    before = appearances()
    assert appearances() is before
    cube.location.x = 1.0
    assert appearances() is before
    cube.select_set(True)
    bpy.context.view_layer.objects.active = cube
    assert appearances() is before
    of_scene(bpy.context.scene).steps = 7
    assert appearances() is before


def test_moving_a_parent_moves_the_splat_and_reads_nothing() -> None:
    item, other = add_splat(), add_splat(name="other")
    root = bpy.data.objects.new("root", None)
    bpy.context.scene.collection.objects.link(root)
    item.parent = root
    before = appearances()
    root.location.x = 5.0
    after = appearances()
    places = dict(zip(owners(), after, strict=True))
    assert places["splat"].matrix[0, 3] == 5.0
    assert {shown.splat for shown in after} == {shown.splat for shown in before}
    assert places["other"] in before
    assert other.matrix_world.translation.x == 0.0


def test_selection_is_that_of_the_object() -> None:
    item = add_splat()
    (before,) = appearances()
    item.select_set(True)
    (shown,) = appearances()
    assert (shown.selected, shown.active, shown.splat) == (True, False, before.splat)
    bpy.context.view_layer.objects.active = item
    (shown,) = appearances()
    assert (shown.selected, shown.active) == (True, True)


def test_the_colour_of_a_segment_is_shown_at_once() -> None:
    collection = collection_of("Chair")
    add_splat(collection=collection)
    (before,) = appearances()
    of_collection(collection).color = (1.0, 0.0, 0.5)
    (shown,) = appearances()
    assert shown.color == (1.0, 0.0, 0.5)
    assert shown.splat is before.splat


def test_what_was_edited_is_read_again_and_undo_is_seen() -> None:
    item = add_splat()
    means = gaussians_of(item).means
    bpy.ops.ed.undo_push(message="made")
    (before,) = appearances()
    edit(item)
    (after,) = appearances()
    assert after.splat is not before.splat
    np.testing.assert_array_equal(after.splat.gaussians.means, means + 1)
    np.testing.assert_array_equal(before.splat.gaussians.means, means)
    bpy.ops.ed.undo_push(message="edited")
    bpy.ops.ed.undo()
    (undone,) = appearances()
    np.testing.assert_array_equal(undone.splat.gaussians.means, means)


def test_what_was_touched_and_is_the_same_stays_what_it_was() -> None:
    item = add_splat()
    before = appearances()
    edit(item, 0.0)
    assert appearances() is before
    stand_in_modifier(item).show_viewport = False
    assert appearances() == ()
    stand_in_modifier(item).show_viewport = True
    (shown,) = appearances()
    assert shown.splat is before[0].splat


def test_other_data_is_seen() -> None:
    item, other = add_splat(), add_splat(some_gaussians(20), name="other")
    item.data = other.data
    one, two = appearances()
    assert one.splat is two.splat
    assert len(one.splat.gaussians) == 20


@pytest.mark.parametrize("space", [False, True])
def test_what_blender_hides_is_not_shown(space) -> None:
    collection = collection_of("Chair")
    item = add_splat(collection=collection)
    instance_of(collection_of("Other"))
    view = viewport() if space else None

    def hidden() -> bool:
        return len(appearances(view)) == 0

    assert not hidden()
    for owner, name in (
        (item, "hide_viewport"),
        (collection, "hide_viewport"),
        (layer_collection(collection), "hide_viewport"),
        (layer_collection(collection), "exclude"),
    ):
        setattr(owner, name, True)
        assert hidden(), (owner, name)
        setattr(owner, name, False)
        assert not hidden(), (owner, name)
    item.hide_set(True)
    assert hidden()
    item.hide_set(False)
    assert not hidden()
    item.hide_render = True
    assert not hidden()


def test_a_viewport_hides_what_it_has_filtered_out() -> None:
    item, other = add_splat(), add_splat(name="other")
    view = viewport()
    assert len(appearances(view)) == 2
    view.show_object_viewport_pointcloud = False
    assert appearances(view) == ()
    assert len(appearances()) == 2
    view.show_object_viewport_pointcloud = True
    assert len(appearances(view)) == 2
    window = bpy.context.window_manager.windows[0]
    area = next(a for a in window.screen.areas if a.type == "VIEW_3D")
    region = next(r for r in area.regions if r.type == "WINDOW")
    item.select_set(True)
    other.select_set(False)
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.view3d.localview(frame_selected=False)
    space = area.spaces.active
    assert space.local_view is not None
    shown = shown_scene().owners(bpy.context.evaluated_depsgraph_get(), space)
    assert shown == (item.session_uid,)
    assert len(appearances()) == 2


def test_instances_are_shown_where_they_stand_and_belong_to_what_instances_them() -> None:
    collection = collection_of("Chair")
    item = add_splat(collection=collection)
    empty = instance_of(collection)
    empty.location.x = 4.0
    empty.select_set(True)
    found = dict(zip(owners(), appearances(), strict=True))
    assert set(found) == {"splat", "instance"}
    assert found["instance"].splat is found["splat"].splat
    assert found["instance"].matrix[0, 3] == 4.0
    assert (found["instance"].selected, found["splat"].selected) == (True, False)
    empty.hide_set(True)
    assert owners() == ["splat"]
    empty.hide_set(False)
    layer_collection(collection).exclude = True
    assert owners() == ["instance"]
    empty.location.x = 5.0
    assert appearances()[0].matrix[0, 3] == 5.0
    assert item.name == "splat"


def test_instances_of_geometry_nodes_are_shown() -> None:
    item = add_splat()
    assert len(appearances()) == 1
    host = bpy.data.objects.new("host", bpy.data.meshes.new("host"))
    bpy.context.scene.collection.objects.link(host)
    host.modifiers.new("spread", "NODES").node_group = nodes_that_instance(item)
    assert sorted(shown.matrix[2, 3] for shown in appearances()) == [0, 0, 1, 2]
    assert sorted(owners()) == ["host", "host", "host", "splat"]


def test_an_instancer_that_comes_later_is_seen() -> None:
    collection = collection_of("Chair")
    add_splat(collection=collection)
    empty = bpy.data.objects.new("instance", None)
    bpy.context.scene.collection.objects.link(empty)
    assert len(appearances()) == 1
    empty.instance_type = "COLLECTION"
    empty.instance_collection = collection
    assert len(appearances()) == 2
    empty.instance_type = "NONE"
    assert len(appearances()) == 1


def test_both_ways_of_walking_find_the_same(monkeypatch) -> None:
    for number in range(3):
        item = add_splat(some_gaussians(seed=number), name=f"splat {number}")
        item.location = (number, 1, 2)
    bpy.data.objects["splat 1"].hide_set(True)
    quick = appearances()
    monkeypatch.setattr(collect, "may_be_instanced", lambda _splats: True)
    shown_scene().note_change()
    assert appearances() is quick
    assert len(quick) == 2


def test_other_looks_and_edit_mode_leave_the_drawing_to_blender() -> None:
    item = add_splat()
    of_scene(bpy.context.scene).look_shape = "POINTS"
    assert appearances() == ()
    of_scene(bpy.context.scene).look_shape = "SPLATS"
    assert len(appearances()) == 1
    bpy.context.view_layer.objects.active = item
    bpy.ops.object.mode_set(mode="EDIT")
    assert appearances() == ()
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.view_layer.update()
    assert len(appearances()) == 1


def test_a_splat_that_lost_what_makes_it_one_is_left_out() -> None:
    item = add_splat()
    item.data.attributes.remove(item.data.attributes["rotation"])
    assert appearances() == ()


def test_what_is_gone_is_forgotten() -> None:
    kept, removed = add_splat(), add_splat(name="removed")
    splats = {
        name: weakref.ref(one.splat) for name, one in zip(owners(), appearances(), strict=True)
    }
    bpy.data.pointclouds.remove(removed.data)
    appearances()
    gc.collect()
    assert splats["removed"]() is None
    assert splats["splat"]() is not None
    kept.hide_set(True)
    assert appearances() == ()
    gc.collect()
    assert splats["splat"]() is not None  # it may be shown again at any time
    bpy.ops.wm.read_factory_settings(use_empty=True)
    gc.collect()
    assert splats["splat"]() is None


def test_animation_is_seen() -> None:
    item = add_splat()
    for frame, x in ((1, 0.0), (2, 7.0)):
        item.location.x = x
        item.keyframe_insert("location", frame=frame)
    bpy.context.scene.frame_set(1)
    assert appearances()[0].matrix[0, 3] == 0.0
    bpy.context.scene.frame_set(2)
    assert appearances()[0].matrix[0, 3] == 7.0


def test_features_of_all_splats_are_shown_in_the_same_directions() -> None:
    items = [add_splat(some_gaussians(seed=n), name=f"splat {n}") for n in range(2)]
    plain = add_splat(some_gaussians(features=False), name="plain")
    assert all(shown.splat.feature_colors is None for shown in appearances())
    of_scene(bpy.context.scene).look_color = "FEATURE"
    found = dict(zip(owners(), appearances(), strict=True))
    gaussians = [gaussians_of(item) for item in items]
    features = np.concatenate([one.features for one in gaussians])
    weights = 1 / (1 + np.exp(-np.concatenate([one.logit_opacities for one in gaussians])))
    fitted = fit_feature_colors(features, weights)
    for item, one in zip(items, gaussians, strict=True):
        colors = found[item.name].splat.feature_colors
        assert colors.dtype == np.float32
        np.testing.assert_allclose(colors, fitted(one.features) / 255, atol=1.5 / 255)
    assert (found[plain.name].splat.feature_colors == 0.5).all()
    assert appearances() == tuple(found.values())
    of_scene(bpy.context.scene).look_color = "PHOTO"
    assert all(shown.splat.feature_colors is None for shown in appearances())


def test_colours_of_features_stay_when_something_is_edited_or_comes() -> None:
    of_scene(bpy.context.scene).look_color = "FEATURE"
    add_splat()
    (before,) = appearances()
    item = add_splat(some_gaussians(seed=1), name="other")
    found = dict(zip(owners(), appearances(), strict=True))
    assert found["splat"].splat is before.splat
    edit(item)
    after = dict(zip(owners(), appearances(), strict=True))
    assert after["splat"].splat is before.splat
    assert after["other"].splat is not found["other"].splat
    np.testing.assert_array_equal(
        after["other"].splat.feature_colors, found["other"].splat.feature_colors
    )


def test_when_all_that_the_colours_were_found_for_is_gone_they_are_found_anew() -> None:
    of_scene(bpy.context.scene).look_color = "FEATURE"
    first = add_splat()
    appearances()
    add_splat(some_gaussians(seed=1), name="second")
    before = dict(zip(owners(), appearances(), strict=True))["second"]
    bpy.data.pointclouds.remove(first.data)
    (after,) = appearances()
    assert after.splat.gaussians is before.splat.gaussians
    assert (after.splat.feature_colors != before.splat.feature_colors).any()
