# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes and the sockets of node groups, typed.

Blender's stubs tell no kind of socket from another, and hide those that all nodes have behind those
that some kinds have beside them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, cast

import bpy

if TYPE_CHECKING:
    from bpy.types import (
        GeometryNodeTree,
        Node,
        NodesModifier,
        NodeSocket,
        NodeTree,
        NodeTreeInterface,
        NodeTreeInterfaceSocket,
        Object,
        ShaderNodeAttribute,
        ShaderNodeVectorMath,
    )


class NumberSocket(Protocol):
    """A socket for numbers in the interface of a node group."""

    description: str
    subtype: str
    default_value: float
    min_value: float
    max_value: float


class _ValueSocket(Protocol):
    default_value: object


def marked_group(mark: str, version: int) -> GeometryNodeTree | None:
    """Return the node group of this file that carries a mark, a custom property, of a version.

    A mark outlives renaming, appending and linking.
    """
    for group in bpy.data.node_groups:
        if group.get(mark) == version and group.library is None:
            return cast("GeometryNodeTree", group)
    return None


def marked_modifier(item: Object, mark: str) -> NodesModifier | None:
    """Return the modifier of an object whose node group carries a mark, of whatever version."""
    for modifier in item.modifiers:
        if modifier.type == "NODES":
            group = cast("NodesModifier", modifier).node_group
            if group is not None and mark in group:
                return cast("NodesModifier", modifier)
    return None


def interface_of(group: NodeTree) -> NodeTreeInterface:
    """Return what a node group takes and gives."""
    assert group.interface is not None
    return group.interface


def new_number(
    group: NodeTree, name: str, kind: Literal["NodeSocketFloat", "NodeSocketInt"]
) -> NumberSocket:
    """Let a node group take a number."""
    made = interface_of(group).new_socket(name, in_out="INPUT", socket_type=kind)
    return cast("NumberSocket", made)


def input_identifiers(group: NodeTree) -> dict[str, str]:
    """Return the identifier of each input of a node group by its name; the group has no panels."""
    sockets = cast("list[NodeTreeInterfaceSocket]", interface_of(group).items_tree)
    return {socket.name: socket.identifier for socket in sockets if socket.in_out == "INPUT"}


def input_of(modifier: NodesModifier, name: str) -> object:
    """Return the value that a modifier gives an input of its node group."""
    group = modifier.node_group
    assert group is not None
    identifier = input_identifiers(group)[name]
    typed = getattr(modifier, "properties", None)
    if typed is None:  # before 5.2
        return modifier[identifier]
    return getattr(typed.inputs, identifier).value


def set_input(modifier: NodesModifier, name: str, value: object) -> bool:
    """Set an input of the node group, for this modifier alone; return whether it had another."""
    group = modifier.node_group
    assert group is not None
    if input_of(modifier, name) == value:
        return False
    identifier = input_identifiers(group)[name]
    typed = getattr(modifier, "properties", None)
    if typed is None:  # before 5.2
        modifier[identifier] = value
    else:
        getattr(typed.inputs, identifier).value = value
    return True


def set_value(socket: NodeSocket, value: object) -> None:
    """Give an input of a node the value that it has while nothing is linked to it."""
    cast("_ValueSocket", socket).default_value = value


def add_vector_math(tree: NodeTree, operation: Literal["ADD", "MAXIMUM"]) -> Node:
    """Add a shader node that calculates with vectors."""
    node = tree.nodes.new("ShaderNodeVectorMath")
    cast("ShaderNodeVectorMath", node).operation = operation
    return node


def add_attribute(
    tree: NodeTree, kind: Literal["GEOMETRY", "OBJECT", "INSTANCER"], name: str
) -> Node:
    """Add a shader node that reads an attribute."""
    node = tree.nodes.new("ShaderNodeAttribute")
    attribute = cast("ShaderNodeAttribute", node)
    attribute.attribute_type, attribute.attribute_name = kind, name
    return node
