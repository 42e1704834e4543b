# SPDX-License-Identifier: GPL-3.0-or-later
"""The one job that a Blender runs in its worker at a time; nothing of it is in the .blend.

The registry below is the only state that this extension keeps outside of the .blend. It holds no
bpy object, so that undo and loading a file cannot leave it with a dead one. While a window shows
the job, the modal step of its operator calls `poll`; once another file is loaded that operator is
gone, and a timer calls it until the worker has saved and ended.
"""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from ...errors import CgcError, Interrupted
from ...worker.client import Worker
from ..common import interpreter, preferences
from .interrupts import counted_interrupts
from .job import Job, JobState, Phase, WorkerLike
from .worker_report import WorkerReport

POLL_SECONDS = 0.1
CLOSE_SECONDS = 3.0
"""How long an idle worker may take to end before it is killed."""
IDLE_SECONDS = 60.0
"""How long a worker is kept for a next job: starting one takes seconds."""


@dataclass(frozen=True)
class Problem:
    """Why something with a job failed, for the panels, until the user has read it."""

    operator: str
    """Its `bl_idname`."""
    sentence: str


@dataclass
class _Registry:
    job: Job | None = None
    idle: WorkerLike | None = None
    """Ready for a next job."""
    started_as: tuple[object, ...] = ()
    """Interpreter and environment of the worker."""
    kept: bool = True
    """Whether the worker of the job is kept for a next one: it is not one for that job alone."""
    others: list[Callable[[], None]] = field(default_factory=list)
    """End processes that run from the worker's interpreter beside it."""
    report: WorkerReport | None = None
    problem: Problem | None = None


_registry = _Registry()


def current() -> JobState | None:
    """Return the state of the job that runs, else of the last one; None where there was none."""
    return _registry.job.state if _registry.job else None


def running() -> bool:
    """Return whether a job runs."""
    return _registry.job is not None and not _registry.job.state.ended


def worker_report() -> WorkerReport | None:
    """Return what the last check of the worker found."""
    return _registry.report


def keep_worker_report(report: WorkerReport | None) -> None:
    """Keep the outcome of a check for the panels."""
    _registry.report = report


def problem() -> Problem | None:
    """Return why the last operator with a job failed; None where it did not, or was dismissed."""
    return _registry.problem


def keep_problem(problem: Problem | None) -> None:
    """Keep why an operator failed for the panels; None once the user has read it."""
    _registry.problem = problem


def start(
    arguments: Sequence[str],
    title: str,
    *,
    run: Path | None = None,
    own_worker: Callable[[], WorkerLike] | None = None,
    cancel_seconds: float | None = None,
) -> JobState:
    """Start a job and return at once; somebody must call `poll` from then on.

    Args:
        arguments: a verb of the command line and its arguments, paths absolute.
        title: what is being done, for the user.
        run: the run folder that it writes, if it does.
        own_worker: starts a worker for this job alone, in place of that of the preferences.
        cancel_seconds: how long it may tidy up when it is cancelled; None: as any job.

    Raises:
        CgcError: a job runs already, or the worker cannot be started.
    """
    if _registry.job is not None and running():
        title = _registry.job.state.title
        raise CgcError(f"{title} is still running; wait for it, or cancel it.")
    worker = _worker() if own_worker is None else own_worker()
    _registry.kept = own_worker is None
    _registry.problem = None
    try:
        _registry.job = Job(worker, title, arguments, run, cancel_seconds)
    except CgcError:
        worker.kill()
        raise
    return _registry.job.state


def poll() -> JobState | None:
    """Take in what the worker told and return the state of the job, None where there is none."""
    job = _registry.job
    if job is None or job.state.ended:
        return current()
    state = job.poll()
    if state.ended:
        _release(job)
    return state


def pause() -> None:
    """Let the job wait after the step it is at."""
    if _registry.job:
        _registry.job.pause()


def resume() -> None:
    """Let a paused job go on."""
    if _registry.job:
        _registry.job.resume()


def stop() -> None:
    """Let the job save what there is, and end."""
    if _registry.job:
        _registry.job.stop()


def cancel() -> None:
    """End the job soon: its worker is killed if it does not end by itself."""
    if _registry.job:
        _registry.job.cancel()


def leave(sentence: str) -> None:
    """Let the job save and end while no operator looks after it any more.

    Args:
        sentence: tells the user afterwards why it ended.
    """
    if _registry.job is None or not running():
        return
    if not _registry.job.state.stopping:
        _registry.job.note(sentence)
    _registry.job.stop()
    if not bpy.app.timers.is_registered(_see_off):
        bpy.app.timers.register(_see_off, first_interval=POLL_SECONDS, persistent=True)


