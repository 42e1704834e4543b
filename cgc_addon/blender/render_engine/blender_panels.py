# SPDX-License-Identifier: GPL-3.0-or-later
"""Blender's own panels that fit this engine: each names the engines it is drawn for."""

from __future__ import annotations

from collections.abc import Iterator

import bpy

from .identity import ENGINE

ANY_ENGINE = "BLENDER_RENDER"
"""Named by panels that are of use with every engine."""
MODULES = (
    "bl_ui.properties_data_camera",
    "bl_ui.properties_data_pointcloud",
    "bl_ui.properties_object",
    "bl_ui.properties_output",
    "bl_ui.properties_view_layer",
    "bl_ui.properties_world",
)
FURTHER = ("RENDER_PT_color_management", "EEVEE_WORLD_PT_surface")
"""Panels of other modules or engines, and those whose names begin so."""
UNFIT = ("RENDER_PT_stereoscopy", "DATA_PT_camera_stereoscopy", "OBJECT_PT_shading")
"""What they offer the engine does not do."""


def register() -> None:
    """Let the panels be drawn for this engine too."""
    for panel in _fitting():
        panel.COMPAT_ENGINES.add(ENGINE)  # pyright: ignore[reportAttributeAccessIssue]


def unregister() -> None:
    """Let them be as they were."""
    for panel in _all_panels():
        panel.COMPAT_ENGINES.discard(ENGINE)  # pyright: ignore[reportAttributeAccessIssue]


def _fitting() -> Iterator[type[bpy.types.Panel]]:
    for panel in _all_panels():
        general = ANY_ENGINE in panel.COMPAT_ENGINES  # pyright: ignore[reportAttributeAccessIssue]
        named = panel.__name__.startswith(FURTHER)
        if named or (general and panel.__module__ in MODULES and panel.__name__ not in UNFIT):
            yield panel


def _all_panels() -> Iterator[type[bpy.types.Panel]]:
    """Yield the panels that name their engines."""
    for panel in bpy.types.Panel.__subclasses__():
        if isinstance(getattr(panel, "COMPAT_ENGINES", None), set):
            yield panel
