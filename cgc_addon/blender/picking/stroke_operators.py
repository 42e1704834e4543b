# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians put into another segment by a box, a lasso or a brush over what is seen of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
import numpy as np
from bpy.props import FloatProperty
from numpy.typing import NDArray

from ...splats.outlines import in_box, in_polygon, near_path
from ..common.access import of_scene
from ..common.context import members_of, scene_of
from .stroke_drawing import circle
from .strokes import Places, Stroke

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context


class CGC_OT_assign_box(Stroke, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.assign_box`: the path's first and last place are corners."""

    bl_idname = "cgc.assign_box"
    bl_label = "Assign Box"
    bl_description = "Draw a box; the Gaussians in it change their segment"

    def shape(self, places: Places, path: Places) -> NDArray[np.bool_]:
        """Return which places lie in the box."""
        first, last = path[0], path[-1]
        return in_box(places, (first[0], first[1]), (last[0], last[1]))

    def line(self, path: Places) -> Places:
        """Return the box."""
        (x0, y0), (x1, y1) = path[0], path[-1]
        return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)])


class CGC_OT_assign_lasso(Stroke, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.assign_lasso`."""

    bl_idname = "cgc.assign_lasso"
    bl_label = "Assign Lasso"
    bl_description = "Draw around Gaussians; those inside change their segment"

    def shape(self, places: Places, path: Places) -> NDArray[np.bool_]:
        """Return which places the path encloses."""
        return in_polygon(places, path)

    def line(self, path: Places) -> Places:
        """Return the path, closed."""
        return np.concatenate([path, path[:1]])


class CGC_OT_assign_brush(Stroke, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.assign_brush`."""

    bl_idname = "cgc.assign_brush"
    bl_label = "Assign Brush"
    bl_description = "Paint over Gaussians; those that the brush touches change their segment"

    if TYPE_CHECKING:
        radius: float
    else:
        radius: FloatProperty(
            name="Radius",
            description="Of the brush",
            subtype="PIXEL",
            min=1.0,
            soft_max=200.0,
            default=30.0,
            options={"SKIP_SAVE"},
        )

    def take_settings(self, context: Context) -> None:
        """Take the radius that the tool is set to."""
        if not self.properties.is_property_set("radius"):
            self.radius = of_scene(scene_of(context)).stroke_radius

    def shape(self, places: Places, path: Places) -> NDArray[np.bool_]:
        """Return which places the brush came over."""
        return near_path(places, path, self.radius)

    def line(self, path: Places) -> Places:
        """Return the rim of the brush."""
        return circle(path[-1], self.radius)


class CGC_OT_brush_radius(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.brush_radius`: no step to undo."""

    bl_idname = "cgc.brush_radius"
    bl_label = "Brush Radius"
    bl_description = "Make the brush larger or smaller"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        factor: float
    else:
        factor: FloatProperty(name="Factor", min=0.01, default=1.2, options={"SKIP_SAVE"})

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Change it, and draw it anew."""
        of_scene(scene_of(context)).stroke_radius *= self.factor
        area = members_of(context).area
        if area is not None:
            area.tag_redraw()
        return {"FINISHED"}


CLASSES = (CGC_OT_brush_radius, CGC_OT_assign_box, CGC_OT_assign_lasso, CGC_OT_assign_brush)


def register() -> None:
    """Add the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
