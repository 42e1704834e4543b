# SPDX-License-Identifier: GPL-3.0-or-later
"""A flood from a click: all Gaussians that hang together with the one there and are alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
import numpy as np
from bpy.props import BoolProperty, EnumProperty, FloatProperty

from ...cgc.flood import HOP, flood
from ...cgc.prompts import DEFAULT_COSINE
from ...errors import CgcError
from ..capture.parts import capture_of
from ..common.access import of_scene
from ..common.choices import STROKE_MODES
from ..common.context import scene_of
from ..drawing.click_select import gaussian_seen
from ..segments.borders import world_means
from ..segments.data import all_segments, collection_of, splats_of
from ..segments.regrouping import is_editable
from ..splats.objects import data_of, features_of
from .looking import Pointing
from .membership import put

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Collection, Context, Event, Object
    from numpy.typing import NDArray


class CGC_OT_assign_flood(Pointing, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.assign_flood`."""

    bl_idname = "cgc.assign_flood"
    bl_label = "Assign Flood"
    bl_description = (
        "Take the Gaussian under the mouse and all around it that were learned to belong together "
        "with it; they change their segment"
    )

    if TYPE_CHECKING:
        mode: str
        within: bool
        similarity: float
        hop: float
    else:
        mode: EnumProperty(
            name="Mode",
            description="What becomes of the Gaussians",
            items=STROKE_MODES,
            default="ADD",
            options={"SKIP_SAVE"},
        )
        within: BoolProperty(
            name="Within Segment",
            description="Take only Gaussians of the segment under the mouse",
            options={"SKIP_SAVE"},
        )
        similarity: FloatProperty(
            name="Similarity",
            description="How much features have to be alike, as a cosine: less takes more",
            subtype="FACTOR",
            min=-1.0,
            soft_min=0.0,
            max=1.0,
            default=DEFAULT_COSINE,
            options={"SKIP_SAVE"},
        )
        hop: FloatProperty(
            name="Gap",
            description="How far it goes over nothing, in typical distances between Gaussians",
            min=0.01,
            soft_max=20.0,
            default=HOP,
            options={"SKIP_SAVE"},
        )

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Point with the mouse."""
        if not self.properties.is_property_set("mode"):
            self.mode = of_scene(scene_of(context)).stroke_mode
        return super().invoke(context, event)

    def change(self, context: Context) -> str:
        """Move what the flood reaches."""
        seen = gaussian_seen(context, self.viewpoint(context), self.x, self.y)
        source = None if seen is None else collection_of(seen[0])
        capture = None if seen is None else capture_of(seen[0])
        if seen is None or source is None or capture is None:
            raise CgcError("No splat is seen there; point at an object.")
        item, gaussian = seen[0], seen[1].gaussian
        if not is_editable(item):
            raise CgcError(f"{item.name} is linked from another file; make it local first.")
        collections = [source] if self.within else all_segments(capture)
        chosen = _flooded(context, collections, item, gaussian, self.similarity, self.hop)
        filled, count = put(context, capture, chosen, self.mode)
        return f"{count:,} Gaussians are in {filled.name} now"


def _flooded(
    context: Context,
    collections: list[Collection],
    item: Object,
    gaussian: int,
    similarity: float,
    hop: float,
) -> dict[Object, NDArray[np.bool_]]:
    """Return which Gaussians a flood over some segments reaches from one of them."""
    every = [one for collection in collections for one in splats_of(collection)]
    items = [one for one in every if is_editable(one) and one.visible_get()]
    features = [features_of(data_of(one)) for one in items]
    known = [part for part in features if part is not None]
    if len(known) < len(items):
        raise CgcError(
            f"{item.name} has no features to tell what is alike; use the brush, or import a run "
            "that was trained with masks."
        )
    graph = context.evaluated_depsgraph_get()
    counts = [len(part) for part in known]
    starts = np.cumsum([0, *counts])
    means = [world_means(one, graph) for one in items]
    found = flood(
        np.concatenate(means),
        np.concatenate(known),
        int(starts[items.index(item)]) + gaussian,
        similarity,
        hop,
    )
    parts = np.split(found, starts[1:-1])
    return {one: part for one, part in zip(items, parts, strict=True) if part.any()}


def register() -> None:
    """Add the operator."""
    bpy.utils.register_class(CGC_OT_assign_flood)


def unregister() -> None:
    """Take it away again."""
    bpy.utils.unregister_class(CGC_OT_assign_flood)
