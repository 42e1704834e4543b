# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is to choose for the engine: in the properties of the render and of view layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from ..common.access import of_scene
from ..common.buttons import layout_of
from ..common.context import scene_of, view_layer_of
from .identity import ENGINE
from .mesh_render_operator import draw_buttons

if TYPE_CHECKING:
    from bpy.types import Context


class _EnginePanel:
    """A page of the properties, for this engine alone."""

    bl_space_type = "PROPERTIES"
    bl_region_type = "WINDOW"

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Whether this engine renders the scene."""
        return context.engine == ENGINE


class CGC_PT_render_splats(_EnginePanel, bpy.types.Panel):  # noqa: N801 - Blender's convention
    """With what is drawn, and on what ground."""

    bl_label = "Splats"
    bl_context = "render"

    def draw(self, context: Context) -> None:
        """Draw backend and film."""
        scene = scene_of(context)
        layout = layout_of(self)
        layout.use_property_split, layout.use_property_decorate = True, False
        settings: Any = of_scene(scene)
        layout.prop(settings, "backend")
        layout.prop(scene.render, "film_transparent", text="Transparent Film")
        view = scene.view_settings
        if view is not None and view.view_transform != "Standard":
            layout.prop(view, "view_transform")
            layout.label(text="Standard keeps the colours of the photos", icon="INFO")
        draw_buttons(layout.column(align=True), "Render with Meshes")


class CGC_PT_render_passes(_EnginePanel, bpy.types.Panel):  # noqa: N801 - Blender's convention
    """The passes that the engine has."""

    bl_label = "Passes"
    bl_context = "view_layer"

    def draw(self, context: Context) -> None:
        """Draw a box for each pass."""
        layer = view_layer_of(context)
        layout = layout_of(self)
        layout.use_property_split, layout.use_property_decorate = True, False
        column = layout.column(heading="Include")
        column.prop(layer, "use_pass_z", text="Depth")
        column.prop(layer, "use_pass_position")
        column.prop(layer, "use_pass_object_index")
        column = layout.column(heading="Cryptomatte")
        column.prop(layer, "use_pass_cryptomatte_object", text="Object")
        levels = column.column()
        levels.active = layer.use_pass_cryptomatte_object
        levels.prop(layer, "pass_cryptomatte_depth", text="Levels")


CLASSES = (CGC_PT_render_splats, CGC_PT_render_passes)


def register() -> None:
    """Add the panels."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
