# SPDX-License-Identifier: GPL-3.0-or-later
"""What machines see: one message per line of output."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...progress import Progress
from .sink import ENDED

INTERVAL = 0.1
"""Seconds between two progress messages of one stage."""


class JsonLines:
    """Turns what a verb tells into messages: dictionaries of plain values with a `type`."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._last: tuple[str, float] = ("", 0.0)

    def report(self, progress: Progress, /) -> None:
        """Tell how far the current stage is, not too often."""
        now = time.monotonic()
        stage, last = self._last
        ends = progress.done >= progress.total > 0
        if stage == progress.stage and now - last < INTERVAL and not ends:
            return
        self._last = (progress.stage, now)
        numbers = {name: float(value) for name, value in progress.numbers.items()}
        self._send(
            {
                "type": "progress",
                "stage": progress.stage,
                "done": progress.done,
                "total": progress.total,
                **({} if progress.overall is None else {"overall": round(progress.overall, 4)}),
                # JSON has no word for what is not finite.
                **{name: value for name, value in numbers.items() if math.isfinite(value)},
            }
        )

    def say(self, sentence: str, /) -> None:
        """Tell one thing that the user should know."""
        self._send({"type": "note", "text": sentence})

    def preview(self, file: Path, /) -> None:
        """Tell that a file shows how the result looks so far."""
        self._send({"type": "preview", "file": str(file.absolute())})

    def result(self, value: dict[str, Any], _text: str, /) -> None:
        """Give the outcome of the verb."""
        self._send({"type": "result", **value})

    def fail(self, sentence: str, /) -> None:
        """Say why the verb ended, on stderr too: that is where tools look for it."""
        self._send({"type": "error", "text": sentence})
        print(f"cgc: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - the verb's output

    def interrupted(self, *, saved: bool) -> None:
        """Say that the user's wish to stop was followed, and whether there was time to save."""
        if not saved:
            self.say(ENDED.capitalize())
        self._send({"type": "interrupted"})


def print_line(message: dict[str, Any]) -> None:
    """Print a message on stdout."""
    # In one piece: a signal between the line and its end may say something, too.
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
