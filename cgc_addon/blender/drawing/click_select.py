# SPDX-License-Identifier: GPL-3.0-or-later
"""A click selects the splat that is seen there, as Blender selects what it draws itself.

Wherever no splat is seen, or something of Blender's own lies before it, the click goes on to
Blender's own operator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

import bpy
from bpy.props import BoolProperty
from bpy_extras import view3d_utils

from ..common.access import of_scene
from ..common.context import members_of, preferences_of, scene_of, view_layer_of, window_manager_of
from ..splats.looks import is_segment
from .line_objects import REACH, line_object_at
from .pick import Hit, pick
from .shown import Viewpoint, viewpoint_of
from .watch import shown_scene

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import (
        Context,
        Event,
        KeyMap,
        KeyMapItem,
        Object,
        Region,
        RegionView3D,
        SpaceView3D,
    )

MOUSE_BUTTONS: tuple[Literal["LEFTMOUSE"], Literal["RIGHTMOUSE"]] = ("LEFTMOUSE", "RIGHTMOUSE")


@dataclass
class _Keys:
    items: list[tuple[KeyMap, KeyMapItem]] = field(default_factory=list)


_keys = _Keys()


def gaussian_seen(
    context: Context, viewpoint: Viewpoint, x: float, y: float
) -> tuple[Object, Hit] | None:
    """Return the object whose splat is seen at a place, and which of its Gaussians.

    What Blender draws itself hides nothing here. None: no splat is seen there.

    Args:
        context: its viewport decides what is visible, where it has one.
        viewpoint: from where.
        x: px from the left edge.
        y: px from the lower edge.
    """
    depsgraph = context.evaluated_depsgraph_get()
    space = cast("SpaceView3D | None", members_of(context).space_data)
    if space is not None and not space.show_object_select_pointcloud:
        return None
    appearances = shown_scene().appearances(depsgraph, space)
    owners = owner_objects(context, space)
    chosen = [number for number, owner in enumerate(owners) if owner and not owner.hide_select]
    size = of_scene(scene_of(context)).look_size if chosen else 1.0
    groups = groups_of([owners[number] for number in chosen])
    hit = pick([appearances[number] for number in chosen], viewpoint, x, y, size, groups)
    owner = None if hit is None else owners[chosen[hit.appearance]]
    return None if hit is None or owner is None else (owner, hit)


def groups_of(owners: Sequence[Object | None]) -> list[int]:
    """Return a number for each object, the same for those that are in one segment."""
    segments: dict[int, int] = {}
    for collection in bpy.data.collections:
        if is_segment(collection):
            for item in collection.objects:
                segments.setdefault(item.session_uid, collection.session_uid)
    identifiers = [0 if owner is None else owner.session_uid for owner in owners]
    return [segments.get(identifier, identifier) for identifier in identifiers]


def owner_objects(context: Context, space: SpaceView3D | None) -> list[Object | None]:
    """Return the object that each appearance belongs to, None for one of another view layer."""
    known = {item.session_uid: item for item in view_layer_of(context).objects}
    owners = shown_scene().owners(context.evaluated_depsgraph_get(), space)
    return [known.get(identifier) for identifier in owners]


def splat_at(context: Context, x: float, y: float, *, splats_only: bool = False) -> Object | None:
    """Return the object whose splat is seen at a place of the viewport, None where none is.

    Args:
        context: of a 3D viewport.
        x: px from the left edge of its region.
        y: px from the lower edge.
        splats_only: whether what Blender draws itself hides nothing.
    """
    region = cast("Region", members_of(context).region)
    view = cast("RegionView3D", members_of(context).region_data)
    viewpoint = viewpoint_of(view, region.width, region.height)
    seen = gaussian_seen(context, viewpoint, x, y)
    if seen is None:
        return None
    if not splats_only and _something_before(context, viewpoint, x, y, seen[1].depth):
        return None
    return seen[0]


def select(context: Context, item: Object, extend: bool) -> bool:
    """Select an object as Blender's own click does; return whether that was possible.

    Alone and active; or, extending, beside the others: what is selected and active already is
    deselected then.
    """
    layer = view_layer_of(context)
    if extend and item == layer.objects.active and item.select_get(view_layer=layer):
        item.select_set(False, view_layer=layer)
        return True
    selected = item.select_get(view_layer=layer)
    item.select_set(True, view_layer=layer)
    if not (selected or item.select_get(view_layer=layer)):  # its collection forbids it
        return False
    if not extend:
        for other in list(layer.objects.selected):
            if other != item:
                other.select_set(False, view_layer=layer)
    layer.objects.active = item
    return True


def select_mouse(context: Context) -> str:
    """Return the button of the mouse that selects, as far as the keymap says so."""
    configuration = window_manager_of(context).keyconfigs.active
    chosen: Any = None if configuration is None else configuration.preferences
    right = getattr(chosen, "select_mouse", "LEFT") == "RIGHT"
    return "RIGHTMOUSE" if right else "LEFTMOUSE"


def _something_before(
    context: Context, viewpoint: Viewpoint, x: float, y: float, depth: float
) -> bool:
    """Return whether something of Blender's own that can be selected lies before a depth."""
    region = cast("Region", members_of(context).region)
    view = cast("RegionView3D", members_of(context).region_data)
    place = (x, y)
    origin = view3d_utils.region_2d_to_origin_3d(region, view, place)
    direction = view3d_utils.region_2d_to_vector_3d(region, view, place)
    selectable = list(context.selectable_objects or ())
    depsgraph = context.evaluated_depsgraph_get()
    found, location, _, _, item, _ = scene_of(context).ray_cast(depsgraph, origin, direction)
    if found and item in selectable and -(view.view_matrix @ location).z < depth:
        return True
    reach = REACH * (preferences_of(context).system.ui_scale or 1.0)
    nearest = line_object_at(selectable, scene_of(context), viewpoint, x, y, reach)
    return nearest is not None and nearest < depth


