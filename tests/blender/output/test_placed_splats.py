# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits count: what is seen, and where, is what the scene says, instances and animation too."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from mathutils import Euler, Matrix, Quaternion

from cgc_addon.blender.common.access import of_collection, of_scene
from cgc_addon.blender.output.placed_splats import gather, visible_splats
from cgc_addon.blender.splats.looks import apply_look_to_scene
from cgc_addon.blender.splats.objects import gaussians_of, new_splat
from cgc_addon.errors import CgcError
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.select import concatenate, subset
from cgc_addon.splats.transform import transform

FIELDS = ("means", "log_scales", "quats", "logit_opacities", "sh", "features", "segments")


def random_gaussians(count: int, seed: int = 0) -> Gaussians:
    generator = np.random.default_rng(seed)

    def normal(*shape: int) -> np.ndarray:
        return generator.normal(size=shape).astype(np.float32)

    return Gaussians(
        normal(count, 3),
        normal(count, 3) - 3,
        normal(count, 4),
        normal(count),
        normal(count, 16, 3),
        normal(count, 16),
        generator.integers(0, 3, count).astype(np.int32),
    )


def collection_of(name: str, segment: int | None = None, parent=None):
    collection = bpy.data.collections.new(name)
    if segment is not None:
        of_collection(collection).kind = "SEGMENT" if segment else "UNASSIGNED"
        of_collection(collection).segment = segment
    (parent or bpy.context.scene.collection).children.link(collection)
    return collection


def add_splat(name: str = "splat", count: int = 5, collection=None, seed: int = 0):
    index = np.arange(count, dtype=np.int32)
    item = new_splat(name, random_gaussians(count, seed), index, np.zeros(count, np.int32))
    (collection or bpy.context.scene.collection).objects.link(item)
    return item


def placed(only=None, visibility="VIEWPORT"):
    return visible_splats(bpy.context.evaluated_depsgraph_get(), only, visibility)


def names(only=None, visibility="VIEWPORT") -> list[str]:
    return sorted(splat.object.name for splat in placed(only, visibility))


def assert_equal(first: Gaussians, second: Gaussians) -> None:
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)


def layer_collection_of(collection):
    return bpy.context.view_layer.layer_collection.children[collection.name]


def test_nothing_is_nothing() -> None:
    assert placed() == []
    assert len(gather([])) == 0


def test_an_object_is_itself_with_its_matrix() -> None:
    item = add_splat()
    item.location = (1, 2, 3)
    (only,) = placed()
    assert only.object == item
    assert only.matrix.dtype == np.float64
    np.testing.assert_allclose(only.matrix, Matrix.Translation((1, 2, 3)), atol=0)


def test_parents_animation_and_drivers_are_in_the_matrix() -> None:
    parent = bpy.data.objects.new("parent", None)
    bpy.context.scene.collection.objects.link(parent)
    parent.rotation_euler = (0.3, 0.2, 0.1)
    parent.scale = (2, 2, 2)
    item = add_splat()
    item.parent = parent
    item.keyframe_insert("location", frame=1)
    item.location.x = 10
    item.keyframe_insert("location", frame=11)
    curve = item.driver_add("location", 2)
    curve.driver.expression = "frame + 5"
    bpy.context.scene.frame_set(11)
    (only,) = placed()
    expected = parent.matrix_world @ Matrix.Translation((10, 0, 16))
    np.testing.assert_allclose(only.matrix, np.array(expected), atol=1e-5)


def test_segments_come_from_collections() -> None:
    add_splat("in segment", collection=collection_of("Chair", 7))
    add_splat("unassigned", collection=collection_of("Unassigned", 0))
    add_splat("loose", collection=collection_of("Anything"))
    assert {p.object.name: p.segment for p in placed()} == {
        "in segment": 7,
        "unassigned": 0,
        "loose": None,
    }


