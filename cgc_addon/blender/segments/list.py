# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of a capture's segments: colour, name, how many Gaussians, selected, shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import EnumProperty

from ..capture.parts import active_capture
from ..common.access import of_collection, of_scene
from .data import all_segments, count_of

if TYPE_CHECKING:
    from bpy.types import Collection, Context, Scene, UILayout

ORDERS = (
    ("NUMBER", "Number", "By the number of the segment in label maps", "LINENUMBERS_ON", 0),
    ("NAME", "Name", "By name", "SORTALPHA", 1),
    ("SIZE", "Size", "By the count of Gaussians, the largest first", "SORTSIZE", 2),
)


class CGC_UL_segments(bpy.types.UIList):  # noqa: N801 - Blender's convention
    """Rows of `bpy.data.collections`; all but the active capture's segments are left out."""

    if TYPE_CHECKING:
        order: str
    else:
        order: EnumProperty(name="Order", description="How segments are sorted", items=ORDERS)

    def draw_item(
        self,
        context: Context,
        layout: UILayout,
        data: Any,
        item: Any,
        icon: int | None,
        active_data: Any,
        active_property: str | None,
        index: int | None = 0,
        flt_flag: int | None = 0,
    ) -> None:
        """Draw the row of one segment."""
        collection: Collection = item
        settings = of_collection(collection)
        row = layout.row(align=True)
        swatch = row.row()
        swatch.ui_units_x = 0.9
        if settings.kind == "SEGMENT":
            swatch.prop(settings, "color", text="")
        else:
            swatch.label(icon="GHOST_DISABLED")
        row.prop(settings, "title", text="", emboss=False)
        count = row.row()
        count.alignment = "RIGHT"
        count.label(text=f"{count_of(collection):,}")
        icon_name = "RESTRICT_SELECT_OFF" if settings.selected else "RESTRICT_SELECT_ON"
        row.prop(settings, "selected", text="", emboss=False, icon=icon_name)
        icon_name = "HIDE_OFF" if settings.shown else "HIDE_ON"
        row.prop(settings, "shown", text="", emboss=False, icon=icon_name)

    def draw_filter(self, context: Context, layout: UILayout) -> None:
        """Draw the field to search and the orders."""
        row = layout.row(align=True)
        row.prop(self, "filter_name", text="", icon="VIEWZOOM")
        row.prop(self, "use_filter_invert", text="", icon="ARROW_LEFTRIGHT")
        row = layout.row(align=True)
        row.prop(self, "order", expand=True)
        row.prop(self, "use_filter_sort_reverse", text="", icon="SORT_DESC")

    def filter_items(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        context: Context,
        data: Any,
        property: str,  # noqa: A002 - Blender names it
    ) -> tuple[list[int], list[int]]:
        """Return which rows are shown, and their places."""
        rows: list[Collection] = list(getattr(data, property))
        capture = active_capture(context)
        segments = all_segments(capture) if capture else []
        text, inverted = self.filter_name.casefold(), self.use_filter_invert and self.filter_name
        shown = [
            segment
            for segment in ordered(segments, self.order, self.use_filter_sort_reverse)
            if (text in segment.name.casefold()) != bool(inverted)
        ]
        places = {segment: place for place, segment in enumerate(shown)}
        flags = [self.bitflag_filter_item if row in places else 0 for row in rows]
        hidden = iter(range(len(shown), len(rows)))
        return flags, [places[row] if row in places else next(hidden) for row in rows]


def ordered(segments: list[Collection], order: str, backward: bool = False) -> list[Collection]:
    """Return segments in an order of `ORDERS`; Unassigned is last in any case."""

    def key(collection: Collection) -> tuple[object, ...]:
        settings = of_collection(collection)
        if order == "NAME":
            return (collection.name.casefold(), settings.segment)
        if order == "SIZE":
            return (-count_of(collection), settings.segment)
        return (settings.segment,)

    found = sorted(segments, key=key, reverse=backward)
    return sorted(found, key=lambda collection: of_collection(collection).kind != "SEGMENT")


def draw_segments(layout: UILayout, scene: Scene) -> None:
    """Draw the list of the active capture's segments."""
    layout.template_list(
        CGC_UL_segments.__name__,
        "",
        bpy.data,
        "collections",
        of_scene(scene),
        "active_segment",
        rows=6,
        maxrows=10,
    )


def register() -> None:
    """Register the list."""
    bpy.utils.register_class(CGC_UL_segments)


def unregister() -> None:
    """Take it away again."""
    bpy.utils.unregister_class(CGC_UL_segments)
