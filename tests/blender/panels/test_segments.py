# SPDX-License-Identifier: GPL-3.0-or-later
"""The panel "Segments": how many there are."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.panels.segments import CGC_PT_segments
from cgc_addon.blender.panels.sidebar import CLASSES

from ..recorded_layout import drawn

PANELS = [cls for cls in CLASSES if issubclass(cls, bpy.types.Panel)]


def test_segments_are_counted(segmented):
    shown = drawn(CGC_PT_segments)
    assert "2 segments of 50 Gaussians, 5 are in none." in shown.text
    assert shown.lists[0][0] == "CGC_UL_segments"
    for panel in PANELS:
        drawn(panel)