def test_hidden_ones_are_left_out() -> None:
    hide = {
        "eye": lambda item, _: item.hide_set(True),
        "monitor": lambda item, _: setattr(item, "hide_viewport", True),
        "collection": lambda _, c: setattr(c, "hide_viewport", True),
        "collection's eye": lambda _, c: setattr(layer_collection_of(c), "hide_viewport", True),
        "excluded": lambda _, c: setattr(layer_collection_of(c), "exclude", True),
        "camera": lambda item, _: setattr(item, "hide_render", True),
        "collection's camera": lambda _, c: setattr(c, "hide_render", True),
    }
    for name, change in hide.items():
        collection = collection_of(name)
        change(add_splat(name, collection=collection), collection)
    add_splat("shown")
    viewport = ["camera", "collection's camera", "shown"]
    render = ["collection", "collection's eye", "eye", "monitor", "shown"]
    assert names() == viewport
    assert names(visibility="RENDER") == render
    assert names(visibility="ALL") == sorted({*viewport, *render})
    # Looking changed nothing.
    assert names() == viewport
    assert bpy.data.objects["eye"].hide_get()
    assert bpy.data.objects["monitor"].hide_viewport
    assert bpy.data.collections["collection"].hide_viewport
    assert layer_collection_of(bpy.data.collections["collection's eye"]).hide_viewport
    assert layer_collection_of(bpy.data.collections["excluded"]).exclude


def test_animated_visibility_counts() -> None:
    item = add_splat()
    for frame, hidden in ((1, True), (5, False)):
        item.hide_render = hidden
        item.keyframe_insert("hide_render", frame=frame)
    bpy.context.scene.frame_set(1)
    assert names(visibility="RENDER") == []
    bpy.context.scene.frame_set(5)
    assert names(visibility="RENDER") == ["splat"]


def test_instances_of_a_collection_are_there_too() -> None:
    collection = collection_of("Chair", 7)
    item = add_splat(collection=collection)
    item.location = (1, 0, 0)
    copy = bpy.data.objects.new("copy", None)
    copy.instance_type = "COLLECTION"
    copy.instance_collection = collection
    copy.location = (0, 5, 0)
    bpy.context.scene.collection.objects.link(copy)
    assert sorted(p.matrix[:3, 3].tolist() for p in placed()) == [[1, 0, 0], [1, 5, 0]]
    assert [p.segment for p in placed()] == [7, 7]
    assert names(only=[copy]) == ["splat"]
    assert placed(only=[copy])[0].matrix[1, 3] == 5
    # The original may be out of sight, as it often is.
    layer_collection_of(collection).exclude = True
    assert [p.matrix[:3, 3].tolist() for p in placed()] == [[1, 5, 0]]
    copy.hide_render = True
    assert names(visibility="RENDER") == []


def test_duplicates_and_linked_duplicates_are_there_too() -> None:
    item = add_splat()
    linked = item.copy()
    own = item.copy()
    own.data = item.data.copy()
    for number, copy in enumerate((linked, own)):
        copy.location.x = number + 1
        bpy.context.scene.collection.objects.link(copy)
    assert len(gather(placed())) == 15
    assert names(only={own}) == [own.name]


def test_instances_of_other_geometry_nodes_are_there_too() -> None:
    item = add_splat()
    group = bpy.data.node_groups.new("twice", "GeometryNodeTree")
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
    host = bpy.data.objects.new("host", bpy.data.meshes.new("host"))
    bpy.context.scene.collection.objects.link(host)
    host.modifiers.new("twice", "NODES").node_group = group
    heights = sorted(p.matrix[2, 3] for p in placed())
    assert heights == [0, 0, 1, 2]  # the object, and three instances one unit apart
    assert all(p.object == item for p in placed())


@pytest.mark.parametrize("visibility", ["VIEWPORT", "RENDER"])
def test_a_look_changes_nothing(visibility) -> None:
    collection = collection_of("Chair", 7)
    item = add_splat(collection=collection)
    copy = bpy.data.objects.new("copy", None)
    copy.instance_type = "COLLECTION"
    copy.instance_collection = collection
    bpy.context.scene.collection.objects.link(copy)
    before = gather(placed())
    of_scene(bpy.context.scene).look_shape = "ELLIPSOIDS"
    apply_look_to_scene(bpy.context.scene)
    assert len(item.modifiers) == 1
    assert len(placed(visibility=visibility)) == 2
    assert_equal(gather(placed(visibility=visibility)), before)
    assert item.modifiers[0].show_viewport
    # And the graph that was given shows the ellipsoids again.
    graph = bpy.context.evaluated_depsgraph_get()
    assert any(instance.object.type == "MESH" for instance in graph.object_instances)


