# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page sets is what the rest of the package reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_type_hints

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common import interpreter, preferences
from cgc_addon.blender.panels.preferences_page import CgcPreferences
from cgc_addon.errors import CgcError


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(interpreter.VARIABLE, raising=False)


@pytest.fixture
def enabled() -> Iterator[None]:
    """Have the preferences as Blender has them once the extension is enabled."""
    addons = bpy.context.preferences.addons
    addon = addons.new()
    addon.module = preferences.PACKAGE
    yield
    addons.remove(addon)


def test_the_preferences_are_found_under_the_name_that_blender_enables(enabled: None) -> None:
    stored = preferences.stored()
    assert stored is not None
    values = (stored.interpreter, stored.threads, stored.runs, stored.mask_model)
    assert values == ("", 0, "", "")
    stored.interpreter = "/no/such/python"
    with pytest.raises(CgcError, match="/no/such/python"):
        preferences.interpreter()


def test_what_is_described_is_what_can_be_set() -> None:
    types = {"STRING": str, "INT": int}
    own = {
        item.identifier: types[item.type]
        for item in CgcPreferences.bl_rna.properties
        if item.identifier not in ("rna_type", "bl_idname")
    }
    assert own == get_type_hints(preferences.PreferenceSettings)
