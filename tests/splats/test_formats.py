# SPDX-License-Identifier: GPL-3.0-or-later
"""Formats, their endings and their words belong together."""

from __future__ import annotations

from pathlib import Path

import pytest

from cgc_addon.choices import names
from cgc_addon.errors import CgcError
from cgc_addon.splats.formats import ENDINGS, FORMATS, WRITTEN_ENDINGS, format_of


def test_formats_and_endings_belong_together() -> None:
    assert names(FORMATS) == tuple(ENDINGS)
    assert WRITTEN_ENDINGS == (".ply", ".spz", ".sog", ".glb")
    for ending in WRITTEN_ENDINGS:
        assert ENDINGS[format_of(Path(f"a{ending.upper()}"))] == ending
    assert (format_of(Path("a.ply")), format_of(Path("a.ply"), "ply")) == ("plain", "ply")
    with pytest.raises(CgcError, match=r"a\.obj has the ending of no format .*\.ply, \.spz"):
        format_of(Path("a.obj"))