def run_blocking(
    arguments: Sequence[str],
    report: Callable[[JobState], None] = lambda _state: None,
    *,
    title: str = "",
    run: Path | None = None,
    own_worker: Callable[[], WorkerLike] | None = None,
    cancel_seconds: float | None = None,
) -> dict[str, Any]:
    """Run a job to its end and return the result of its verb.

    Ctrl-C lets it save and end, a second one ends it soon.

    Args:
        arguments: a verb of the command line and its arguments, paths absolute.
        report: takes each new state.
        title: what is being done, for the user; the verb where it is empty.
        run: the run folder that it writes, if it does.
        own_worker: starts a worker for this job alone, in place of that of the preferences.
        cancel_seconds: how long it may tidy up when it is cancelled; None: as any job.

    Raises:
        CgcError: it cannot be started, or failed.
        Interrupted: Ctrl-C, and what could be saved is.
    """
    with counted_interrupts() as asked:
        state = start(
            arguments,
            title or arguments[0],
            run=run,
            own_worker=own_worker,
            cancel_seconds=cancel_seconds,
        )
        try:
            while not state.ended:
                time.sleep(POLL_SECONDS)
                if asked():
                    (stop if asked() == 1 else cancel)()
                before, state = state, poll() or state
                if replace(before, seconds=state.seconds) != state:
                    report(state)
        except BaseException:
            _drop()
            raise
    if state.phase is Phase.FAILED:
        raise CgcError(state.error)
    if state.phase is not Phase.DONE:
        raise Interrupted(state.title)
    return dict(state.result or {})


def register() -> None:
    """Look out for files being loaded and for Blender's end."""
    bpy.app.handlers.load_pre.append(_before_load)
    atexit.register(_drop)


def unregister() -> None:
    """Let the worker save and go, and forget everything."""
    atexit.unregister(_drop)
    bpy.app.handlers.load_pre.remove(_before_load)
    _drop()
    _registry.job = _registry.report = _registry.problem = None


def also_close(close: Callable[[], None]) -> None:
    """Take note of what ends another process that runs from the worker's interpreter."""
    _registry.others.append(close)


def no_longer_close(close: Callable[[], None]) -> None:
    """Forget it again."""
    if close in _registry.others:
        _registry.others.remove(close)


def close_workers() -> None:
    """End every worker, before the files change that they run from.

    Raises:
        CgcError: a job runs.
    """
    if _registry.job is not None and running():
        title = _registry.job.state.title
        raise CgcError(f"{title} is still running; wait for it, or cancel it.")
    if _registry.idle is not None:
        _registry.idle.close(CLOSE_SECONDS)
        _registry.idle = None
    for close in _registry.others:
        close()


def new_worker() -> Worker:
    """Start a worker as the preferences say.

    Raises:
        CgcError: there is no such interpreter, or it cannot be run.
    """
    chosen = preferences.chosen_interpreter()
    worker = Worker(
        chosen.path,
        interpreter.package_parent(),
        interpreter.extension_packages() if chosen.own else (),
        preferences.worker_environment(),
    )
    worker.start()
    return worker


def _worker() -> WorkerLike:
    """Return the idle worker, if it is still what the preferences say, else a new one."""
    wanted = (preferences.chosen_interpreter(), preferences.worker_environment())
    worker, _registry.idle = _registry.idle, None
    if worker is not None and worker.alive and wanted == _registry.started_as:
        return worker
    if worker is not None:
        worker.close()
    _registry.started_as = wanted
    return new_worker()


def _release(job: Job) -> None:
    """Keep the worker of a job that has ended for the next one, unless it was cancelled."""
    if job.state.phase is Phase.CANCELLED or not job.worker.alive or not _registry.kept:
        job.worker.kill()  # what it had to save is saved, and ending by itself takes it seconds
        return
    _registry.idle = job.worker
    if bpy.app.timers.is_registered(_close_idle):
        bpy.app.timers.unregister(_close_idle)
    bpy.app.timers.register(_close_idle, first_interval=IDLE_SECONDS, persistent=True)


def _close_idle() -> None:
    if _registry.idle is not None:
        _registry.idle.close()
        _registry.idle = None


def _see_off() -> float | None:
    """Poll until the job has ended."""
    poll()
    return POLL_SECONDS if running() else None


def _drop() -> None:
    """Let go of the workers, at the end: they save and end by themselves."""
    for timer in (_see_off, _close_idle):
        if bpy.app.timers.is_registered(timer):
            bpy.app.timers.unregister(timer)
    _close_idle()
    if _registry.job is not None and running():
        _registry.job.abandon()


@persistent
def _before_load(*_arguments: object) -> None:
    leave("Another file was opened, so the job was stopped; what was done is saved.")
