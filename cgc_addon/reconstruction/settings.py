# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be chosen about solving."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..choices import Choice, names
from ..errors import CgcError

Matching = Literal["auto", "exhaustive", "sequential"]

MATCHINGS: tuple[Choice[Matching], ...] = (
    Choice("auto", "Automatic", "Photos that were taken one after the other, or all with all"),
    Choice(
        "exhaustive",
        "All With All",
        "Compare every photo with every other; slow for many photos",
    ),
    Choice("sequential", "In Order", "Compare photos with those just before and after them"),
)
FEWEST_PHOTOS = 3
"""Two views can be placed, but nothing would tell whether they are right."""
MOST_THREADS = 16
_MOST_EXHAUSTIVE = 100
"""Photos whose pairs are all tried: 4,950 pairs, a few minutes on two cores."""


@dataclass(frozen=True)
class SolveSettings:
    """Settings of one solve; all but `threads` and `overwrite` change what comes of it."""

    matching: Matching = "auto"
    """"exhaustive" tries all pairs; "sequential" those near in name order and those alike; "auto"
    tries all pairs of up to a hundred photos, and is sequential beyond and for videos."""
    frames: int = 120
    """Photos taken from a video."""
    max_size: int = 1600
    """Longest side of the photos that are solved and of those written, px."""
    max_features: int = 4096
    """Most features of a photo."""
    seed: int = 0
    threads: int | None = None
    """Processor threads, None for all there are."""
    overwrite: bool = False
    """Whether a dataset that `solve` made of other photos or settings is made anew."""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            CgcError: one is out of its range.
        """
        if self.matching not in names(MATCHINGS):
            raise CgcError(
                f"Matching cannot be {self.matching!r}; choose of {', '.join(names(MATCHINGS))}."
            )
        if self.frames < FEWEST_PHOTOS:
            raise CgcError(
                f"{self.frames} frames of a video are too few; give {FEWEST_PHOTOS} or more."
            )
        if self.max_size < 64:
            raise CgcError(
                f"Photos of {self.max_size} px show too little to be solved; give 64 or more."
            )
        if (
            self.max_features < 1
            or self.seed < 0
            or (self.threads is not None and self.threads < 1)
        ):
            raise CgcError("Features and threads must be 1 or more, and the seed 0 or more.")

    def to_record(self) -> dict[str, Any]:
        """Return the settings that change the result, as plain values."""
        record = asdict(self)
        del record["threads"], record["overwrite"]
        return record

    def thread_count(self) -> int:
        """Return how many threads to use, 1 or more."""
        if hasattr(os, "sched_getaffinity"):
            available = len(os.sched_getaffinity(0))
        else:
            available = os.cpu_count() or 1
        return min(self.threads or available, MOST_THREADS)

    def is_exhaustive(self, photos: int, *, video: bool) -> bool:
        """Say whether all pairs of so many photos are tried."""
        if self.matching == "auto":
            return not video and photos <= _MOST_EXHAUSTIVE
        return self.matching == "exhaustive"
