# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the extension in Blender's preferences: what can be set, and how the worker is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
from bpy.props import IntProperty, StringProperty

from ..common.preferences import PACKAGE
from .engine_box import draw_engine_box
from .worker_box import draw_worker_box

if TYPE_CHECKING:
    from bpy.types import Context


class CgcPreferences(bpy.types.AddonPreferences):
    """What is kept with Blender's preferences, not with a file; read by `common.preferences`."""

    bl_idname = PACKAGE

    if TYPE_CHECKING:
        interpreter: str
        threads: int
        mask_model: str
        runs: str
        engines: str
    else:
        interpreter: StringProperty(
            name="Interpreter",
            description=(
                "Python that trains and draws in place of the engine: its program, or the folder "
                "of a virtual environment; empty: the engine"
            ),
            subtype="FILE_PATH",
        )
        threads: IntProperty(
            name="Processor Threads",
            description="How many threads training may use; 0: all",
            min=0,
            max=1024,
        )
        mask_model: StringProperty(
            name="Mask Model",
            description=(
                "File of the model that makes masks of photos: a checkpoint of Segment Anything, "
                "or an ONNX encoder beside its decoder; empty: MobileSAM"
            ),
            subtype="FILE_PATH",
        )
        runs: StringProperty(
            name="Run Folders",
            description="Folder that new run folders are made in; empty: beside each dataset",
            subtype="DIR_PATH",
        )
        engines: StringProperty(
            name="Engine Folder",
            description=(
                "Folder that the engine is installed in; empty: one of your own, outside of "
                "Blender, which updates leave alone"
            ),
            subtype="DIR_PATH",
        )

    def draw(self, context: Context) -> None:
        """Draw what can be set, and how it is with the worker."""
        layout = self.layout
        draw_engine_box(layout, context)
        column = layout.column()
        column.use_property_split = True
        for name in ("threads", "runs", "mask_model", "engines", "interpreter"):
            column.prop(self, name)
        draw_worker_box(layout, context)


def register() -> None:
    """Register the preferences."""
    bpy.utils.register_class(CgcPreferences)


def unregister() -> None:
    """Take them away; what the user set stays with Blender."""
    bpy.utils.unregister_class(CgcPreferences)
