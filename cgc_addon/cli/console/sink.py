# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a verb tells how it goes and what came of it: a terminal, or lines for machines."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from ...progress import Progress

STOPPED = "stopped; what was done is saved."
ENDED = "ended at once; what was done since the last save is lost."
"""How a verb ends that was asked to, and one that was not given the time to save."""


class Sink(Protocol):
    """Takes what a verb tells; every method returns quickly."""

    def report(self, progress: Progress, /) -> None:
        """Show how far the current stage is."""

    def say(self, sentence: str, /) -> None:
        """Tell one thing that the user should know."""

    def preview(self, file: Path, /) -> None:
        """Tell that a file shows how the result looks so far."""

    def result(self, value: dict[str, Any], text: str, /) -> None:
        """Give the outcome of the verb: `value` (plain values) to machines, `text` to people."""

    def fail(self, sentence: str, /) -> None:
        """Say in one line why the verb ended."""

    def interrupted(self, *, saved: bool) -> None:
        """Say that the user's wish to stop was followed, and whether there was time to save."""
