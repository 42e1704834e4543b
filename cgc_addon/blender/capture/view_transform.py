# SPDX-License-Identifier: GPL-3.0-or-later
"""The view transform of a scene: one shows photos as they are, others are made for lit scenes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ..common.context import members_of, scene_of

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context, Scene

KEEPS_COLORS = "Standard"
FACTORY = "AgX"


def keep_photo_colors(scene: Scene) -> None:
    """Let a scene show the colours of photos as they are."""
    _choose(scene, KEEPS_COLORS)


def keep_photo_colors_if_untouched(scene: Scene) -> None:
    """Do so where nobody has chosen a view transform yet."""
    if view_transform(scene) == FACTORY:
        _choose(scene, KEEPS_COLORS)


def changes_photo_colors(scene: Scene) -> bool:
    """Return whether a scene shows photos in other colours than they have."""
    return view_transform(scene) not in ("", KEEPS_COLORS)


def view_transform(scene: Scene) -> str:
    """Return the name of a scene's view transform."""
    settings = scene.view_settings
    return "" if settings is None else settings.view_transform


def _choose(scene: Scene, name: str) -> None:
    settings = scene.view_settings
    assert settings is not None
    # Blender reads what can be chosen here from a file.
    settings.view_transform = name  # pyright: ignore[reportAttributeAccessIssue]


class CGC_OT_keep_photo_colors(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.keep_photo_colors`."""

    bl_idname = "cgc.keep_photo_colors"
    bl_label = "Keep Photo Colors"
    bl_description = (
        "Set the scene's view transform to Standard, which shows photos and splats in their own "
        "colours; others change them in renders, in Rendered and in Material Preview"
    )
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's convention

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need a scene whose view transform changes colours."""
        scene = members_of(context).scene
        if scene is not None and changes_photo_colors(scene):
            return True
        cls.poll_message_set("The scene shows photos as they are")
        return False

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Set it."""
        keep_photo_colors(scene_of(context))
        return {"FINISHED"}


def register() -> None:
    """Add the operator."""
    bpy.utils.register_class(CGC_OT_keep_photo_colors)


def unregister() -> None:
    """Take it away again."""
    bpy.utils.unregister_class(CGC_OT_keep_photo_colors)
