# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats are cleaned of Gaussians nobody wants, with the result to be seen while limits are set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty, StringProperty

from ...cgc.cleaning import CleaningRules, unwanted
from ...cgc.isolation import MINIMUM_SHARE, REACH
from ...dataset.scene import View
from ...errors import CgcError
from ..capture.cameras import view_of
from ..capture.later_versions import check_version
from ..capture.parts import capture_of, objects_of_kind
from ..common.access import of_object
from ..common.buttons import layout_of
from ..common.context import scene_of
from ..common.world_matrix import world_matrix
from ..splats.objects import gaussians_of
from ..splats.selected import can_change_splats, selected_splats
from .bin import binned, binned_of, is_in_bin, move_to_bin, restore
from .regrouping import is_editable

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context, Object, Scene, UILayout


@dataclass(frozen=True)
class Cleaned:
    """What a clean-up did."""

    moved: int
    """Gaussians."""
    total: int
    """Gaussians that the splats had."""
    spared: tuple[str, ...]
    """Names of splats left alone, as nothing of them would have stayed."""

    def sentence(self) -> str:
        """Return it in words."""
        text = f"{self.moved:,} of {self.total:,} Gaussians moved to the bin"
        if self.spared:
            text += f"; {', '.join(self.spared)} left alone, as nothing would be left of it"
        return text


def clean_up(scene: Scene, items: Sequence[Object], rules: CleaningRules) -> Cleaned:
    """Move what breaks a rule into the bin, each splat measured by itself.

    Args:
        scene: the splats are in.
        items: splats.
        rules: what is unwanted; cameras are those of the capture that a splat is in.

    Raises:
        CgcError: a splat is linked from another file, or has lost an attribute; none was changed.
    """
    found = []
    for item in items:
        if not is_editable(item):
            raise CgcError(f"{item.name} is linked from another file; make it local first.")
        capture = capture_of(item)
        if capture is not None:
            check_version(capture)
        views = [] if rules.fewest_cameras is None else capture_views(scene, item)
        found.append(unwanted(gaussians_of(item), rules, views))
    moved, spared = 0, []
    for item, chosen in zip(items, found, strict=True):
        if len(chosen) and chosen.all():
            spared.append(item.name)
        else:
            move_to_bin(scene, item, chosen)
            moved += int(chosen.sum())
    return Cleaned(moved, sum(len(chosen) for chosen in found), tuple(spared))


def capture_views(scene: Scene, item: Object) -> list[View]:
    """Return the cameras of the capture that a splat is in, in the frame of its Gaussians.

    What hangs on the capture's root is taken where the photos saw it, wherever it was moved since.

    Raises:
        CgcError: the frame is scaled unevenly.
    """
    capture = capture_of(item)
    if capture is None:
        return []
    depsgraph = bpy.context.evaluated_depsgraph_get()
    parent = item.parent
    captured = parent is not None and of_object(parent).kind == "ROOT"
    frame = world_matrix(parent if captured and parent is not None else item, depsgraph)
    return [
        view_of(scene, camera, frame, camera.name, world_matrix(camera, depsgraph))
        for camera in objects_of_kind(capture, "CAMERA")
    ]


def _chosen(context: Context) -> list[Object]:
    return [item for item in selected_splats(context) if not is_in_bin(item)]


def _has_cameras(context: Context) -> bool:
    captures = {capture_of(item) for item in _chosen(context)} - {None}
    return any(objects_of_kind(one, "CAMERA") for one in captures if one is not None)


