# SPDX-License-Identifier: GPL-3.0-or-later
"""The image that a look at masks leaves: one in every file, shown in an Image Editor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import bpy

from ..common.context import window_manager_of
from ..common.windows import areas_of

if TYPE_CHECKING:
    from bpy.types import Image, SpaceImageEditor

PICTURE = "CGC Masks"
"""Name of the image that the last look is in."""


def show_picture(file: Path) -> Image:
    """Load a picture as the image `PICTURE`, packed, and show it in an Image Editor."""
    image = bpy.data.images.load(str(file))
    image.pack()
    former = bpy.data.images.get(PICTURE)
    if former is not None:
        former.user_remap(image)
        bpy.data.images.remove(former)
    image.name = PICTURE
    if not bpy.app.background:
        # Not from here: a window that opens while an operator is modal has it called twice.
        bpy.app.timers.register(_show_image)
    return image


def _show_image() -> None:
    """Show the picture in an Image Editor that is open, else in a new window, as renders are."""
    image, manager = bpy.data.images.get(PICTURE), window_manager_of(bpy.context)
    editors = list(areas_of(bpy.context, "IMAGE_EDITOR"))
    if not editors:
        with bpy.context.temp_override(window=manager.windows[0]):
            bpy.ops.wm.window_new()
        editors = [manager.windows[-1].screen.areas[0]]
        editors[0].type = "IMAGE_EDITOR"
    cast("SpaceImageEditor", editors[0].spaces.active).image = image
