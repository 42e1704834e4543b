# SPDX-License-Identifier: GPL-3.0-or-later
"""The sparse points of a reconstruction as a point cloud in their colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from ...srgb import linear_from_srgb
from ..common.access import of_object
from ..common.nodes import add_attribute
from ..common.point_attributes import new_point_cloud, write
from .parts import objects_of_kind, part, root_of

if TYPE_CHECKING:
    from bpy.types import Collection, Material, PointCloud

_MATERIAL = "CGC Sparse Points"
_COLOR = "point_color"
"""Not `color`: Cycles finds nothing under that name."""


def new_sparse_points(
    positions: NDArray[np.float32], colors: NDArray[np.uint8], radius: float
) -> PointCloud:
    """Make a point cloud that no object has yet.

    Args:
        positions: (P, 3) in the capture's frame.
        colors: (P, 3) sRGB.
        radius: of each point, in units of the capture's frame.
    """
    cloud = new_point_cloud("Sparse Points", positions)
    cloud.materials.append(_material())
    _write_look(cloud, colors, radius)
    return cloud


def show_sparse_points(capture: Collection, cloud: PointCloud) -> None:
    """Put a point cloud of `new_sparse_points` into a capture, in place of what it had.

    The object that showed the points before goes on with the new ones, and keeps its materials.
    """
    existing = objects_of_kind(capture, "POINTS")
    if not existing:
        item = bpy.data.objects.new("Sparse Points", cloud)
        of_object(item).kind = "POINTS"
        item.parent = root_of(capture)
        part(capture, "POINTS", "Points").objects.link(item)
        return
    item = existing[0]
    before = cast("PointCloud", item.data)
    cloud.materials.clear()
    for material in before.materials:
        cloud.materials.append(material)
    name = before.name
    before.user_remap(cloud)
    bpy.data.pointclouds.remove(before)
    cloud.name = name


def _write_look(cloud: PointCloud, colors: NDArray[np.uint8], radius: float) -> None:
    linear = linear_from_srgb(colors / 255.0)
    write(cloud, _COLOR, "FLOAT_COLOR", np.column_stack([linear, np.ones(len(linear))]))
    write(cloud, "radius", "FLOAT", np.full(len(linear), radius, dtype=np.float32))


def _material() -> Material:
    """Return the material that shows the colours of the points, made where it is missing."""
    existing = bpy.data.materials.get(_MATERIAL)
    if existing is not None:
        return existing
    material = bpy.data.materials.new(_MATERIAL)
    if material.node_tree is None:  # from 5.0 on it is always there
        material.use_nodes = True
    tree = material.node_tree
    assert tree is not None
    tree.nodes.clear()
    attribute = add_attribute(tree, "GEOMETRY", _COLOR)
    emission = tree.nodes.new("ShaderNodeEmission")
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(attribute.outputs["Color"], emission.inputs["Color"])
    tree.links.new(emission.outputs["Emission"], output.inputs["Surface"])
    for place, node in enumerate((attribute, emission, output)):
        node.location = Vector((220.0 * (place - 1), 0.0))
    return material
