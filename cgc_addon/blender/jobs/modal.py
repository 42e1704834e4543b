# SPDX-License-Identifier: GPL-3.0-or-later
"""What operators with a job in the worker share: a window that stays alive, or a blocking call.

From a button they run modally: each tenth of a second they take in what the worker told, and leave
every event but ESC to Blender. Called from a script, or without a window, they block until the job
is done. Both ways validate, run and finish with the same code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ...errors import CgcError, Interrupted
from ..common.context import members_of, window_manager_of
from ..common.redraw_pace import RedrawPace
from ..common.spoken import spoken
from ..common.windows import redraw_panels, show_status
from . import registry as jobs
from .job import JobState, Phase, WorkerLike
from .wording import status_line

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context, Event, Timer

    _Operator = bpy.types.Operator
else:
    _Operator = object

LEFT = "{title} was stopped, because its window was closed; what was done is saved."
SHOW_SECONDS = 0.3
"""At least between two states shown: nobody reads faster."""


@dataclass(frozen=True)
class JobRequest:
    """What an operator wants the worker to do."""

    arguments: tuple[str, ...]
    run: Path | None = None
    worker: Callable[[], WorkerLike] | None = None
    """Starts a worker for this job alone; None: the one of the preferences does it."""
    cancel_seconds: float | None = None
    """How long the job may tidy up when it is cancelled; None: as any job."""


class JobOperator(_Operator):
    """Mixed into an operator; it says in `begin` what to run and does in `finish` what follows."""

    if TYPE_CHECKING:  # from Blender, which looks for properties among annotations
        _timer: Timer | None
        _shown: JobState | None
        _status_pace: RedrawPace
        _panel_pace: RedrawPace

    _modal = False
    """Whether a window goes on working while the job runs."""

    def begin(self, context: Context) -> JobRequest:
        """Check everything that can be checked, and return the job.

        Raises:
            CgcError: it cannot be run.
        """
        raise NotImplementedError

    def finish(self, context: Context, state: JobState) -> set[OperatorReturnItems]:
        """Do what follows once the job has ended well or was stopped, and return the status.

        Raises:
            CgcError: that failed.
        """
        raise NotImplementedError

    def failed(self, context: Context, sentence: str) -> None:
        """Take note that the job could not be started, or failed; the user was told why."""

    def cancelled(self, state: JobState) -> str:
        """Return what to tell the user who cancelled the job."""
        return f"{state.title} was cancelled"

    def updated(self, context: Context, state: JobState) -> None:
        """Show more than the status bar and the panels do; must be quick."""

    def blocked(self, state: JobState) -> None:
        """Tell who called from a script how far it is; must be quick."""

    def ended(self, context: Context) -> None:
        """Take away what `updated` showed; called however the job ended."""

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        manager = window_manager_of(context)
        in_window = not bpy.app.background
        said = 0

        def report(state: JobState) -> None:
            nonlocal said
            for note in state.notes[said:]:
                self.report({"INFO"}, spoken(note))
            said = len(state.notes)
            if in_window:
                manager.progress_update(round(100 * state.fraction))
            self.blocked(state)

        if in_window:
            manager.progress_begin(0, 100)
        try:
            request = self.begin(context)
            jobs.run_blocking(
                request.arguments,
                report,
                title=self.bl_label,
                run=request.run,
                own_worker=request.worker,
                cancel_seconds=request.cancel_seconds,
            )
        except CgcError as error:
            return self._failed(context, str(error))
        except Interrupted:
            self.report({"WARNING"}, f"{self.bl_label} was interrupted; what was done is saved")
            return {"CANCELLED"}
        finally:
            if in_window:
                manager.progress_end()
        return self._finished(context)

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        if bpy.app.background or context.window is None:
            return self.execute(context)
        return self.start_modal(context)

    def start_modal(self, context: Context) -> set[OperatorReturnItems]:
        """Start the job and keep an eye on it while the window goes on working."""
        self._modal = True
        try:
            request = self.begin(context)
            jobs.start(
                request.arguments,
                self.bl_label,
                run=request.run,
                own_worker=request.worker,
                cancel_seconds=request.cancel_seconds,
            )
        except CgcError as error:
            return self._failed(context, str(error))
        manager, window = window_manager_of(context), members_of(context).window
        self._shown = None
        self._status_pace, self._panel_pace = RedrawPace(SHOW_SECONDS), RedrawPace(SHOW_SECONDS)
        self._timer = manager.event_timer_add(jobs.POLL_SECONDS, window=window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        if event.type == "ESC" and event.value == "PRESS":
            jobs.cancel()
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        state = jobs.poll()
        if state is None:  # the extension was disabled and enabled while we were away
            self._close(context)
            return {"CANCELLED"}
        if state.ended:
            self._close(context)
            return self._finished(context)
        shown = self._shown
        new_stage = shown is None or (state.stage, state.phase) != (shown.stage, shown.phase)
        if shown is None or new_stage or _differs(state, shown):
            # The status bar takes the whole window along, which may be slow; panels do not.
            if new_stage or self._status_pace.due():
                show_status(context, status_line(state))
                self._status_pace.shown()
            if new_stage or self._panel_pace.due():
                self._shown = state
                redraw_panels(context)
                self._panel_pace.shown()
            self.updated(context, state)
        return {"PASS_THROUGH"}

    def cancel(self, context: Context) -> None:
        """Blender takes the operator away: another file is loaded, or the window is closed.

        It also does so when a file browser that the operator has opened is left without a choice.
        """
        if not self._modal:
            return
        jobs.leave(LEFT.format(title=self.bl_label))
        self._close(context)

    def _finished(self, context: Context) -> set[OperatorReturnItems]:
        state = jobs.current()
        assert state is not None
        redraw_panels(context)
        if state.phase is Phase.FAILED:
            return self._failed(context, state.error)
        if state.phase is Phase.CANCELLED:
            self.report({"WARNING"}, self.cancelled(state))
            return {"CANCELLED"}
        try:
            return self.finish(context, state)
        except CgcError as error:
            return self._failed(context, str(error))

    def _failed(self, context: Context, sentence: str) -> set[OperatorReturnItems]:
        self.report({"ERROR"}, spoken(sentence))
        jobs.keep_problem(jobs.Problem(self.bl_idname, sentence))
        self.failed(context, sentence)
        redraw_panels(context)
        return {"CANCELLED"}

    def _close(self, context: Context) -> None:
        if self._timer is not None:
            window_manager_of(context).event_timer_remove(self._timer)
            self._timer = None
            self._status_pace.close()
            self._panel_pace.close()
        show_status(context, None)
        self.ended(context)


def no_job_runs(operator: type[bpy.types.Operator]) -> bool:
    """Return whether a job can be started; if not, let the operator's button say why."""
    state = jobs.current()
    if state is None or state.ended:
        return True
    operator.poll_message_set(f"{state.title} is still running")
    return False


def a_job_runs(operator: type[bpy.types.Operator]) -> bool:
    """Return whether there is a job to pause or to end; if not, let the button say so."""
    if jobs.running():
        return True
    operator.poll_message_set("Nothing is running")
    return False


def _differs(state: JobState, shown: JobState) -> bool:
    """Return whether there is something new to see; seconds alone are shown once each."""
    return int(state.seconds) != int(shown.seconds) or state != replace(
        shown, seconds=state.seconds
    )
