# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-ins are switched on only while the extension is there to draw what they stand for.

Otherwise splats would be invisible: in a file that is opened where the extension is missing, and
after disabling it. So files are saved with stand-ins off, and they are on after opening, appending,
undoing and enabling. While a splat is edited Blender draws it, since one has to see its points.
What is linked from another file is not touched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import bpy
from bpy.app.handlers import persistent

from ..common.access import has_settings, of_object, of_scene
from .looks import apply_look_to, splats_of_scene
from .stand_in import set_drawing, show_stand_in, stand_in_modifier, switch_all

if TYPE_CHECKING:
    from bpy.types import Depsgraph, Object, Scene


@dataclass
class _State:
    edited: set[int] = field(default_factory=set)
    """Objects, by `session_uid`, whose stand-in is off because they are edited."""


_state = _State()


def bring_up_to_date() -> bool:
    """Give the splats of scenes that show splats their stand-ins, and switch these on.

    That is how files of earlier versions, and what is appended from them, come to the look of the
    scene. Nothing is touched that is so already.

    Returns:
        Whether a splat got a stand-in that had none.
    """
    given = False
    for scene in bpy.data.scenes:
        items = [item for item in splats_of_scene(scene) if _is_ours(item)]
        # To ask the scene for settings of ours leaves a trace in it.
        if items and of_scene(scene).look_shape == "SPLATS":
            given |= any(item.is_editable and stand_in_modifier(item) is None for item in items)
            apply_look_to(items, scene)
            _state.edited.update(item.session_uid for item in items if item.mode == "EDIT")
    return given


def register() -> None:
    """Switch them on, and again whenever something came that may have them off."""
    for event, handler in _handlers():
        event.append(handler)
    if hasattr(bpy.data, "scenes"):
        _when_enabled()
    elif not bpy.app.background:  # Blender shows no data to an extension that is being enabled
        bpy.app.timers.register(_when_enabled, first_interval=0.0)


def unregister() -> None:
    """Switch them off."""
    if bpy.app.timers.is_registered(_when_enabled):
        bpy.app.timers.unregister(_when_enabled)
    for event, handler in reversed(_handlers()):
        event.remove(handler)
    if hasattr(bpy.data, "objects"):
        switch_all(False)
    _state.edited.clear()


def _handlers() -> list[tuple[list[Any], Any]]:
    handlers = bpy.app.handlers
    return [
        (handlers.load_post, _after_load),
        (handlers.blend_import_post, _after_load),
        (handlers.undo_post, _switch_on),
        (handlers.redo_post, _switch_on),
        (handlers.save_pre, _switch_off),
        (handlers.save_post, _switch_on),
        (handlers.save_post_fail, _switch_on),
        (handlers.depsgraph_update_post, _after_update),
    ]


def _when_enabled() -> None:
    set_drawing(True)
    # What refers to a new data-block needs an undo step: undo would leave it referring to nothing.
    if bring_up_to_date():
        bpy.ops.ed.undo_push(message="Show Splats")


@persistent
def _after_load(*_arguments: object) -> None:
    bring_up_to_date()


@persistent
def _switch_on(*_arguments: object) -> None:
    switch_all(True)


@persistent
def _switch_off(*_arguments: object) -> None:
    switch_all(False)


@persistent
def _after_update(_scene: Scene, depsgraph: Depsgraph) -> None:
    """See whether a splat is edited now, or no longer."""
    if depsgraph.mode != "VIEWPORT":
        return
    for update in depsgraph.updates:
        if not (update.is_updated_geometry and isinstance(update.id, bpy.types.Object)):
            continue
        item = cast("Object", update.id.original)
        edited = item.mode == "EDIT"
        if item.type != "POINTCLOUD" or edited == (item.session_uid in _state.edited):
            continue
        (_state.edited.add if edited else _state.edited.remove)(item.session_uid)
        if item.is_editable and stand_in_modifier(item) is not None:
            show_stand_in(item)


def _is_ours(item: Object) -> bool:
    """Return whether a splat got a look of ours; not one that Blender itself imported."""
    if stand_in_modifier(item) is not None:
        return True
    return has_settings(item) and of_object(item).kind == "SPLAT"
