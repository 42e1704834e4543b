# SPDX-License-Identifier: GPL-3.0-or-later
"""The button that lets a scene show photos as they are."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.view_transform import changes_photo_colors


def test_one_click_keeps_the_colours_of_photos() -> None:
    assert changes_photo_colors(bpy.context.scene)
    assert bpy.ops.cgc.keep_photo_colors() == {"FINISHED"}
    assert bpy.context.scene.view_settings.view_transform == "Standard"
    assert not changes_photo_colors(bpy.context.scene)
    assert not bpy.ops.cgc.keep_photo_colors.poll()
