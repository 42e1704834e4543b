# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written into a point cloud is read back, to the last bit, in every mode of Blender."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common import point_attributes
from cgc_addon.errors import CgcError

WIDTHS = {
    "FLOAT": (),
    "INT": (),
    "FLOAT_VECTOR": (3,),
    "FLOAT_COLOR": (4,),
    "QUATERNION": (4,),
    "FLOAT4": (4,),
}


def values_of(data_type: str, count: int) -> np.ndarray:
    generator = np.random.default_rng(0)
    if data_type == "INT":
        return generator.integers(-(2**31), 2**31, count, dtype=np.int64).astype(np.int32)
    return generator.normal(scale=100, size=(count, *WIDTHS[data_type])).astype(np.float32)


@pytest.mark.parametrize("data_type", WIDTHS)
def test_values_come_back(data_type) -> None:
    if not point_attributes.has_type(data_type):
        pytest.skip(f"this Blender has no {data_type}")
    values = values_of(data_type, 1000)
    cloud = point_attributes.new_point_cloud("cloud", values_of("FLOAT_VECTOR", 1000))
    point_attributes.write(cloud, "radiance:test", data_type, values)
    read = point_attributes.read(cloud, "radiance:test")
    assert read.dtype == values.dtype
    np.testing.assert_array_equal(read, values)


def test_values_of_another_type_and_order_in_memory_are_written_as_they_are_meant() -> None:
    cloud = point_attributes.new_point_cloud("cloud", np.arange(12.0).reshape(3, 4).T)
    expected = np.arange(12.0).reshape(3, 4).T
    np.testing.assert_array_equal(point_attributes.read(cloud, "position"), expected)


def test_an_attribute_of_another_type_is_made_anew() -> None:
    cloud = point_attributes.new_point_cloud("cloud", np.zeros((3, 3)))
    point_attributes.write(cloud, "value", "FLOAT", np.array([0.5, 1.5, 2.5]))
    point_attributes.write(cloud, "value", "INT", np.array([4, 5, 6]))
    assert point_attributes.read(cloud, "value").tolist() == [4, 5, 6]
    assert [a.name for a in cloud.attributes].count("value") == 1


def test_a_missing_attribute_is_none_or_an_error_that_names_it() -> None:
    cloud = point_attributes.new_point_cloud("chair", np.zeros((3, 3)))
    assert point_attributes.read_or_none(cloud, "scale") is None
    with pytest.raises(CgcError, match=r"chair .* scale"):
        point_attributes.read(cloud, "scale")
    point_attributes.remove(cloud, "scale")


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_a_point_cloud_has_the_points_asked_for_and_leaves_nothing_behind(count) -> None:
    cloud = point_attributes.new_point_cloud("cloud", np.ones((count, 3)))
    assert (len(cloud.points), cloud.name, cloud.users) == (count, "cloud", 0)
    assert point_attributes.read(cloud, "position").shape == (count, 3)
    assert [len(bpy.data.scenes), len(bpy.data.objects), len(bpy.data.meshes)] == [1, 0, 0]


def test_a_point_cloud_is_made_in_edit_mode_and_the_selection_stays() -> None:
    item = bpy.data.objects.new("mesh", bpy.data.meshes.new("mesh"))
    bpy.context.scene.collection.objects.link(item)
    bpy.context.view_layer.objects.active = item
    item.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    scene = bpy.context.scene
    cloud = point_attributes.new_point_cloud("cloud", np.ones((5, 3)))
    assert len(cloud.points) == 5
    assert (item.mode, item.select_get()) == ("EDIT", True)
    assert (bpy.context.active_object, bpy.context.scene) == (item, scene)


@pytest.mark.parametrize("count", [7, 2, 0])
def test_a_resized_point_cloud_stays_with_its_users_and_keeps_name_and_materials(count) -> None:
    material = bpy.data.materials.new("material")
    cloud = point_attributes.new_point_cloud("cloud", np.ones((5, 3)))
    cloud.materials.append(material)
    users = [bpy.data.objects.new("user", cloud) for _ in range(2)]
    result = point_attributes.resized(cloud, count)
    assert len(result.points) == count
    assert [item.data for item in users] == [result, result]
    assert (result.name, list(result.materials)) == ("cloud", [material])
    assert len(bpy.data.pointclouds) == 1
