# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees: one progress bar a stage on stderr, sentences, a table on stdout."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from ...progress import Progress
from .lasting_stream import LastingStream
from .sink import ENDED, STOPPED

_NUMBER_FORMATS = {
    "loss": "loss {:.4f}",
    "psnr": "{:.1f} dB",
    "gaussians": "{:,.0f} Gaussians",
    "steps_per_second": "{:.1f} steps/s",
    "seconds_left": "{:.0f} s left",
}


class Terminal:
    """Shows a verb to the person who called it."""

    def __init__(self) -> None:
        self._stdout = cast(TextIO, LastingStream("stdout"))
        self._stderr = cast(TextIO, LastingStream("stderr"))
        self._errors = Console(file=self._stderr, highlight=False, soft_wrap=True)
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}

    def report(self, progress: Progress, /) -> None:
        """Show how far the current stage is."""
        if self._bars is None:
            self._bars = Bars(
                TextColumn("{task.description:<24}"),
                BarColumn(bar_width=28),
                TextColumn("{task.completed:.0f}/{task.total}"),
                TimeElapsedColumn(),
                TextColumn("{task.fields[numbers]}"),
                console=self._errors,
                refresh_per_second=4,
            )
            self._bars.start()
        task = self._tasks.get(progress.stage)
        if task is None:
            task = self._bars.add_task(progress.stage, total=progress.total or None, numbers="")
            self._tasks[progress.stage] = task
        self._bars.update(
            task,
            completed=progress.done,
            total=progress.total or None,
            numbers="  ".join(
                _NUMBER_FORMATS.get(name, name + " {:.4g}").format(value)
                for name, value in progress.numbers.items()
            ),
        )

    def say(self, sentence: str, /) -> None:
        """Tell one thing that the user should know."""
        (self._bars.console if self._bars else self._errors).print(sentence, markup=False)

    def preview(self, _file: Path, /) -> None:
        """Show nothing: a person looks at the result."""

    def result(self, _value: dict[str, Any], text: str, /) -> None:
        """Print the outcome of the verb."""
        self.close()
        print(text, file=self._stdout, flush=True)

    def fail(self, sentence: str, /) -> None:
        """Say in one line why the verb ended."""
        self.close()
        print(f"cgc: {sentence}", file=self._stderr, flush=True)

    def interrupted(self, *, saved: bool) -> None:
        """Say that the user's wish was followed, and whether there was time to save."""
        self.close()
        print(f"cgc: {STOPPED if saved else ENDED}", file=self._stderr)

    def close(self) -> None:
        """Take the bars away, so that the terminal is as it was."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
            self._tasks.clear()
