# SPDX-License-Identifier: GPL-3.0-or-later
"""Undistort the photos of a dataset in the worker, so that Blender's cameras fit them exactly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ...dataset.solved import read_solved
from ...errors import CgcError
from ..common.access import of_scene
from ..common.context import scene_of
from ..jobs.job import JobState, Phase
from ..jobs.modal import JobOperator, JobRequest, no_job_runs
from .files import UNDISTORTED, distorted_cameras
from .import_colmap import capture_of_dataset, import_colmap

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context


class CGC_OT_undistort_photos(JobOperator, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.undistort_photos`."""

    bl_idname = "cgc.undistort_photos"
    bl_label = "Undistort Photos"
    bl_description = (
        "Write copies of the photos without lens distortion into the dataset, and bring the "
        "capture's cameras in line with them"
    )
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's convention

    _dataset: Path

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Ask for a dataset, and for the worker to be free."""
        if not of_scene(scene_of(context)).dataset:
            cls.poll_message_set("Import a COLMAP capture first")
            return False
        return no_job_runs(cls)

    def begin(self, context: Context) -> JobRequest:
        """Check that there is distortion."""
        stored = of_scene(scene_of(context)).dataset
        self._dataset = Path(bpy.path.abspath(stored)).resolve()
        solved = read_solved(self._dataset)
        if not distorted_cameras(solved.model):
            raise CgcError(f"{solved.place} has no lens distortion; its photos fit as they are.")
        folder = self._dataset / UNDISTORTED
        return JobRequest(("undistort", str(self._dataset), "-o", str(folder)))

    def finish(self, context: Context, state: JobState) -> set[OperatorReturnItems]:
        """Take the new photos and cameras into the capture, if it is in this scene."""
        if state.phase is not Phase.DONE:
            self.report({"WARNING"}, f"{self.bl_label} was stopped; the cameras are as they were")
            return {"CANCELLED"}
        folder = self._dataset / UNDISTORTED
        for image in bpy.data.images:
            if image.has_data and folder in Path(bpy.path.abspath(image.filepath)).parents:
                image.reload()
        if capture_of_dataset(scene_of(context), self._dataset) is not None:
            import_colmap(
                context,
                self._dataset,
                points=False,
                warn=lambda sentence: self.report({"WARNING"}, sentence),
            )
        self.report({"INFO"}, f"Undistorted photos are in {folder}")
        return {"FINISHED"}


def register() -> None:
    """Add the operator."""
    bpy.utils.register_class(CGC_OT_undistort_photos)


def unregister() -> None:
    """Take it away again."""
    bpy.utils.unregister_class(CGC_OT_undistort_photos)
