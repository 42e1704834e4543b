# SPDX-License-Identifier: GPL-3.0-or-later
"""How large the points of a splat are: a factor on their radii, by geometry nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import bpy

from ..common.nodes import (
    interface_of,
    marked_group,
    marked_modifier,
    new_number,
    set_input,
    set_value,
)

if TYPE_CHECKING:
    from bpy.types import (
        GeometryNodeInputNamedAttribute,
        GeometryNodeTree,
        NodesModifier,
        Object,
        ShaderNodeMath,
    )

MODIFIER = "Point Size"
MARK = "cgc_point_size"
"""Custom property of the node group."""
VERSION = 1


def show_points(item: Object, size: float) -> None:
    """Draw a splat as points; at a size of 1 nothing has to be done for that."""
    if point_modifier(item) is not None or size == 1.0:
        return
    modifier = cast("NodesModifier", item.modifiers.new(MODIFIER, "NODES"))
    modifier.node_group = _node_group()
    set_input(modifier, "Size", size)
    item.update_tag()


def hide_points(item: Object) -> None:
    """Leave the points as they are, for another look."""
    modifier = point_modifier(item)
    if modifier is not None:
        item.modifiers.remove(modifier)


def point_modifier(item: Object) -> NodesModifier | None:
    """Return the modifier that sets the size of a splat's points."""
    return marked_modifier(item, MARK)


def _node_group() -> GeometryNodeTree:
    """Return the node group of this file, made where there is none."""
    if (found := marked_group(MARK, VERSION)) is not None:
        return found
    group = cast("GeometryNodeTree", bpy.data.node_groups.new(MODIFIER, "GeometryNodeTree"))
    group[MARK] = VERSION
    interface = interface_of(group)
    interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    size = new_number(group, "Size", "NodeSocketFloat")
    size.description = "Factor on the size of every point"
    size.default_value, size.min_value = 1.0, 0.0
    kinds = (
        "NodeGroupInput",
        "GeometryNodeInputNamedAttribute",
        "ShaderNodeMath",
        "GeometryNodeSetPointRadius",
        "NodeGroupOutput",
    )
    given, radius, scaled, points, result = (group.nodes.new(kind) for kind in kinds)
    cast("GeometryNodeInputNamedAttribute", radius).data_type = "FLOAT"
    set_value(radius.inputs["Name"], "radius")
    cast("ShaderNodeMath", scaled).operation = "MULTIPLY"
    links = (
        (radius.outputs["Attribute"], scaled.inputs[0]),
        (given.outputs["Size"], scaled.inputs[1]),
        (given.outputs["Geometry"], points.inputs["Points"]),
        (scaled.outputs[0], points.inputs["Radius"]),
        (points.outputs[0], result.inputs[0]),
    )
    for start, end in links:
        group.links.new(start, end)
    for number, node in enumerate((given, radius, scaled, points, result)):
        node.location = (200.0 * number, 0.0)
    return group
