# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in for a splat in the viewport while the extension draws it: eight points of no size.

They are the corners of its bounding box. So Blender draws nothing itself, and framing, bounding
boxes, instances and hiding are as they always were. Renders show the points of the splat.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import bpy

from ..common.nodes import interface_of, marked_group, marked_modifier, set_value

if TYPE_CHECKING:
    from bpy.types import GeometryNodeTree, NodesModifier, Object

MODIFIER = "Splat Stand-In"
MARK = "cgc_stand_in"
"""Custom property of the node group."""
VERSION = 1


@dataclass
class _Drawing:
    works: bool = True
    """Whether the extension draws what stand-ins stand for."""


_drawing = _Drawing()


def show_stand_in(item: Object) -> None:
    """Leave a splat to the extension to draw, as far as it can, unless the splat is edited."""
    modifier = stand_in_modifier(item)
    if modifier is None:
        modifier = cast("NodesModifier", item.modifiers.new(MODIFIER, "NODES"))
        modifier.node_group = _node_group()
        modifier.show_render = False
        modifier.use_pin_to_last = True
        modifier.show_expanded = False
    _switch(modifier, _drawing.works and item.mode != "EDIT")


def remove_stand_in(item: Object) -> None:
    """Leave a splat to Blender to draw."""
    modifier = stand_in_modifier(item)
    if modifier is not None:
        item.modifiers.remove(modifier)


def stand_in_modifier(item: Object) -> NodesModifier | None:
    """Return the modifier that puts the stand-in in a splat's place."""
    return marked_modifier(item, MARK)


def has_stand_in(item: Object) -> bool:
    """Return whether a splat is left to the extension to draw."""
    modifier = stand_in_modifier(item)
    return modifier is not None and modifier.show_viewport


def switch_all(on: bool) -> None:
    """Switch the stand-ins that this file has on or off; looks without splats have none.

    They stay off while a splat is edited, since one has to see its points, and when the extension
    cannot draw.
    """
    for item in bpy.data.objects:
        if item.type == "POINTCLOUD" and item.is_editable:
            modifier = stand_in_modifier(item)
            if modifier is not None:
                _switch(modifier, on and _drawing.works and item.mode != "EDIT")


def set_drawing(works: bool) -> None:
    """Say whether the extension can draw; where it cannot, Blender draws the points of splats."""
    _drawing.works = works
    switch_all(works)


def _switch(modifier: NodesModifier, on: bool) -> None:
    """Switch one on or off; nothing is evaluated anew where it is so already."""
    if modifier.show_viewport != on:
        modifier.show_viewport = on


def _node_group() -> GeometryNodeTree:
    """Return the node group of this file, made where there is none."""
    if (found := marked_group(MARK, VERSION)) is not None:
        return found
    group = cast("GeometryNodeTree", bpy.data.node_groups.new(MODIFIER, "GeometryNodeTree"))
    group[MARK] = VERSION
    interface = interface_of(group)
    interface.new_socket("Geometry", in_out="INPUT", socket_type="NodeSocketGeometry")
    interface.new_socket("Geometry", in_out="OUTPUT", socket_type="NodeSocketGeometry")
    kinds = ("NodeGroupInput", "GeometryNodeBoundBox", "GeometryNodeMeshToPoints")
    nodes = [group.nodes.new(kind) for kind in (*kinds, "NodeGroupOutput")]
    # Made of a mesh they are points in every Blender, also where the cloud is of Blender's splats.
    for number, (node, following) in enumerate(pairwise(nodes)):
        node.location = (200.0 * number, 0.0)
        group.links.new(node.outputs[0], following.inputs[0])
    nodes[-1].location = (200.0 * len(kinds), 0.0)
    set_value(nodes[2].inputs["Radius"], 0.0)
    return group
