# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at the masks of photos through their cameras, and correcting them with the mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import bpy
from bpy.app.handlers import persistent

from ...errors import CgcError
from ..capture.camera_operators import look_through, neighbour
from ..capture.parts import active_capture, capture_of, wanted_capture
from ..common.access import of_object
from ..common.context import members_of, scene_of, window_manager_of
from ..common.windows import show_status
from . import overlay, review

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Area, Context, Event, Region, Scene, SpaceView3D

KEYS = (
    "Click picks, Shift adds   |   X wrong   |   M merge   |   Ctrl-Z undo   |   "
    "← → photo   |   Enter ends"
)
SECOND = "Click the mask to merge with   |   ESC does not merge"


class CGC_OT_mask_overlay(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.mask_overlay`."""

    bl_idname = "cgc.mask_overlay"
    bl_label = "Show Masks"
    bl_description = "Show the masks of the photo that the camera looks at over it, or hide them"
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    @classmethod
    def poll(cls, context: Context) -> bool:
        return overlay.is_shown() or has_cameras(cls, context)

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Show or hide them."""
        if overlay.is_shown():
            overlay.hide()
            return {"FINISHED"}
        try:
            _look(context)
            review.refresh(scene_of(context))
        except CgcError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        overlay.show()
        return {"FINISHED"}


class CGC_OT_review_masks(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.review_masks`."""

    bl_idname = "cgc.review_masks"
    bl_label = "Review Masks"
    bl_description = (
        "Click masks in the photo that the camera looks at; X marks them wrong, M merges two, "
        "Ctrl-Z takes back, Enter or ESC ends. Each change is written at once, the original kept"
    )
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    _was_shown = False
    _running = False
    """Whether one of these listens to the mouse already."""

    @classmethod
    def poll(cls, context: Context) -> bool:
        if CGC_OT_review_masks._running:
            cls.poll_message_set("It is running; Enter or ESC over the viewport ends it")
            return False
        return has_cameras(cls, context)

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Begin, looking through a photo's camera."""
        area = members_of(context).area
        if bpy.app.background or area is None or area.type != "VIEW_3D":
            self.report({"ERROR"}, "Masks are reviewed in a 3D viewport; start it from there.")
            return {"CANCELLED"}
        try:
            _look(context)
            review.refresh(scene_of(context))
        except CgcError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self._was_shown = overlay.is_shown()
        overlay.show()
        window_manager_of(context).modal_handler_add(self)
        CGC_OT_review_masks._running = True
        show_status(context, KEYS)
        return {"RUNNING_MODAL"}

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Refuse: there is no mouse."""
        self.report({"ERROR"}, "Masks are reviewed with the mouse, in a 3D viewport.")
        return {"CANCELLED"}

    def modal(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Follow the mouse and the keys over the viewport; all else is Blender's."""
        if not CGC_OT_review_masks._running:  # a file was loaded, or the extension disabled
            return self._end(context)
        under = _region_under(context, event)
        if under is None or event.value != "PRESS":
            return {"PASS_THROUGH"}
        area, region = under
        if event.type in {"RET", "NUMPAD_ENTER"}:
            return self._end(context)
        if event.type == "ESC":
            if review.merging():
                review.end_merge()
                return self._shown(context)
            return self._end(context)
        action = self._action(context, event, area, region)
        if action is None:
            return {"PASS_THROUGH"}
        try:
            action()
        except CgcError as error:
            self.report({"WARNING"}, str(error))
        return self._shown(context)

    def cancel(self, context: Context) -> None:
        """Blender takes the operator away."""
        self._end(context)

    def _action(
        self, context: Context, event: Event, area: Area, region: Region
    ) -> Callable[[], object] | None:
        """Return what an event asks for; None where it is not for us."""
        scene = scene_of(context)
        if event.type == "LEFTMOUSE" and not (event.ctrl or event.alt):
            place = event.mouse_x - region.x + 0.5, event.mouse_y - region.y + 0.5
            return lambda: pick_in_region(scene, area, region, place, more=event.shift)
        if event.ctrl or event.oskey:
            return review.undo_last if event.type == "Z" and not event.shift else None
        if event.type in {"LEFT_ARROW", "RIGHT_ARROW"}:
            step = 1 if event.type == "RIGHT_ARROW" else -1
            return lambda: _go(context, area, region, step)
        return {
            "X": review.mark_wrong,
            "DEL": review.mark_wrong,
            "M": review.begin_merge,
        }.get(event.type)

    def _shown(self, context: Context) -> set[OperatorReturnItems]:
        overlay.redraw()
        show_status(context, status_line())
        return {"RUNNING_MODAL"}

    def _end(self, context: Context) -> set[OperatorReturnItems]:
        CGC_OT_review_masks._running = False
        review.end_merge()
        review.pick(0)
        if not self._was_shown:
            overlay.hide()
        overlay.redraw()
        show_status(context, None)
        return {"FINISHED"}


def pick_in_region(
    scene: Scene, area: Area, region: Region, place: tuple[float, float], *, more: bool
) -> None:
    """Pick the mask under a place in a region, px from its lower left corner.

    Raises:
        CgcError: the region does not look through a photo's camera.
    """
    view = cast("SpaceView3D", area.spaces.active).region_3d
    photo = overlay.photo_in_region(scene, region, view)
    if photo is None:
        raise CgcError("Look through the camera to pick masks: Numpad 0, or ← and →.")
    camera = review.masks_of_camera(scene).camera
    u, v = photo.to_photo(*place)
    identifier = review.refresh(scene).mask_at(u / camera.width, v / camera.height)
    review.pick(identifier, more=more)


def status_line() -> str:
    """Say which masks are picked, and what can be done with them."""
    if review.merging():
        return f"{selection_sentence()}   |   {SECOND}"
    return f"{selection_sentence()}   |   {KEYS}"


def selection_sentence() -> str:
    """Say which masks are picked, and how large they are."""
    seen, picked = review.seen(), review.picked()
    if seen is None or not picked:
        return "No mask picked"
    masks = seen.masks
    pixels = sum(masks.get(one, 0) for one in picked)
    name = f"Mask {picked[0]}" if len(picked) == 1 else f"{len(picked)} masks"
    return f"{name}: {pixels:,} px, {pixels / seen.labels.size:.1%} of the photo"


def reviewing() -> bool:
    """Return whether the mouse is listened to."""
    return CGC_OT_review_masks._running


CLASSES = (
    CGC_OT_mask_overlay,
    CGC_OT_review_masks,
)


def register() -> None:
    """Register the operators, and look out for files being loaded."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.app.handlers.load_pre.append(_before_load)


def unregister() -> None:
    """Take them away again, and the overlay with them."""
    bpy.app.handlers.load_pre.remove(_before_load)
    _before_load()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)


@persistent
def _before_load(*_arguments: object) -> None:
    CGC_OT_review_masks._running = False
    overlay.hide()
    review.forget()


def has_cameras(operator: type[bpy.types.Operator], context: Context) -> bool:
    """Return whether there are cameras to look through; if not, let the button say so."""
    if active_capture(context) is None:
        operator.poll_message_set("Import the cameras of the dataset first")
        return False
    return True


def _look(context: Context) -> None:
    """Look through the camera of a photo: the scene's, if it is one, else the first.

    Raises:
        CgcError: there is none.
    """
    camera = scene_of(context).camera
    if camera is None or of_object(camera).kind != "CAMERA":
        camera = neighbour(wanted_capture(context), None, 1)
    look_through(context, camera)


def _go(context: Context, area: Area, region: Region, step: int) -> None:
    """Look through the camera of the next photo, or of the one before.

    Raises:
        CgcError: there is none.
    """
    camera = scene_of(context).camera
    capture = (camera and capture_of(camera)) or wanted_capture(context)
    with context.temp_override(area=area, region=region):
        look_through(bpy.context, neighbour(capture, camera, step))
    review.refresh(scene_of(context))


def _region_under(context: Context, event: Event) -> tuple[Area, Region] | None:
    """Return the viewport under the mouse, None where something else or a panel is there."""
    screen = members_of(context).screen
    for area in screen.areas if screen else ():
        inside = [r for r in area.regions if _is_inside(r, event)]
        if area.type == "VIEW_3D" and inside:
            # Sidebar and toolbar may lie over the window; what is hidden is 1 px wide.
            if any(region.type != "WINDOW" for region in inside):
                return None
            return area, inside[0]
    return None


def _is_inside(region: Region, event: Event) -> bool:
    return (
        region.width > 1
        and region.height > 1
        and 0 <= event.mouse_x - region.x < region.width
        and 0 <= event.mouse_y - region.y < region.height
    )
