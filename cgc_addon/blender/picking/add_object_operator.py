# SPDX-License-Identifier: GPL-3.0-or-later
"""A click at a thing that was not found as an object: the mask model is asked, in the worker."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
import numpy as np

from ...errors import CgcError
from ..capture.later_versions import check_version
from ..capture.parts import capture_of, captures
from ..common.access import of_collection
from ..common.context import scene_of, view_layer_of
from ..common.mask_models import DEFAULT, model_argument
from ..drawing.click_select import gaussian_seen
from ..jobs.job import JobState, Phase
from ..jobs.modal import JobOperator, JobRequest, no_job_runs
from ..segments import edits, selection
from ..segments.choice import leave_edit_mode
from ..segments.data import all_segments, count_of, splats_of
from ..segments.regrouping import is_editable
from ..segments.write_run import check_is_of_run
from ..splats.objects import indices_of
from .looking import Pointing

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Collection, Context, Event, Scene


class CGC_OT_add_object(JobOperator, Pointing, bpy.types.Operator):  # noqa: N801
    """`cgc.add_object`."""

    bl_idname = "cgc.add_object"
    bl_label = "Add Object by Click"
    bl_description = (
        "Make the thing under the mouse a segment of its own, whatever it belongs to now: the mask "
        "model is asked what it is, in photos all round"
    )
    bl_options = {"REGISTER"}  # noqa: RUF012 - undo is pushed when the job is done

    _run = ""
    """As the capture names it: a pointer to the capture would not survive an undo."""

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need segments, Object Mode, and a worker that is free."""
        return super().poll(context) and no_job_runs(cls)

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Point with the mouse."""
        self.look_from(context)
        self.x, self.y = event.mouse_region_x + 0.5, event.mouse_region_y + 0.5
        return JobOperator.invoke(self, context, event)

    def begin(self, context: Context) -> JobRequest:
        """Say which Gaussian was pointed at."""
        seen = gaussian_seen(context, self.viewpoint(context), self.x, self.y)
        if seen is None:
            raise CgcError("No splat is seen there; point at a thing.")
        item, hit = seen
        capture = capture_of(item)
        if capture is None:
            raise CgcError(f"{item.name} is in no capture; point at an object of one.")
        check_version(capture)
        run = of_collection(capture).run
        folder = Path(bpy.path.abspath(run)) if run else None
        if folder is None or not folder.is_dir():
            raise CgcError(
                f"{capture.name} came from no run that is there, so there are no photos to look "
                "at; use Segment Flood, Brush or Lasso with New Segment."
            )
        check_is_of_run(item, folder)
        self._run = run
        _found().unlink(missing_ok=True)
        gaussian = int(indices_of(item)[hit.gaussian])
        options = ("--gaussian", str(gaussian), "--indices", str(_found()))
        model = ("--model", model_argument(DEFAULT))
        return JobRequest(("pick", str(folder), "--by", "mask", *options, *model))

    def finish(self, context: Context, state: JobState) -> set[OperatorReturnItems]:
        """Move what was found into a segment of its own."""
        if state.phase is not Phase.DONE:
            self.report({"WARNING"}, self.cancelled(state))
            return {"CANCELLED"}
        capture = self._capture(scene_of(context))
        try:
            indices = np.load(_found(), allow_pickle=False)
            _found().unlink()
        except (OSError, ValueError) as error:
            raise CgcError(f"{_found()} could not be read: {error}; click again.") from error
        leave_edit_mode(context)
        made = add_object(capture, indices)
        view_layer_of(context).update()  # else it does not know new objects
        selection.make_active(made)
        bpy.ops.ed.undo_push(message=self.bl_label)
        self.report({"INFO"}, f"{made.name} was added, with {count_of(made):,} Gaussians")
        return {"FINISHED"}

    def _capture(self, scene: Scene) -> Collection:
        for capture in captures(scene):
            if of_collection(capture).run == self._run:
                return capture
        raise CgcError("The capture is gone; nothing was added.")


def _found() -> Path:
    """Return where the worker writes what it finds; Blender removes the folder when it ends."""
    return Path(bpy.app.tempdir) / "cgc_found.npy"


def add_object(capture: Collection, indices: np.ndarray[Any, np.dtype[np.integer]]) -> Collection:
    """Make some Gaussians of a run a segment of its own, which becomes pinned.

    Args:
        capture: of the run.
        indices: (M,) places of Gaussians in the splat of the run.

    Raises:
        CgcError: none of them is here any more, or all are linked from another file.
    """
    moves = {}
    for collection in all_segments(capture):
        for item in splats_of(collection):
            if is_editable(item):
                own = np.isin(indices_of(item), indices)
                moves[item] = np.where(own, 0, edits.STAYS)
    made = edits.hand_over(capture, moves, [None])[0]
    if made is None:
        raise CgcError("What was found is not in this file any more; nothing was added.")
    return made


def register() -> None:
    """Add the operator."""
    bpy.utils.register_class(CGC_OT_add_object)


def unregister() -> None:
    """Take it away again."""
    bpy.utils.unregister_class(CGC_OT_add_object)
