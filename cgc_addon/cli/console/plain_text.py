# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees where there is no rich, as in Blender's own Python: lines without bars."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ...progress import Progress
from .sink import ENDED, STOPPED


class PlainText:
    """Shows a verb to the person who called it, one line for each stage."""

    def __init__(self) -> None:
        self._stage = ""

    def report(self, progress: Progress, /) -> None:
        """Name a stage when it begins."""
        if progress.stage != self._stage:
            self._stage = progress.stage
            self.say(f"{progress.stage} …")

    def say(self, sentence: str, /) -> None:
        """Tell one thing that the user should know."""
        print(sentence, file=sys.stderr, flush=True)  # noqa: T201 - the verb's output

    def preview(self, _file: Path, /) -> None:
        """Show nothing: a person looks at the result."""

    def result(self, _value: dict[str, Any], text: str, /) -> None:
        """Print the outcome of the verb."""
        print(text, flush=True)  # noqa: T201 - the verb's output

    def fail(self, sentence: str, /) -> None:
        """Say in one line why the verb ended."""
        self.say(f"cgc: {sentence}")

    def interrupted(self, *, saved: bool) -> None:
        """Say that the user's wish was followed, and whether there was time to save."""
        self.say(f"cgc: {STOPPED if saved else ENDED}")
