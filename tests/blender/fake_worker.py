# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker that does what a test says, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


class FakeWorker:
    """Looks to `jobs` like `worker.client.Worker`."""

    def __init__(self, *, stops: bool = True) -> None:
        self.alive = True
        self.asked: list[str] = []
        self.arguments: tuple[str, ...] = ()
        self.does: Callable[[], None] = lambda: None
        """What it does as soon as it is given a job."""
        self._stops = stops
        self._told: list[dict[str, Any]] = []

    def tell(self, kind: str, **values: Any) -> None:
        """Let the next poll bring a message."""
        self._told.append({"type": kind, "id": "1", **values})

    def progress(self, done: int, total: int, stage: str = "Training", **numbers: float) -> None:
        self.tell("progress", stage=stage, done=done, total=total, **numbers)

    def die(self, text: str = "") -> None:
        """End as a process does that is killed from outside."""
        self.alive = False
        if text:
            self.tell("error", text=text)

    def run(self, arguments: Sequence[str | Path]) -> str:
        self.arguments = tuple(str(argument) for argument in arguments)
        self.does()
        return "1"

    def pause(self) -> None:
        self.asked.append("pause")
        self.tell("paused")

    def resume(self) -> None:
        self.asked.append("resume")
        self.tell("resumed")

    def stop(self, grace: float = 15.0) -> None:
        self.asked.append("stop")
        if self._stops:
            self.tell("interrupted")

    def kill(self) -> None:
        self.asked.append("kill")
        self.alive = False
        self.tell("interrupted")

    def close(self, wait: float = 0.0) -> None:
        self.asked.append("close")
        self.alive = False

    def poll(self) -> list[dict[str, Any]]:
        told, self._told = self._told, []
        return told
