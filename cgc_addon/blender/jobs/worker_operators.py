# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators of the preferences: check the worker, copy the command that installs what it lacks."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import bpy

from ...errors import CgcError
from ..common import preferences
from ..common.context import window_manager_of
from . import registry as jobs
from .job import JobState
from .modal import JobOperator, JobRequest, no_job_runs
from .worker_report import WorkerReport, report_of

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context


class CGC_OT_check_worker(JobOperator, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.check_worker`."""

    bl_idname = "cgc.check_worker"
    bl_label = "Check Worker"
    bl_description = "Start the worker and find out what its Python has and what it lacks"
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    @classmethod
    def poll(cls, context: Context) -> bool:
        return no_job_runs(cls)

    def begin(self, context: Context) -> JobRequest:
        jobs.keep_worker_report(None)
        preferences.chosen_interpreter()
        return JobRequest(("probe",))

    def finish(self, context: Context, state: JobState) -> set[OperatorReturnItems]:
        report = report_of(preferences.chosen_interpreter(), state.result or {})
        jobs.keep_worker_report(report)
        if not report.usable:
            raise CgcError(report.sentence())
        self.report({"INFO"}, report.sentence())
        return {"FINISHED"}

    def failed(self, context: Context, sentence: str) -> None:
        if jobs.worker_report() is not None:  # it came to its end, and found something missing
            return
        with suppress(CgcError):  # no interpreter: the preferences say so by themselves
            chosen = preferences.chosen_interpreter()
            jobs.keep_worker_report(WorkerReport(chosen, error=sentence))


class CGC_OT_copy_install_command(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.copy_install_command`."""

    bl_idname = "cgc.copy_install_command"
    bl_label = "Copy Install Command"
    bl_description = "Copy the line for a terminal that installs what the worker lacks"
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    @classmethod
    def poll(cls, context: Context) -> bool:
        report = jobs.worker_report()
        if report is not None and report.command:
            return True
        cls.poll_message_set("Nothing is missing, as far as is known; check the worker")
        return False

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        report = jobs.worker_report()
        assert report is not None
        window_manager_of(context).clipboard = report.command
        self.report({"INFO"}, "Copied; paste it into a terminal")
        return {"FINISHED"}


CLASSES = (CGC_OT_check_worker, CGC_OT_copy_install_command)


def register() -> None:
    """Register the operators."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
