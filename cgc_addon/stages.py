# SPDX-License-Identifier: GPL-3.0-or-later
"""Several stages as one job: how far the whole is, and how long it will still take."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from .progress import Progress, Reporter, silent

SKIPPED_SECONDS = 2.0
"""A stage that takes less was done already, and says nothing of how fast the others are."""

LEAST_EARNED = 0.02
"""Share of the whole that must be done in this call before it is said how long the rest takes."""


@dataclass(frozen=True)
class Stage:
    """One of the stages of a job, in their order."""

    name: str
    weight: float
    """Its share of the time of all stages, as measured; they need not add up to 1."""
    parts: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """From where to where in this stage, 0..1, what it reports leads: {TRAINING: (0.1, 0.7)}.

    The keys are the constants that are reported as `Progress.stage`. What is not listed counts for
    nothing. A stage that knows its own `overall` needs no list.
    """


class StagedProgress:
    """Passes on what stages report, with the share of the whole; that never goes back."""

    def __init__(
        self,
        stages: Sequence[Stage],
        report: Reporter = silent,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Describe the job.

        Args:
            stages: all there are to do, one at least.
            report: takes what is passed on.
            clock: seconds.
        """
        total = sum(stage.weight for stage in stages)
        self._stages = {stage.name: replace(stage, weight=stage.weight / total) for stage in stages}
        self._places: dict[str, float] = {}
        place = 0.0
        for stage in self._stages.values():
            self._places[stage.name] = place
            place += stage.weight
        self._report, self._clock = report, clock
        self._overall = 0.0
        self._stage: Stage | None = None
        self._share = self._first_share = self._began = 0.0
        self._earned = self._spent = 0.0
        """Of the whole, and seconds: what the stages before took that were not done already."""

    @property
    def overall(self) -> float:
        """Share of the whole that is done, 0..1."""
        return self._overall

    def begin(self, name: str) -> Reporter:
        """End the stage before, and return what takes the progress of this one."""
        self._end()
        self._stage, self._share = self._stages[name], 0.0
        self._first_share, self._began = -1.0, self._clock()
        self._overall = max(self._overall, self._places[name])
        return self._take

    def finish(self) -> None:
        """End the last stage."""
        self._end()
        self._overall = 1.0

    def _end(self) -> None:
        stage, self._stage = self._stage, None
        if stage is None:
            return
        self._overall = max(self._overall, self._places[stage.name] + stage.weight)
        seconds = self._clock() - self._began
        if seconds >= SKIPPED_SECONDS:
            self._earned += stage.weight * (1.0 - max(0.0, self._first_share))
            self._spent += seconds

    def _take(self, progress: Progress, /) -> None:
        stage = self._stage
        if stage is None:
            self._report(replace(progress, overall=self._overall))
            return
        share = progress.overall
        if share is None and progress.stage in stage.parts and progress.total > 0:
            begin, end = stage.parts[progress.stage]
            share = begin + (end - begin) * min(1.0, progress.done / progress.total)
        if share is not None:
            self._share = max(self._share, min(1.0, share))
            if self._first_share < 0.0:  # what an earlier call has done took this one no time
                self._first_share, self._began = self._share, self._clock()
        place = self._places[stage.name]
        self._overall = max(self._overall, place + stage.weight * self._share)
        numbers = {key: value for key, value in progress.numbers.items() if key != "seconds_left"}
        if (left := self._seconds_left(stage)) is not None:
            numbers["seconds_left"] = left
        self._report(replace(progress, numbers=numbers, overall=self._overall))

    def _seconds_left(self, stage: Stage) -> float | None:
        """Return how long the rest will take at the pace so far; None where there is none yet."""
        earned = self._earned + stage.weight * max(0.0, self._share - max(0.0, self._first_share))
        spent = self._spent + (self._clock() - self._began)
        if earned < LEAST_EARNED or spent < SKIPPED_SECONDS:
            return None
        return spent * (1.0 - self._overall) / earned