class CGC_OT_clean_up(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.clean_up`."""

    bl_idname = "cgc.clean_up"
    bl_label = "Clean Up"
    bl_description = (
        "Move Gaussians of the selected splats that nobody wants, such as what floats apart from "
        "them, to the bin, from where they can be restored"
    )
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        use_pieces: bool
        smallest_piece: float
        reach: float
        use_size: bool
        largest: float
        use_opacity: bool
        least_opacity: float
        use_needles: bool
        longest_needle: float
        use_cameras: bool
        fewest_cameras: int
        outcome: str
    else:
        use_pieces: BoolProperty(
            name="Afloat",
            description="What hangs together in small pieces, apart from the rest",
            default=True,
        )
        smallest_piece: FloatProperty(
            name="Smallest Piece",
            description="Share of the Gaussians of the largest piece that a piece needs to stay",
            subtype="FACTOR",
            min=0.0,
            max=1.0,
            default=MINIMUM_SHARE,
            precision=3,
        )
        reach: FloatProperty(
            name="Reach",
            description="Standard deviations within which Gaussians hang together",
            min=0.5,
            max=20.0,
            default=REACH,
        )
        use_size: BoolProperty(name="Huge", description="Gaussians larger than most are")
        largest: FloatProperty(
            name="Largest Size",
            description="Times the median size of the splat's Gaussians",
            min=1.0,
            soft_max=100.0,
            default=10.0,
        )
        use_opacity: BoolProperty(name="Faint", description="Gaussians that hardly show")
        least_opacity: FloatProperty(
            name="Least Opacity",
            subtype="FACTOR",
            min=0.0,
            max=1.0,
            default=0.1,
        )
        use_needles: BoolProperty(
            name="Needles", description="Gaussians that are long and thin; flat ones stay"
        )
        longest_needle: FloatProperty(
            name="Longest Needle",
            description="How many times its second axis the longest axis of a Gaussian may be",
            min=1.0,
            soft_max=100.0,
            default=10.0,
        )
        use_cameras: BoolProperty(
            name="Seen by Few", description="Gaussians in the picture of few of the photos' cameras"
        )
        fewest_cameras: IntProperty(
            name="Fewest Cameras",
            description="Cameras of the capture that a Gaussian has to be in the picture of",
            min=1,
            soft_max=50,
            default=3,
        )
        outcome: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Want a splat selected, and no edit mode."""
        return can_change_splats(cls, context, any_chosen=bool(_chosen(context)))

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Clean the selected splats, or none."""
        try:
            cleaned = clean_up(scene_of(context), _chosen(context), self._rules())
        except CgcError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.outcome = cleaned.sentence()
        self.report({"WARNING"} if cleaned.spared else {"INFO"}, self.outcome)
        return {"FINISHED"}

    def draw(self, context: Context) -> None:
        """Show each rule with its limits, and what came of them."""
        layout = layout_of(self)
        self._draw_rule(layout, "use_pieces", "smallest_piece", "reach")
        self._draw_rule(layout, "use_size", "largest")
        self._draw_rule(layout, "use_opacity", "least_opacity")
        self._draw_rule(layout, "use_needles", "longest_needle")
        if _has_cameras(context):
            self._draw_rule(layout, "use_cameras", "fewest_cameras")
        layout.label(text=self.outcome)

    def _draw_rule(self, layout: UILayout, use: str, *limits: str) -> None:
        column = layout.column(align=True)
        column.prop(self, use)
        below = column.column(align=True)
        below.active = getattr(self, use)
        for limit in limits:
            below.prop(self, limit)

    def _rules(self) -> CleaningRules:
        return CleaningRules(
            smallest_piece=self.smallest_piece if self.use_pieces else None,
            reach=self.reach,
            largest=self.largest if self.use_size else None,
            least_opacity=self.least_opacity if self.use_opacity else None,
            longest_needle=self.longest_needle if self.use_needles else None,
            fewest_cameras=self.fewest_cameras if self.use_cameras else None,
        )


class CGC_OT_restore_from_bin(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.restore_from_bin`."""

    bl_idname = "cgc.restore_from_bin"
    bl_label = "Restore from Bin"
    bl_description = (
        "Put back what was cleaned out of the selected splats; everything in the bin, if nothing "
        "was cleaned out of these"
    )
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's convention

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Want something in the bin, and no edit mode."""
        if context.mode != "OBJECT":
            cls.poll_message_set("Leave the edit mode first")
            return False
        if not binned(scene_of(context)):
            cls.poll_message_set("The bin is empty")
            return False
        return True

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Restore."""
        scene = scene_of(context)
        of_selected = [binned_of(item) for item in _chosen(context)]
        wanted = [item for item in of_selected if item is not None] or binned(scene)
        try:
            count = restore(scene, wanted)
        except CgcError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, f"{count:,} Gaussians restored from the bin")
        return {"FINISHED"}


CLASSES = (CGC_OT_clean_up, CGC_OT_restore_from_bin)


def register() -> None:
    """Add the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
