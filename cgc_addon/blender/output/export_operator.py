# SPDX-License-Identifier: GPL-3.0-or-later
"""Export splats: in the menu, among the exporters of collections, and for scripts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty
from bpy_extras.io_utils import ExportHelper

from ...errors import CgcError
from ...progress import Progress
from ...splats.formats import (
    DEFAULT_SPZ_VERSION,
    ENDINGS,
    FORMATS,
    WRITTEN_ENDINGS,
    FormatName,
    WriteSettings,
    format_of,
)
from ..common.buttons import layout_of
from ..common.choices import items
from ..common.context import window_manager_of
from .export_splats import CHOICES, FRAMES, ExportSettings, export_splats

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context, Event, Menu

SPZ_VERSIONS = (
    ("2", "2", "For older programs; rotations are coarse"),
    ("3", "3", "Read by nearly every program that reads SPZ"),
    ("4", "4", "Packs better; for programs of 2026 and later"),
)
_GLOB = ";".join(f"*{ending}" for ending in WRITTEN_ENDINGS)


def export_and_report(
    operator: bpy.types.Operator, context: Context, settings: ExportSettings
) -> set[OperatorReturnItems]:
    """Export for an operator, and say how much, or why nothing."""
    manager = window_manager_of(context)

    def report(progress: Progress) -> None:
        manager.progress_update(100 * progress.done / max(progress.total, 1))

    manager.progress_begin(0, 100)
    try:
        written = export_splats(context, settings, report)
    except CgcError as error:
        operator.report({"ERROR"}, str(error))
        return {"CANCELLED"}
    finally:
        manager.progress_end()
    count = f"{sum(written.values()):,} Gaussians in"
    first = next(iter(written))
    place = f"{len(written)} files in {first.parent}" if settings.what == "SEGMENTS" else first
    operator.report({"INFO"}, f"{count} {place}")
    return {"FINISHED"}


class CGC_OT_export_splat(bpy.types.Operator, ExportHelper):  # noqa: N801  # pyright: ignore[reportIncompatibleMethodOverride]
    """`cgc.export_splat`."""

    bl_idname = "cgc.export_splat"
    bl_label = "Export Gaussian Splat"
    bl_description = "Export splats as they stand in the scene, for viewers and other programs"
    bl_options = {"REGISTER", "PRESET"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        filepath: str  # ExportHelper declares it
        filter_glob: str
        format: str
        spz_version: str
        what: str
        frame: str
        include_hidden: bool
        collection: str
    else:
        filter_glob: StringProperty(default=_GLOB, options={"HIDDEN"})
        format: EnumProperty(
            name="Format",
            description="Kind of file; where it is not given, the ending of the file says it",
            items=items(FORMATS),
        )
        spz_version: EnumProperty(
            name="Version",
            description="Version of SPZ",
            items=SPZ_VERSIONS,
            default=str(DEFAULT_SPZ_VERSION),
        )
        what: EnumProperty(name="Export", items=CHOICES, default="VISIBLE")
        frame: EnumProperty(name="Frame", items=FRAMES, default="UPRIGHT")
        include_hidden: BoolProperty(
            name="Include Hidden",
            description="Export hidden splats as well, but none of excluded collections",
            default=False,
        )
        collection: StringProperty(
            name="Collection",
            description="Export only what is in this collection; Blender sets it for its exporters",
            options={"HIDDEN", "SKIP_SAVE", "SKIP_PRESET"},
        )

    @property
    def filename_ext(self) -> str:
        """Ending of the format, for ExportHelper."""
        return ENDINGS[cast("FormatName", self.format)]

    def invoke(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, context: Context, event: Event
    ) -> set[OperatorReturnItems]:
        """Ask for a file, whose ending is that of the format chosen before."""
        self.check(context)
        ExportHelper.invoke(self, context, event)
        return {"RUNNING_MODAL"}

    def check(self, context: Context) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Give the file the ending of the format, if that has been chosen."""
        # As text: Windows takes Blender's //room.ply, beside the .blend, for a server.
        if not bpy.path.basename(self.filepath):
            return False
        named = self.filepath
        for ending in WRITTEN_ENDINGS:
            if named.lower().endswith(ending):
                named = named[: -len(ending)]
                break
        named += ENDINGS[cast("FormatName", self.format)]
        changed = named != self.filepath
        self.filepath = named
        return changed

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Export and say how much."""
        if self.properties.is_property_set("format"):
            self.check(context)
            chosen = cast("FormatName", self.format)
        else:
            try:
                chosen = format_of(Path(bpy.path.abspath(self.filepath)))
            except CgcError as error:
                self.report({"ERROR"}, str(error))
                return {"CANCELLED"}
        settings = ExportSettings(
            path=Path(bpy.path.abspath(self.filepath)),
            what=self.what,
            frame=self.frame,
            file=WriteSettings(chosen, int(self.spz_version)),
            hidden=self.include_hidden,
            collection=self.collection,
        )
        return export_and_report(self, context, settings)

    def draw(self, context: Context) -> None:
        """Draw the settings, in the file browser and for a collection's exporter."""
        layout = layout_of(self)
        layout.use_property_split, layout.use_property_decorate = True, False
        layout.prop(self, "format")
        if self.format == "spz":
            layout.prop(self, "spz_version")
        if not self.collection:
            layout.prop(self, "what")
        layout.prop(self, "frame")
        layout.prop(self, "include_hidden")


class CGC_FH_export_splat(bpy.types.FileHandler):  # noqa: N801 - Blender's convention
    """Lets a collection have this export among its exporters."""

    bl_idname = "CGC_FH_export_splat"
    bl_label = "Gaussian Splat"
    bl_export_operator = CGC_OT_export_splat.bl_idname
    bl_file_extensions = ";".join(WRITTEN_ENDINGS)


def _menu_entry(menu: Menu, _context: Context) -> None:
    text = f"Gaussian Splat ({', '.join(WRITTEN_ENDINGS)})"
    layout_of(menu).operator(CGC_OT_export_splat.bl_idname, text=text)


CLASSES: tuple[type[Any], ...] = (CGC_OT_export_splat, CGC_FH_export_splat)


def register() -> None:
    """Add the operator, its entry in File > Export and the exporter of collections."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.TOPBAR_MT_file_export.append(_menu_entry)


def unregister() -> None:
    """Take them away again."""
    bpy.types.TOPBAR_MT_file_export.remove(_menu_entry)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
