# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sees: one progress bar a stage, sentences, a table; or JSON lines for machines."""

from __future__ import annotations

import json
import sys
import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from ..progress import Progress

JSON_INTERVAL = 0.1
"""Seconds between two JSON progress lines of one stage."""
_NUMBER_FORMATS = {
    "loss": "loss {:.4f}",
    "psnr": "{:.1f} dB",
    "gaussians": "{:,.0f} Gaussians",
    "steps_per_second": "{:.1f} steps/s",
    "seconds_left": "{:.0f} s left",
}


class Terminal:
    """Progress and results go to stdout as JSON lines, or to stderr and stdout for people."""

    def __init__(self, *, json_lines: bool = False) -> None:
        self._json = json_lines
        self._errors = Console(stderr=True, highlight=False, soft_wrap=True)
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}
        self._last_json: tuple[str, float] = ("", 0.0)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._close_bars()

    def report(self, progress: Progress, /) -> None:
        """Show how far the current stage is."""
        if self._json:
            self._report_json(progress)
            return
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

    def say(self, sentence: str) -> None:
        """Tell one thing that the user should know."""
        if self._json:
            self._line({"type": "note", "text": sentence})
        else:
            (self._bars.console if self._bars else self._errors).print(sentence, markup=False)

    def result(self, value: dict[str, Any], text: str) -> None:
        """Give the outcome of the verb: `value` to machines, `text` to people."""
        self._close_bars()
        if self._json:
            self._line({"type": "result", **value})
        else:
            print(text, flush=True)  # noqa: T201 - the verb's output

    def fail(self, sentence: str) -> None:
        """Say in one line why the verb ended."""
        self._close_bars()
        if self._json:
            self._line({"type": "error", "text": sentence})
        print(f"cgc: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - the verb's output

    def interrupted(self) -> None:
        """Say that the user's wish was followed."""
        self._close_bars()
        if self._json:
            self._line({"type": "interrupted"})
        print("cgc: stopped; what was done is saved.", file=sys.stderr)  # noqa: T201

    def _report_json(self, progress: Progress) -> None:
        now = time.monotonic()
        stage, last = self._last_json
        ends = progress.done >= progress.total > 0
        if stage == progress.stage and now - last < JSON_INTERVAL and not ends:
            return
        self._last_json = (progress.stage, now)
        self._line(
            {
                "type": "progress",
                "stage": progress.stage,
                "done": progress.done,
                "total": progress.total,
                **progress.numbers,
            }
        )

    @staticmethod
    def _line(value: dict[str, Any]) -> None:
        print(json.dumps(value), flush=True)  # noqa: T201 - the machine-readable output

    def _close_bars(self) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
            self._tasks.clear()
