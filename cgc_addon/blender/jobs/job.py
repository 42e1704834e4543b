# SPDX-License-Identifier: GPL-3.0-or-later
"""One verb in the worker, and how far it is, as panels and operators see it; knows no bpy."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

CANCEL_SECONDS = 2.0
"""How long a cancelled job may save before its process is killed."""
SAVE_SECONDS = 120.0
"""How long a stopped one may: a large splat on a slow disk takes its time."""
NOTES_KEPT = 50
FRESH_STAGE_SECONDS = 1.0
"""What a stage has taken must be longer than this to say what is left of it."""


class Phase(Enum):
    """Where a job stands; from `DONE` on it has ended."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    CANCELLING = "cancelling"
    DONE = "done"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    FAILED = "failed"


ENDED = frozenset({Phase.DONE, Phase.STOPPED, Phase.CANCELLED, Phase.FAILED})


@dataclass(frozen=True)
class JobState:
    """What is known of a job at one moment."""

    title: str
    """What is being done, for the user: "Train Segmented Splat"."""
    arguments: tuple[str, ...]
    """The verb and its arguments."""
    run: Path | None = None
    """The run folder that it writes, if it does."""
    phase: Phase = Phase.RUNNING
    stage: str = "Starting"
    done: int = 0
    total: int = 0
    """Units of the stage that are done, and all of them; 0 where that is not known."""
    overall: float | None = None
    """Share of the whole job, 0..1, where it has several stages."""
    numbers: Mapping[str, float] = field(default_factory=dict)
    """Loss, PSNR, count, … as the stage reports them."""
    notes: tuple[str, ...] = ()
    """Sentences for the user, the last ones."""
    seconds: float = 0.0
    """Since the start."""
    seconds_left: float | None = None
    """Of this stage, or of the whole where `overall` is known, as far as can be told."""
    preview: Path | None = None
    previews: int = 0
    """How often the preview was written."""
    result: Mapping[str, Any] | None = None
    """What the verb came to, once it is done."""
    error: str = ""
    """Why it failed, in one sentence."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.phase in ENDED

    @property
    def paused(self) -> bool:
        """Whether it waits for the user to let it go on."""
        return self.phase is Phase.PAUSED

    @property
    def stopping(self) -> bool:
        """Whether it was asked to end, and has not yet."""
        return self.phase in {Phase.STOPPING, Phase.CANCELLING}

    @property
    def fraction(self) -> float:
        """How much of the job, or else of its stage, is done, 0..1; 0 where that is not known."""
        if self.overall is not None:
            return min(1.0, max(0.0, self.overall))
        return min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def verb(self) -> str:
        """The first of the arguments."""
        return self.arguments[0]


class WorkerLike(Protocol):
    """What a job asks of `worker.client.Worker`."""

    @property
    def alive(self) -> bool: ...
    def run(self, arguments: Sequence[str | Path], /) -> str: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def stop(self, grace: float = ..., /) -> None: ...
    def kill(self) -> None: ...
    def close(self, wait: float = ..., /) -> None: ...
    def poll(self) -> list[dict[str, Any]]: ...


class Job:
    """Passes wishes on to the worker and turns its messages into states; `poll` drives it."""

    def __init__(
        self,
        worker: WorkerLike,
        title: str,
        arguments: Sequence[str],
        run: Path | None = None,
        cancel_seconds: float | None = None,
    ) -> None:
        """Give a started worker something to do.

        Raises:
            CgcError: the worker has ended.
        """
        self.worker = worker
        self.state = JobState(title, tuple(arguments), run)
        self._began = self._stage_began = time.monotonic()
        self._cancel_seconds = CANCEL_SECONDS if cancel_seconds is None else cancel_seconds
        self._kill_at: float | None = None
        worker.run(self.state.arguments)

    def poll(self) -> JobState:
        """Take in what the worker told; never waits."""
        if self.state.ended:
            return self.state
        now = time.monotonic()
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at = None
            self.worker.kill()
        alive = self.worker.alive  # asked first: what it told before its end is then read below
        for message in self.worker.poll():
            self._take(message, now)
        if not alive and not self.state.ended:
            # Without a last word, since we killed it or since nobody knows why.
            self._end_interrupted("The worker ended without saying why; try again.")
        self.state = replace(self.state, seconds=now - self._began)
        return self.state

    def pause(self) -> None:
        """Let the worker wait after the step it is at; the phase changes when it does."""
        if self.state.phase is Phase.RUNNING:
            self.worker.pause()

    def resume(self) -> None:
        """Let a paused worker go on."""
        if not self.state.ended:
            self.worker.resume()

    def stop(self) -> None:
        """Ask the worker to save what there is and to end."""
        if not self.state.ended and not self.state.stopping:
            self.state = replace(self.state, phase=Phase.STOPPING)
            self.worker.stop(SAVE_SECONDS)

    def cancel(self) -> None:
        """End the worker: politely, so that it can save, but soon."""
        if not self.state.ended and self.state.phase is not Phase.CANCELLING:
            self.state = replace(self.state, phase=Phase.CANCELLING)
            self.worker.stop(SAVE_SECONDS)
            self._kill_at = time.monotonic() + self._cancel_seconds

    def abandon(self) -> None:
        """Let the worker save and end alone, and hear no more of it."""
        self.worker.close()
        self.state = replace(self.state, phase=Phase.STOPPED, seconds_left=None)

    def note(self, sentence: str) -> None:
        """Add a sentence for the user."""
        self.state = replace(self.state, notes=(*self.state.notes, sentence)[-NOTES_KEPT:])

    def _take(self, message: Mapping[str, Any], now: float) -> None:
        kind = message.get("type")
        if kind == "progress":
            self._take_progress(message, now)
        elif kind == "note":
            self.note(str(message.get("text", "")))
        elif kind == "preview":
            file = Path(str(message.get("file", "")))
            self.state = replace(self.state, preview=file, previews=self.state.previews + 1)
        elif kind == "paused" and not self.state.stopping:
            self.state = replace(self.state, phase=Phase.PAUSED, seconds_left=None)
        elif kind == "resumed" and not self.state.stopping:
            self.state = replace(self.state, phase=Phase.RUNNING)
        elif kind == "result":
            cancelled = self.state.phase is Phase.CANCELLING  # and yet it was done before
            self.state = replace(
                self.state,
                phase=Phase.CANCELLED if cancelled else Phase.DONE,
                result={key: message[key] for key in message.keys() - {"type", "id"}},
                seconds_left=None,
            )
        elif kind == "interrupted":
            self._end_interrupted("The worker was ended from outside; what it saved is kept.")
        elif kind == "error":
            self._end_with_error(str(message.get("text", "")))

    def _take_progress(self, message: Mapping[str, Any], now: float) -> None:
        stage, done = str(message.get("stage", "")), int(message.get("done", 0))
        total = int(message.get("total", 0))
        if stage != self.state.stage:
            self._stage_began = now
        numbers = {
            name: float(value)
            for name, value in message.items()
            if name not in {"type", "id", "stage", "done", "total"}
            and isinstance(value, int | float)
        }
        left, overall = numbers.pop("seconds_left", None), numbers.pop("overall", None)
        spent = now - self._stage_began
        staged = overall is not None  # what is left of a stage alone would mislead
        if not staged and left is None and 0 < done < total and spent > FRESH_STAGE_SECONDS:
            left = spent * (total - done) / done
        if not numbers and stage == self.state.stage:
            numbers = dict(self.state.numbers)  # the last message of a stage has none
        self.state = replace(
            self.state,
            stage=stage,
            done=done,
            total=total,
            overall=overall,
            numbers=numbers,
            seconds_left=left,
        )

    def _end_with_error(self, sentence: str) -> None:
        if self.state.phase is Phase.CANCELLING:  # it was to end; how does not matter
            self._end_interrupted(sentence)
        else:
            self.state = replace(self.state, phase=Phase.FAILED, error=sentence, seconds_left=None)

    def _end_interrupted(self, unasked: str) -> None:
        """End as the user wished, or, where nobody wished it, with the sentence `unasked`."""
        phases = {Phase.STOPPING: Phase.STOPPED, Phase.CANCELLING: Phase.CANCELLED}
        phase = phases.get(self.state.phase, Phase.FAILED)
        error = unasked if phase is Phase.FAILED else ""
        self.state = replace(self.state, phase=phase, error=error, seconds_left=None)
