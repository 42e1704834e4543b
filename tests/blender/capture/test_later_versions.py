# SPDX-License-Identifier: GPL-3.0-or-later
"""What a later version wrote is named, with what to do about it."""

from __future__ import annotations

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.capture.later_versions import check_version, later_version_sentence
from cgc_addon.blender.capture.parts import new_capture
from cgc_addon.blender.common.access import of_collection, of_scene
from cgc_addon.blender.common.format_version import FORMAT_VERSION
from cgc_addon.errors import CgcError


def test_what_this_version_knows_is_no_news() -> None:
    capture = new_capture(bpy.context.scene, "desk", None)
    for version in range(FORMAT_VERSION + 1):
        of_collection(capture).version = version
        check_version(capture)
    assert later_version_sentence([capture], [bpy.context.scene]) == ""


def test_a_capture_of_a_later_version_is_named() -> None:
    capture = new_capture(bpy.context.scene, "desk", None)
    of_collection(capture).version = 7
    sentence = later_version_sentence([capture], [bpy.context.scene])
    assert sentence.startswith("The capture desk was saved by a later version of this extension")
    assert f"(format 7; this one knows {FORMAT_VERSION})" in sentence
    with pytest.raises(CgcError, match="The capture desk was saved by a later version"):
        check_version(capture)


def test_so_is_a_scene() -> None:
    of_scene(bpy.context.scene).version = 7
    sentence = later_version_sentence([], [bpy.context.scene])
    assert sentence.startswith("The scene Scene was saved by a later version")
