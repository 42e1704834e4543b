# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether anything can instance the splats of a scene, without a walk over all its instances.

Scenes with hundreds of thousands of blades of grass are common, and each change would have to wait
for a walk over them in Python.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import bpy

from ..splats.stand_in import stand_in_modifier

if TYPE_CHECKING:
    from bpy.types import ID, Object

HARMLESS = (
    bpy.types.Collection,
    bpy.types.Scene,
    bpy.types.Screen,
    bpy.types.WindowManager,
    bpy.types.WorkSpace,
)
"""What refers to objects and collections without instancing them."""


def may_be_instanced(splats: Collection[Object]) -> bool:
    """Return whether anything may instance some splats, directly or within collections."""
    if any(_is_instanced_by_parent(item) for item in splats):
        return True
    seen: set[ID] = set()
    waiting: list[ID] = list(splats)
    while waiting:
        seen.update(waiting)
        users: set[ID] = set().union(*bpy.data.user_map(subset=waiting).values())
        if any(_may_instance(user) for user in users):
            return True
        waiting = [user for user in users - seen if isinstance(user, bpy.types.Collection)]
    return False


def _may_instance(user: ID) -> bool:
    """Return whether something instances the object or the collection that it refers to."""
    if isinstance(user, bpy.types.Object):
        nodes = sum(modifier.type == "NODES" for modifier in user.modifiers)
        own = nodes > 0 and stand_in_modifier(user) is not None
        return user.instance_type != "NONE" or nodes > own
    return not isinstance(user, HARMLESS)


def _is_instanced_by_parent(item: Object) -> bool:
    parent = item.parent
    while parent is not None:
        if parent.instance_type in ("VERTS", "FACES"):
            return True
        parent = parent.parent
    return False
