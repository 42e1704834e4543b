# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's own pages are there for it alone and offer what it has."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.render_engine.panels import (
    CLASSES,
    CGC_PT_render_passes,
    CGC_PT_render_splats,
)

from ..recorded_layout import drawn


def test_they_are_there_for_this_engine_alone(scene) -> None:
    assert all(cls.poll(bpy.context) for cls in CLASSES)
    scene.render.engine = "BLENDER_WORKBENCH"
    assert not any(cls.poll(bpy.context) for cls in CLASSES)


def test_they_offer_what_the_engine_has(scene) -> None:
    assert drawn(CGC_PT_render_splats).properties == ["backend", "film_transparent"]
    scene.view_settings.view_transform = "Filmic" if bpy.app.version < (5, 0) else "AgX"
    told = drawn(CGC_PT_render_splats)
    assert told.properties == ["backend", "film_transparent", "view_transform"]
    assert any("Standard keeps the colours" in text for text in told.texts)
    assert drawn(CGC_PT_render_passes).properties == [
        "use_pass_z",
        "use_pass_position",
        "use_pass_object_index",
        "use_pass_cryptomatte_object",
        "pass_cryptomatte_depth",
    ]
