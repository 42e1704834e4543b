# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker that draws frames: a process of its own beside that of jobs, kept between frames.

Rendering must go on while a training runs, and not wait for it. Beside the registry of jobs this is
the only state that is kept outside of the .blend; it holds no bpy object. Blender renders in a
thread of its own, so a lock guards what the main thread may close meanwhile.
"""

from __future__ import annotations

import atexit
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from ...errors import CgcError, Interrupted
from ...results.frame_request import FrameRequest, write_frame_request
from ...worker.client import Worker
from ..common import preferences
from ..jobs.registry import also_close, new_worker, no_longer_close
from .handover import Handover
from .mesh_pictures import MeshPictures

POLL_SECONDS = 0.01
STOP_SECONDS = 0.4
"""How long a cancelled frame may take to end before its process is killed."""
IDLE_SECONDS = 300.0
"""How long the worker keeps a scene loaded for a next frame."""
LOOK_SECONDS = 20.0
"""Between two looks at whether it is idle."""
CLOSED = "The render worker was closed while it drew; render again."

Tell = Callable[[str, float], None]
"""Takes what is being done, and how much of it, 0..1."""


class RenderWorker:
    """Starts the process when it is needed, gives it frames, and ends it."""

    def __init__(self) -> None:
        self.meshes: MeshPictures | None = None
        """What frames are drawn around, while splats and meshes are rendered together."""
        self._lock = threading.Lock()
        self._worker: Worker | None = None
        self._started_as: tuple[object, ...] = ()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._handover: Handover | None = None
        self._busy = False
        self._used = 0.0

    def folder(self) -> Path:
        """Return the folder for files of frames; it lasts until `close`."""
        with self._lock:
            return self._open_folder()

    def handover(self) -> Handover:
        """Return where Gaussians are handed over."""
        with self._lock:
            self._open_folder()
            assert self._handover is not None
            return self._handover

    def draw(
        self, request: FrameRequest, should_stop: Callable[[], bool], tell: Tell
    ) -> dict[str, Path]:
        """Draw a frame; returns when it is done.

        Args:
            request: what to draw.
            should_stop: asked all the while.
            tell: hears how far it is.

        Returns:
            The file of each pass, as `FrameRequest.output` names them.

        Raises:
            CgcError: no worker can be started, or it failed.
            Interrupted: `should_stop` said so.
        """
        path = self.folder() / "request.json"
        write_frame_request(path, request)
        self.handover().forget_others({part.file for part in request.parts})
        worker = self._begin()
        try:
            worker.run(["draw", path])
            result = _wait(worker, should_stop, tell)
        except BaseException:
            if worker.busy:
                self._give_up(worker)
            raise
        finally:
            self._busy, self._used = False, time.monotonic()
        return {name: Path(file) for name, file in result["files"].items()}

    def close(self) -> None:
        """End the process, whatever it does, and delete the files."""
        with self._lock:
            if self._worker is not None:
                self._worker.kill()  # it has nothing to save
                self._worker = None
            if self._folder is not None:
                self._folder.cleanup()
            self._folder = self._handover = None

    def close_if_idle(self) -> None:
        """Let go of a process that has had nothing to do for a while."""
        idle = not self._busy and time.monotonic() - self._used > IDLE_SECONDS
        if self._worker is not None and idle:
            self.close()

    def _give_up(self, worker: Worker) -> None:
        """End a process that does not listen; the next frame has another one."""
        worker.kill()
        with self._lock:
            if self._worker is worker:
                self._worker = None

    def _begin(self) -> Worker:
        """Return the worker, if it still is what the preferences say, else a new one."""
        wanted = (preferences.chosen_interpreter(), preferences.worker_environment())
        with self._lock:
            worker = self._worker
            if worker is not None and (not worker.alive or wanted != self._started_as):
                worker.kill()
                worker = None
            if worker is None:
                worker = new_worker()
            self._worker, self._started_as, self._busy = worker, wanted, True
            return worker

    def _open_folder(self) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(
                prefix="cgc-render-", ignore_cleanup_errors=True
            )
            self._handover = Handover(Path(self._folder.name))
        return Path(self._folder.name)


def _wait(worker: Worker, should_stop: Callable[[], bool], tell: Tell) -> dict[str, Any]:
    """Return the result of the job that runs.

    Raises:
        CgcError: it failed, or the worker ended.
        Interrupted: `should_stop` said so.
    """
    give_up: float | None = None
    while True:
        alive = worker.alive  # asked first: what it told before its end is then read below
        for message in worker.poll():
            if message["type"] == "result":
                return message
            if message["type"] == "interrupted":
                if give_up is None:
                    raise CgcError(CLOSED)
                raise Interrupted("render")
            if message["type"] == "error":
                raise CgcError(message["text"])
            if message["type"] == "progress":
                total = message["total"]
                tell(message["stage"], message["done"] / total if total else 0.0)
        now = time.monotonic()
        if give_up is None and should_stop():
            give_up = now + STOP_SECONDS
            worker.stop()
        if give_up is not None and now > give_up:
            raise Interrupted("render")
        if not alive:
            raise CgcError(CLOSED)
        time.sleep(POLL_SECONDS)


_render_worker = RenderWorker()


def render_worker() -> RenderWorker:
    """Return the worker of this Blender."""
    return _render_worker


def register() -> None:
    """Look out for files being loaded, for idleness and for Blender's end."""
    bpy.app.handlers.load_pre.append(_before_load)
    bpy.app.timers.register(_look, first_interval=LOOK_SECONDS, persistent=True)
    atexit.register(_render_worker.close)
    also_close(_render_worker.close)


def unregister() -> None:
    """Close the worker."""
    no_longer_close(_render_worker.close)
    atexit.unregister(_render_worker.close)
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    bpy.app.handlers.load_pre.remove(_before_load)
    _render_worker.close()


def _look() -> float:
    _render_worker.close_if_idle()
    return LOOK_SECONDS


@persistent
def _before_load(*_arguments: object) -> None:
    _render_worker.close()
