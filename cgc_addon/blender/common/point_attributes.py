# SPDX-License-Identifier: GPL-3.0-or-later
"""Point clouds and their attributes as numpy arrays, the same way in every Blender."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

import bpy
import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import AttributeTypeItems
    from bpy.types import (
        Attribute,
        EnumProperty,
        FloatAttribute,
        FloatAttributeValue,
        PointCloud,
        Struct,
        bpy_prop_collection,
    )


@dataclass(frozen=True)
class _Storage:
    """How Blender keeps one type of attribute: property of an item, numbers in it, their type."""

    key: str
    width: int
    dtype: type


_STORAGE = {
    "FLOAT": _Storage("value", 1, np.float32),
    "INT": _Storage("value", 1, np.int32),
    "FLOAT_VECTOR": _Storage("vector", 3, np.float32),
    "FLOAT4": _Storage("vector", 4, np.float32),
    "FLOAT_COLOR": _Storage("color", 4, np.float32),
    "QUATERNION": _Storage("value", 4, np.float32),
}


def new_point_cloud(name: str, positions: NDArray[np.float32]) -> PointCloud:
    """Make a point cloud data-block.

    Args:
        name: of the data-block; Blender appends a number where it is taken.
        positions: (N, 3) in the space of the object.
    """
    if _can_resize():
        cloud = bpy.data.pointclouds.new(name)
        cast("_Resizable", cloud).resize(len(positions))
    else:
        cloud = _converted_mesh(name, len(positions))
    write(cloud, "position", "FLOAT_VECTOR", positions)
    return cloud


def resized(cloud: PointCloud, count: int) -> PointCloud:
    """Give a point cloud `count` points, for all its users; their values must be written anew.

    Returns:
        The point cloud; where Blender cannot resize one, another of the same name and materials.
    """
    if len(cloud.points) == count:
        return cloud
    if _can_resize():
        cast("_Resizable", cloud).resize(count)
        return cloud
    name = cloud.name
    replacement = _converted_mesh(name, count)
    for material in cloud.materials:
        replacement.materials.append(material)
    cloud.user_remap(replacement)
    bpy.data.pointclouds.remove(cloud)
    replacement.name = name
    return replacement


def has_type(data_type: str) -> bool:
    """Return whether this Blender knows a type of attribute, such as FLOAT4."""
    types = cast("EnumProperty", bpy.types.Attribute.bl_rna.properties["data_type"])
    return data_type in types.enum_items


def write(
    cloud: PointCloud,
    name: str,
    data_type: str,
    values: NDArray[np.floating] | NDArray[np.integer],
) -> None:
    """Set an attribute of all points, made anew where it is missing or of another type.

    Args:
        cloud: N points.
        name: of the attribute.
        data_type: Blender's word for it, among those in `_STORAGE`.
        values: (N,) or (N, numbers of that type); float32 and int32 are taken without a copy.
    """
    storage = _STORAGE[data_type]
    flat = np.ascontiguousarray(values, dtype=storage.dtype).reshape(-1)
    attribute = cloud.attributes.get(name)
    fitting = attribute and (attribute.data_type, attribute.domain) == (data_type, "POINT")
    if attribute is not None and not fitting:
        cloud.attributes.remove(attribute)
    if attribute is None or not fitting:
        # Among the stubs' types there are none that only later Blenders have.
        attribute = cloud.attributes.new(name, cast("AttributeTypeItems", data_type), "POINT")
    # With an array of the stored type Blender copies memory; any other way asks item by item.
    _items(attribute).foreach_set(storage.key, flat)
    cloud.update_tag()


def read(cloud: PointCloud, name: str) -> NDArray[Any]:
    """Return an attribute as (N,), or (N, numbers of its type), float32 or int32.

    Raises:
        CgcError: the point cloud has no such attribute.
    """
    values = read_or_none(cloud, name)
    if values is None:
        raise CgcError(
            f"The point cloud {cloud.name} has lost its attribute {name}; undo, or import it again."
        )
    return values


def read_or_none(cloud: PointCloud, name: str) -> NDArray[Any] | None:
    """Return an attribute like `read`, or None where no point attribute of numbers has the name."""
    attribute = cloud.attributes.get(name)
    if attribute is None or attribute.domain != "POINT" or attribute.data_type not in _STORAGE:
        return None
    storage = _STORAGE[attribute.data_type]
    count = len(cloud.points)
    values = np.empty(count * storage.width, dtype=storage.dtype)
    _items(attribute).foreach_get(storage.key, values)
    return values if storage.width == 1 else values.reshape(count, storage.width)


def remove(cloud: PointCloud, name: str) -> None:
    """Remove an attribute, if there is one of this name."""
    attribute = cloud.attributes.get(name)
    if attribute is not None:
        cloud.attributes.remove(attribute)


def _items(attribute: Attribute) -> bpy_prop_collection[FloatAttributeValue]:
    """Return what an attribute holds: each type of it has `data`, which their base class lacks."""
    return cast("FloatAttribute", attribute).data


class _Resizable(Protocol):
    """A point cloud of a Blender that can give it other points."""

    def resize(self, size: int) -> None: ...


def _can_resize() -> bool:
    return "resize" in cast("Struct", bpy.types.PointCloud.bl_rna).functions


def _converted_mesh(name: str, count: int) -> PointCloud:
    """Make a point cloud where Blender can only convert a mesh into one.

    The operator that does it wants an object in a scene, selected and out of edit mode. A scene of
    its own keeps the user's selection and mode out of it.
    """
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(count)
    item = bpy.data.objects.new(name, mesh)
    scene = bpy.data.scenes.new(name)
    try:
        scene.collection.objects.link(item)
        layer = scene.view_layers[0]
        layer.objects.active = item
        item.select_set(True, view_layer=layer)
        override: dict[str, Any] = {
            "scene": scene,
            "view_layer": layer,
            "object": item,
            "active_object": item,
            "selected_objects": [item],
            "selected_editable_objects": [item],
        }
        with bpy.context.temp_override(**override):
            bpy.ops.object.convert(target="POINTCLOUD")
        cloud = cast("PointCloud", item.data)
    finally:
        bpy.data.objects.remove(item)
        bpy.data.scenes.remove(scene)
        if mesh.users == 0:
            bpy.data.meshes.remove(mesh)
    remove(cloud, ".select_vert")
    return cloud
