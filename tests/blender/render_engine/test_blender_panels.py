# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's panels serve this engine while the add-on is there, and are as before afterwards."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.render_engine import blender_panels
from cgc_addon.blender.render_engine.identity import ENGINE


def names() -> set[str]:
    """Return the panels that are drawn for the engine."""
    panels = bpy.types.Panel.__subclasses__()
    return {p.__name__ for p in panels if ENGINE in getattr(p, "COMPAT_ENGINES", ())}


def test_panels_that_are_of_use_are_there_and_others_not() -> None:
    assert names() >= {
        "RENDER_PT_format",
        "RENDER_PT_output",
        "RENDER_PT_frame_range",
        "RENDER_PT_color_management",
        "VIEWLAYER_PT_layer",
        "WORLD_PT_context_world",
        "EEVEE_WORLD_PT_surface",
        "DATA_PT_lens",
        "OBJECT_PT_visibility",
    }
    assert not names() & {
        "RENDER_PT_freestyle",
        "VIEWLAYER_PT_freestyle",
        "RENDER_PT_stereoscopy",
        "RENDER_PT_simplify",
        "EEVEE_WORLD_PT_volume",
        "VIEWLAYER_PT_layer_passes_cryptomatte",
    }


def test_taking_them_away_leaves_no_trace() -> None:
    before = names()
    blender_panels.unregister()
    assert not names()
    blender_panels.register()
    assert names() == before
