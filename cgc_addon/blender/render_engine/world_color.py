# SPDX-License-Identifier: GPL-3.0-or-later
"""The colour behind everything: the world's, as far as it is one colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import bpy
import numpy as np
from mathutils import Color
from numpy.typing import NDArray

if TYPE_CHECKING:
    from bpy.types import Node, NodeTree, World

Linear = tuple[float, float, float]


def world_color(world: World | None) -> tuple[Linear, bool]:
    """Return the linear colour of a world, and whether it is all that the world shows.

    It is colour times strength of the Background node where nothing is linked to these; with
    other nodes, and without any, it is the colour that the world has for viewports.
    """
    if world is None:
        return (0.0, 0.0, 0.0), True
    plain = _numbers(world.color)
    tree = world.node_tree
    unused = bpy.app.version < (5, 0) and not world.use_nodes  # later ones always use them
    if tree is None or unused:
        return plain, True
    background = _background(tree)
    if background is None:
        return plain, False
    color, strength = background.inputs["Color"], background.inputs["Strength"]
    if background.mute or color.is_linked or strength.is_linked:
        return plain, False
    factor = float(cast("Any", strength).default_value)
    red, green, blue = _numbers(cast("Any", color).default_value)
    return (factor * red, factor * green, factor * blue), True


def scene_primaries() -> NDArray[np.float64]:
    """Return the matrix (3, 3) from linear Rec. 709 to the linear colours of the open file."""
    columns = []
    for axis in np.eye(3).tolist():
        columns.append(_numbers(Color(axis).from_rec709_linear_to_scene_linear()))
    return np.array(columns, dtype=np.float64).T


def _background(tree: NodeTree) -> Node | None:
    """Return the Background node that alone makes the world, None where others have a part."""
    for node in tree.nodes:
        if node.bl_idname == "ShaderNodeOutputWorld" and getattr(node, "is_active_output", True):
            links = node.inputs["Surface"].links or ()
            source = links[0].from_node if links else None
            if source is not None and source.bl_idname == "ShaderNodeBackground":
                return source
    return None


def _numbers(color: Any) -> Linear:
    return float(color[0]), float(color[1]), float(color[2])
