# SPDX-License-Identifier: GPL-3.0-or-later
"""Ellipsoids by geometry nodes: each Gaussian as a small solid body of its own shape.

An ellipsoid ends where the opacity of its Gaussian falls to the threshold, as the balls of
`display_attributes` do; what never reaches it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import bpy

from ..common.display_attributes import SURFACE_OPACITY
from ..common.nodes import (
    interface_of,
    marked_group,
    marked_modifier,
    new_number,
    set_input,
    set_value,
)
from .objects import COLOR

if TYPE_CHECKING:
    from bpy.types import (
        GeometryNodeRemoveAttribute,
        GeometryNodeTree,
        Material,
        Node,
        NodesModifier,
        NodeSocket,
        Object,
    )

MODIFIER = "Ellipsoids"
MARK = "cgc_ellipsoids"
"""Custom property of the node group."""
VERSION = 1


def show_ellipsoids(item: Object, material: Material, numbers: Mapping[str, float]) -> None:
    """Draw a splat as ellipsoids of one material.

    Args:
        item: splat.
        material: of all of them.
        numbers: for "Size", "Detail" and "Threshold", where the splat has no ellipsoids yet.
    """
    modifier = ellipsoid_modifier(item)
    if modifier is None:
        modifier = cast("NodesModifier", item.modifiers.new(MODIFIER, "NODES"))
        modifier.node_group = _node_group()
        for name, value in numbers.items():
            set_input(modifier, name, value)
        item.update_tag()
    if set_input(modifier, "Material", material):
        item.update_tag()


def hide_ellipsoids(item: Object) -> None:
    """Draw a splat as points again."""
    modifier = ellipsoid_modifier(item)
    if modifier is not None:
        item.modifiers.remove(modifier)


def ellipsoid_modifier(item: Object) -> NodesModifier | None:
    """Return the modifier that draws a splat as ellipsoids."""
    return marked_modifier(item, MARK)


def _node_group() -> GeometryNodeTree:
    """Return the node group of this file, made where there is none."""
    if (found := marked_group(MARK, VERSION)) is not None:
        return found
    group = cast("GeometryNodeTree", bpy.data.node_groups.new(MODIFIER, "GeometryNodeTree"))
    group[MARK] = VERSION
    _add_sockets(group)
    _add_nodes(_Graph(group))
    return group


def _add_sockets(group: GeometryNodeTree) -> None:
    interface = interface_of(group)
    interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    interface.new_socket("Material", in_out="INPUT", socket_type="NodeSocketMaterial")
    size = new_number(group, "Size", "NodeSocketFloat")
    size.description = "Factor on the size of every ellipsoid"
    size.default_value, size.min_value = 1.0, 0.0
    detail = new_number(group, "Detail", "NodeSocketInt")
    detail.description = "Subdivisions of each ellipsoid"
    detail.default_value, detail.min_value, detail.max_value = 1, 1, 4
    threshold = new_number(group, "Threshold", "NodeSocketFloat")
    threshold.description = "Opacity at which an ellipsoid ends; more transparent ones are left out"
    threshold.subtype = "FACTOR"
    threshold.default_value, threshold.min_value, threshold.max_value = SURFACE_OPACITY, 0.01, 1.0


@dataclass(frozen=True)
class _Graph:
    """Nodes being put together, placed in a row."""

    group: GeometryNodeTree

    def add(self, kind: str, inputs: dict[str | int, object], **settings: object) -> Node:
        """Add a node; an input is a value, or the socket it comes from."""
        node = self.group.nodes.new(kind)
        node.location = (200.0 * len(self.group.nodes), 0.0)
        for name, value in settings.items():
            setattr(node, name, value)
        for key, value in inputs.items():
            if isinstance(value, bpy.types.NodeSocket):
                self.group.links.new(value, node.inputs[key])
            else:
                set_value(node.inputs[key], value)
        return node

    def attribute(self, name: str, data_type: str) -> NodeSocket:
        """Read an attribute of the points."""
        kind = "GeometryNodeInputNamedAttribute"
        return self.add(kind, {"Name": name}, data_type=data_type).outputs["Attribute"]

    def math(self, operation: str, *operands: object) -> NodeSocket:
        """Calculate with numbers."""
        inputs: dict[str | int, object] = dict(enumerate(operands))
        return self.add("ShaderNodeMath", inputs, operation=operation).outputs[0]


def _add_nodes(graph: _Graph) -> None:
    given = graph.add("NodeGroupInput", {}).outputs
    color = graph.attribute(COLOR, "FLOAT_COLOR")
    opacity = graph.add("FunctionNodeSeparateColor", {"Color": color}).outputs["Alpha"]
    # The surface lies sqrt(2 ln(opacity / threshold)) standard deviations out.
    ratio = graph.math("DIVIDE", opacity, given["Threshold"])
    above_one = graph.math("MAXIMUM", ratio, 1.0)
    logarithm = graph.math("LOGARITHM", above_one, 2.718281828459045)
    deviations = graph.math("SQRT", graph.math("MULTIPLY", logarithm, 2.0))
    size = graph.math("MULTIPLY", deviations, given["Size"])
    scale = graph.add(
        "ShaderNodeVectorMath",
        {0: graph.attribute("scale", "FLOAT_VECTOR"), "Scale": size},
        operation="SCALE",
    ).outputs["Vector"]
    # Instances would carry harmonics and features along, which nothing reads there.
    points = given["Geometry"]
    for pattern in ("radiance:*", "feature:*"):
        node = graph.add("GeometryNodeRemoveAttribute", {"Geometry": points, "Name": pattern})
        if "Pattern Mode" in node.inputs:
            set_value(node.inputs["Pattern Mode"], "Wildcard")
        else:  # before 5.0
            cast("GeometryNodeRemoveAttribute", node).pattern_mode = "WILDCARD"
        points = node.outputs["Geometry"]
    ball = graph.add(
        "GeometryNodeMeshIcoSphere", {"Radius": 1.0, "Subdivisions": given["Detail"]}
    ).outputs["Mesh"]
    ball = graph.add(
        "GeometryNodeSetMaterial", {"Geometry": ball, "Material": given["Material"]}
    ).outputs["Geometry"]
    bodies = graph.add(
        "GeometryNodeInstanceOnPoints",
        {
            "Points": points,
            "Selection": graph.math("GREATER_THAN", opacity, given["Threshold"]),
            "Instance": ball,
            "Rotation": graph.attribute("rotation", "QUATERNION"),
            "Scale": scale,
        },
    ).outputs["Instances"]
    graph.add("NodeGroupOutput", {"Geometry": bodies})
