# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees where there is no rich, as in Blender's own Python: lines without bars."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TextIO, cast

from ...progress import Progress
from .lasting_stream import LastingStream
from .sink import ENDED, STOPPED


class PlainText:
    """Shows a verb to the person who called it, one line for each stage."""

    def __init__(self) -> None:
        self._stage = ""
        self._stdout = cast(TextIO, LastingStream("stdout"))
        self._stderr = cast(TextIO, LastingStream("stderr"))

    def report(self, progress: Progress, /) -> None:
        """Name a stage when it begins."""
        if progress.stage != self._stage:
            self._stage = progress.stage
            self.say(f"{progress.stage} …")

    def say(self, sentence: str, /) -> None:
        """Tell one thing that the user should know."""
        print(sentence, file=self._stderr, flush=True)

    def preview(self, _file: Path, /) -> None:
        """Show nothing: a person looks at the result."""

    def result(self, _value: dict[str, Any], text: str, /) -> None:
        """Print the outcome of the verb."""
        print(text, file=self._stdout, flush=True)

    def fail(self, sentence: str, /) -> None:
        """Say in one line why the verb ended."""
        self.say(f"cgc: {sentence}")

    def interrupted(self, *, saved: bool) -> None:
        """Say that the user's wish was followed, and whether there was time to save."""
        self.say(f"cgc: {STOPPED if saved else ENDED}")
