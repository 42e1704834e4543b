# SPDX-License-Identifier: GPL-3.0-or-later
"""The typed descriptions that the package reads properties by say what Blender has registered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_type_hints

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common import access
from cgc_addon.blender.properties import GROUPS

DESCRIPTIONS = {
    "Collection": access.CollectionSettings,
    "Object": access.ObjectSettings,
    "Camera": access.CameraSettings,
    "Scene": access.SceneSettings,
}
TYPES = {"BOOLEAN": bool, "INT": int, "FLOAT": float, "STRING": str, "ENUM": str}


def registered(group: type) -> dict[str, object]:
    """Return the type of each property of a group, as Python sees its values."""
    own = (item for item in group.bl_rna.properties if item.identifier not in ("rna_type", "name"))
    return {
        item.identifier: Sequence[TYPES[item.type]]
        if getattr(item, "is_array", False)
        else TYPES[item.type]
        for item in own
    }


@pytest.mark.parametrize("holder", sorted(DESCRIPTIONS))
def test_what_is_described_is_what_is_registered(holder: str) -> None:
    (group,) = (group for owner, group in GROUPS if owner.__name__ == holder)
    assert get_type_hints(DESCRIPTIONS[holder]) == registered(group)


def test_every_group_is_described() -> None:
    assert {owner.__name__ for owner, _group in GROUPS} == set(DESCRIPTIONS)


def test_each_data_block_gives_its_own_group() -> None:
    scene, collection = bpy.context.scene, bpy.data.collections.new("Any")
    item = bpy.data.objects.new("Any", bpy.data.cameras.new("Any"))
    assert access.of_scene(scene) == scene.cgc
    assert access.of_collection(collection) == collection.cgc
    assert access.of_object(item) == item.cgc
    assert access.of_camera(item.data) == item.data.cgc


def test_every_property_has_a_name_and_no_description_ends_in_a_full_stop() -> None:
    for _owner, group in GROUPS:
        for item in group.bl_rna.properties:
            if item.identifier not in ("rna_type", "name"):
                assert item.name[0].isupper(), item.identifier
                assert not item.description.endswith("."), item.identifier
