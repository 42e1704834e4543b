# SPDX-License-Identifier: GPL-3.0-or-later
"""What viewports show, kept up to date by Blender's own notices; there is one for all viewports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
from bpy.app.handlers import persistent

from .collect import ShownScene

if TYPE_CHECKING:
    from bpy.types import Depsgraph, Scene

_shown = ShownScene()


def shown_scene() -> ShownScene:
    """Return what viewports show."""
    return _shown


def register() -> None:
    """Listen to Blender."""
    handlers = bpy.app.handlers
    handlers.depsgraph_update_post.append(_updated)
    handlers.frame_change_post.append(_updated)
    handlers.undo_post.append(_undone)
    handlers.redo_post.append(_undone)
    handlers.load_pre.append(_before_load)


def unregister() -> None:
    """Listen no more, and forget what was there."""
    handlers = bpy.app.handlers
    handlers.load_pre.remove(_before_load)
    handlers.redo_post.remove(_undone)
    handlers.undo_post.remove(_undone)
    handlers.frame_change_post.remove(_updated)
    handlers.depsgraph_update_post.remove(_updated)
    _shown.forget()


@persistent
def _updated(_scene: Scene, depsgraph: Depsgraph) -> None:
    _shown.note(depsgraph)


@persistent
def _undone(*_arguments: object) -> None:
    _shown.note_change()


@persistent
def _before_load(*_arguments: object) -> None:
    _shown.forget()
