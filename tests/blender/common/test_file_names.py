# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that people gave become names of files on any system."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common.file_names import file_names


def test_names_are_safe_on_every_system_and_never_alike() -> None:
    names = ["Chair", "chair", "CHAIR", "a/b", "a\\b", "NUL", "con.txt", " .. ", "", "Ä" * 200]
    result = file_names([*names, "e\u0301", "\u00e9", "x\ny", "chair 2"], "segment")
    assert result[:5] == ["Chair", "chair 2", "CHAIR 3", "a_b", "a_b 2"]
    assert result[5:9] == ["_NUL", "_con.txt", "segment", "segment 2"]
    assert len(result[9].encode()) <= 120
    assert result[10:] == ["\u00e9", "\u00e9 2", "x_y", "chair 2 2"]
    assert len({name.casefold() for name in result}) == len(result)
