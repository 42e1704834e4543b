# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of `solve`: what its stages share, how long they take, how far the whole is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..progress import Progress, Reporter, ShouldStop
from .colmap.process import run_stage
from .settings import SolveSettings
from .sources import Sources
from .workspace import Workspace

PHOTOS, FEATURES, PAIRS = "photos", "features", "pairs"
MATCHING, MAPPING, UNDISTORTING = "matching", "mapping", "undistorting"
STAGES = {
    PHOTOS: 0.08,
    FEATURES: 0.17,
    PAIRS: 0.02,
    MATCHING: 0.43,
    MAPPING: 0.25,
    UNDISTORTING: 0.05,
}
"""Stages in order, and the share of the whole that each one usually takes."""


@dataclass
class Job:
    """One call of `solve`."""

    source: Path
    sources: Sources
    space: Workspace
    settings: SolveSettings
    report: Reporter
    say: Callable[[str], None]
    should_stop: ShouldStop
    _furthest: float = field(default=0.0, init=False)

    @property
    def is_video(self) -> bool:
        """Whether frames of a video are solved."""
        return self.source.is_file()

    def run(self, call: str, stage: str, **arguments: Any) -> dict[str, Any]:
        """Run a call of COLMAP with what all of them take; None leaves an argument out.

        Raises:
            CgcError: it failed.
            Interrupted: the user wished to stop.
        """
        common = {
            "database": str(self.space.database),
            "threads": self.settings.thread_count(),
            "seed": self.settings.seed,
        }
        given = {k: value for k, value in {**common, **arguments}.items() if value is not None}
        return run_stage(
            call, given, self.space.log, report=self.part(stage), should_stop=self.should_stop
        )

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes to its stage, also where it is interrupted."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.space.add_seconds(stage, time.monotonic() - start)

    def part(self, stage: str) -> Reporter:
        """Return a reporter for a stage, which knows how far the whole is."""
        names = list(STAGES)
        before = sum(STAGES[name] for name in names[: names.index(stage)])

        def told(progress: Progress, /) -> None:
            share = min(1.0, progress.done / progress.total) if progress.total else 0.0
            self._furthest = max(self._furthest, before + STAGES[stage] * share)
            self.report(replace(progress, overall=self._furthest))

        return told

    def tell_whole(self) -> None:
        """Report that all is done."""
        self.report(Progress("Solved", 1, 1, overall=1.0))
