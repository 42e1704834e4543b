# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender's context holds: typed, and where code cannot go on without it, never None.

Blender may have none of it: in background mode, in a script's own context, while it starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from ...errors import CgcError

if TYPE_CHECKING:
    from bpy.types import (
        Area,
        Context,
        Object,
        Preferences,
        Region,
        RegionView3D,
        Scene,
        Screen,
        Space,
        ViewLayer,
        Window,
        WindowManager,
        WorkSpace,
    )

_Member = TypeVar("_Member")


class ContextMembers(Protocol):
    """What there may be.

    Blender's stubs declare the same, but as methods to a type checker: `Context` has a member
    `property`, which hides the decorator of that name.
    """

    area: Area | None
    preferences: Preferences | None
    region: Region | None
    region_data: RegionView3D | None
    scene: Scene | None
    screen: Screen | None
    space_data: Space | None
    view_layer: ViewLayer | None
    window: Window | None
    window_manager: WindowManager | None
    workspace: WorkSpace | None


def members_of(context: Context) -> ContextMembers:
    """Return the context itself, typed."""
    return cast("ContextMembers", context)


def scene_of(context: Context) -> Scene:
    """Return the scene.

    Raises:
        CgcError: there is none, here as in all that follow.
    """
    return _there(members_of(context).scene, "scene")


def view_layer_of(context: Context) -> ViewLayer:
    """Return the view layer."""
    return _there(members_of(context).view_layer, "view layer")


def active_object_of(context: Context) -> Object:
    """Return the active object."""
    return _there(context.active_object, "active object")


def region_of(context: Context) -> Region:
    """Return the region that is being drawn, or that the mouse is in."""
    return _there(members_of(context).region, "region")


def window_manager_of(context: Context) -> WindowManager:
    """Return the window manager, which is there in background mode too."""
    return _there(members_of(context).window_manager, "window manager")


def preferences_of(context: Context) -> Preferences:
    """Return Blender's preferences."""
    return _there(members_of(context).preferences, "preferences")


def _there(member: _Member | None, name: str) -> _Member:
    if member is None:
        raise CgcError(f"Blender's context has no {name}; call this while a file is open.")
    return member
