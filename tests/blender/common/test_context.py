# SPDX-License-Identifier: GPL-3.0-or-later
"""What the context lacks is said; what it has is handed on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common import context
from cgc_addon.errors import CgcError

NAMES = {
    "scene": context.scene_of,
    "view_layer": context.view_layer_of,
    "active_object": context.active_object_of,
    "region": context.region_of,
    "window_manager": context.window_manager_of,
    "preferences": context.preferences_of,
}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_member_is_handed_on_or_missed(name: str) -> None:
    with pytest.raises(CgcError, match=f"no {name.replace('_', ' ')}"):
        NAMES[name](SimpleNamespace(**{name: None}))  # type: ignore[arg-type]
    value: Any = object()
    assert NAMES[name](SimpleNamespace(**{name: value})) is value  # type: ignore[arg-type]


def test_blenders_context_has_every_member_that_is_described() -> None:
    for name in context.ContextMembers.__annotations__:
        assert name in bpy.types.Context.bl_rna.properties, name