class CGC_OT_click_select(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.click_select`."""

    bl_idname = "cgc.click_select"
    bl_label = "Select Splat"
    bl_description = "Select the splat under the mouse"
    bl_options = {"UNDO", "INTERNAL"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        extend: bool
        splats_only: bool
    else:
        extend: BoolProperty(
            name="Extend",
            description="Leave selected what is; deselect the splat if it is active already",
            options={"SKIP_SAVE"},
        )
        splats_only: BoolProperty(
            name="Splats Only",
            description="Select the splat also where something else lies before it",
            options={"SKIP_SAVE"},
        )

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Want a 3D viewport in object mode."""
        return context.mode == "OBJECT" and members_of(context).region_data is not None

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Select what is seen there, or leave the click to others."""
        if event.type in MOUSE_BUTTONS and event.type != select_mouse(context):
            return {"PASS_THROUGH"}
        place = (event.mouse_region_x + 0.5, event.mouse_region_y + 0.5)
        item = splat_at(context, *place, splats_only=self.splats_only)
        if item is None or not select(context, item, self.extend):
            return {"PASS_THROUGH"}
        return {"FINISHED"}


def register() -> None:
    """Add the operator and its keys."""
    bpy.utils.register_class(CGC_OT_click_select)
    configuration = window_manager_of(bpy.context).keyconfigs.addon
    if configuration is None:  # in background mode
        return
    keymap = configuration.keymaps.new(name="3D View", space_type="VIEW_3D")
    for button in MOUSE_BUTTONS:
        for extend in (False, True):
            # Before Blender's own, or that would deselect all first.
            item = keymap.keymap_items.new(
                CGC_OT_click_select.bl_idname, button, "CLICK", shift=extend, head=True
            )
            cast("Any", item.properties).extend = extend
            _keys.items.append((keymap, item))


def unregister() -> None:
    """Take them away again."""
    for keymap, item in _keys.items:
        keymap.keymap_items.remove(item)
    _keys.items.clear()
    bpy.utils.unregister_class(CGC_OT_click_select)