@pytest.mark.parametrize("visibility", ["VIEWPORT", "RENDER", "ALL"])
def test_what_stands_in_for_splats_changes_nothing(visibility) -> None:
    collection = collection_of("Chair", 7)
    item = add_splat(collection=collection)
    copy = bpy.data.objects.new("copy", None)
    copy.instance_type, copy.instance_collection = "COLLECTION", collection
    bpy.context.scene.collection.objects.link(copy)
    before = gather(placed(visibility=visibility))
    apply_look_to_scene(bpy.context.scene)
    assert [modifier.name for modifier in item.modifiers] == ["Splat Stand-In"]
    assert len(placed(visibility=visibility)) == 2
    assert_equal(gather(placed(visibility=visibility)), before)


def test_an_unedited_capture_is_the_splat_it_came_from_in_its_order() -> None:
    gaussians = random_gaussians(60)
    root = bpy.data.objects.new("root", None)
    root.matrix_basis = Matrix.LocRotScale((9, -4, 2), Euler((0.3, 1.2, -2)), (1.7, 1.7, 1.7))
    bpy.context.scene.collection.objects.link(root)
    for segment in (2, 0, 1):
        index = np.flatnonzero(gaussians.segments == segment).astype(np.int32)
        item = new_splat(str(segment), subset(gaussians, index), index, index)
        item.parent = root
        collection_of(str(segment), segment).objects.link(item)
    bpy.context.view_layer.update()
    back = gather(placed(), np.array(root.matrix_world, dtype=np.float64))
    for name in ("means", "logit_opacities", "sh", "features", "segments"):
        np.testing.assert_array_equal(getattr(back, name), getattr(gaussians, name), err_msg=name)
    np.testing.assert_allclose(back.log_scales, gaussians.log_scales, atol=1e-6)


def test_what_was_not_moved_keeps_every_bit() -> None:
    item = add_splat()
    item.location = (3, 4, 5)
    bpy.context.view_layer.update()
    frame = np.array(item.matrix_world, dtype=np.float64)
    assert_equal(gather(placed(), frame), gaussians_of(item))


def test_gather_applies_the_matrix_of_each_object() -> None:
    parent = bpy.data.objects.new("parent", None)
    parent.matrix_basis = Matrix.LocRotScale((1, 2, 3), Quaternion((0.5, 1, 0, 2)), (2, 2, 2))
    bpy.context.scene.collection.objects.link(parent)
    items = [add_splat(f"{seed}", seed=seed) for seed in range(3)]
    items[0].parent = parent
    items[0].rotation_euler = (0.4, 0.5, 0.6)
    items[1].scale = (1, -2, 3)  # a mirror, and not uniform
    bpy.context.view_layer.update()
    frame = np.array(Matrix.Rotation(0.7, 4, "Y"), dtype=np.float64)
    expected = concatenate(
        [
            transform(gaussians_of(i), np.linalg.inv(frame) @ np.array(i.matrix_world, float))
            for i in items
        ]
    )
    assert_equal(gather(placed(), frame), expected)


def test_duplicates_stay_in_the_order_of_objects() -> None:
    first, second = add_splat("first", 4, seed=1), add_splat("second", 3, seed=2)
    expected = concatenate([gaussians_of(p.object) for p in placed()])
    assert {first, second} == {p.object for p in placed()}
    assert_equal(gather(placed()), expected)


def test_the_segment_of_the_collection_wins() -> None:
    add_splat("chair", collection=collection_of("Chair", 7))
    assert gather(placed()).segments.tolist() == [7] * 5
    loose = add_splat("loose")
    assert gather(placed(only=[loose])).segments.tolist() == gaussians_of(loose).segments.tolist()


def test_a_scale_of_zero_is_an_error_that_names_the_object() -> None:
    item = add_splat("Flat Chair")
    item.scale = (1, 0, 1)
    with pytest.raises(CgcError, match=r"Flat Chair: .*scale of zero"):
        gather(placed())
