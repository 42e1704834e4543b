# SPDX-License-Identifier: GPL-3.0-or-later
"""The export of version 0.2 and before, for scripts and for collections that have it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ...splats.formats import WriteSettings
from ..capture.parts import active_capture
from .export_operator import export_and_report
from .export_splats import CHOICES, ExportSettings

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context

FRAMES = (
    ("CAPTURE", "Capture", "Axes and units of the active capture"),
    ("WORLD", "World", "Axes and units of the scene, Z up"),
)


class CGC_OT_export_ply(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.export_ply`."""

    bl_idname = "cgc.export_ply"
    bl_label = "Export Segmented Gaussian Splat"
    bl_description = "Export splats as PLY with segments; Export Gaussian Splat has all formats"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        filepath: str
        what: str
        frame: str
        include_hidden: bool
        collection: str
    else:
        filepath: StringProperty(name="File Path", subtype="FILE_PATH")
        what: EnumProperty(name="Export", items=CHOICES, default="VISIBLE")
        frame: EnumProperty(name="Frame", items=FRAMES, default="CAPTURE")
        include_hidden: BoolProperty(name="Include Hidden", default=False)
        collection: StringProperty(name="Collection", options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Export and say how much."""
        world = self.frame == "WORLD" or active_capture(context) is None
        settings = ExportSettings(
            path=Path(bpy.path.abspath(self.filepath)),
            what=self.what,
            frame="Z_UP" if world else "CAPTURE",
            file=WriteSettings("ply"),
            hidden=self.include_hidden,
            collection=self.collection,
        )
        return export_and_report(self, context, settings)


class CGC_FH_export_ply(bpy.types.FileHandler):  # noqa: N801 - Blender's convention
    """Known by this name to the collections of saved files."""

    bl_idname = "CGC_FH_export_ply"
    bl_label = "Segmented Gaussian Splat (PLY)"
    bl_export_operator = CGC_OT_export_ply.bl_idname
    bl_file_extensions = ".ply"


CLASSES: tuple[type[Any], ...] = (CGC_OT_export_ply, CGC_FH_export_ply)


def register() -> None:
    """Add the operator and the exporter of collections."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
