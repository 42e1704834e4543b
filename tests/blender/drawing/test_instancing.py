# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever can instance a splat is found out, and what cannot is not taken for it."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.drawing.instancing import may_be_instanced

from .splat_scene import add_splat, collection_of, instance_of


def add_object(data=None, name="other"):
    item = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(item)
    return item


def nodes_with(kind: str, socket: str, value) -> bpy.types.NodeTree:
    group = bpy.data.node_groups.new("nodes", "GeometryNodeTree")
    group.nodes.new(kind).inputs[socket].default_value = value
    return group


def test_a_capture_is_not_instanced_by_what_belongs_to_it() -> None:
    root = add_object(name="root")
    items = []
    for name in ("Chair", "Table"):
        item = add_splat(name=name, collection=collection_of(name))
        item.parent = root
        items.append(item)
    add_object(bpy.data.meshes.new("child")).parent = items[0]
    second = bpy.data.scenes.new("second")
    second.collection.children.link(bpy.data.collections["Chair"])
    assert not may_be_instanced(items)
    assert not may_be_instanced([])


def test_grass_elsewhere_is_no_matter() -> None:
    item = add_splat()
    host = add_object(bpy.data.meshes.new("lawn"))
    host.modifiers.new("grass", "NODES").node_group = nodes_with(
        "GeometryNodeObjectInfo", "Object", add_object(name="blade")
    )
    instance_of(collection_of("Stones"))
    assert not may_be_instanced([item])


@pytest.mark.parametrize("nested", [False, True])
def test_an_object_that_instances_a_collection_is_found(nested) -> None:
    collection = collection_of("Chair")
    item = add_splat(collection=collection)
    outer = collection
    if nested:
        outer = bpy.data.collections.new("Room")
        outer.children.link(collection)
    empty = instance_of(outer)
    assert may_be_instanced([item])
    empty.instance_type = "NONE"
    assert not may_be_instanced([item])


def test_nodes_that_refer_to_a_splat_are_found() -> None:
    item = add_splat()
    nodes_with("GeometryNodeObjectInfo", "Object", item)
    assert may_be_instanced([item])


def test_nodes_that_refer_to_a_collection_are_found() -> None:
    collection = collection_of("Chair")
    item = add_splat(collection=collection)
    nodes_with("GeometryNodeCollectionInfo", "Collection", collection)
    assert may_be_instanced([item])


def test_a_parent_that_instances_its_children_is_found() -> None:
    item, between = add_splat(), add_object(name="between")
    parent = add_object(bpy.data.meshes.new("parent"), "parent")
    item.parent, between.parent = between, parent
    assert not may_be_instanced([item])
    parent.instance_type = "VERTS"
    assert may_be_instanced([item])
