# SPDX-License-Identifier: GPL-3.0-or-later
"""How a long job tells its caller where it stands, and learns that it should stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from .errors import Interrupted

Item = TypeVar("Item")


@dataclass(frozen=True)
class Progress:
    """One message of a running job."""

    stage: str
    """What is being done, in words a user reads: "Loading photos", "Training"."""
    done: int
    total: int
    """Units of work done and to do; `total` 0 means that it is not known."""
    numbers: Mapping[str, float] = field(default_factory=dict)
    """Figures to show beside the bar: loss terms, PSNR, count, steps per second, seconds left."""
    overall: float | None = None
    """Share of the whole job, 0..1, where a job has several stages and knows it."""


class Reporter(Protocol):
    """Takes each message; raises nothing, returns quickly."""

    def __call__(self, progress: Progress, /) -> None: ...


ShouldStop = Callable[[], bool]


def silent(_progress: Progress, /) -> None:
    """Report to nobody."""


def never() -> bool:
    """Never ask a job to stop."""
    return False


def track(
    items: Iterable[Item],
    stage: str,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
    *,
    before: int = 0,
) -> Iterator[Item]:
    """Yield `items` one by one, reporting before each and once after the last.

    Args:
        items: what is still to be done.
        stage: its name.
        report: takes the progress.
        should_stop: asked before each item.
        before: how many items were done already, by an earlier call.

    Raises:
        Interrupted: when `should_stop` says so, between two items.
    """
    total = before + len(items) if isinstance(items, Sized) else 0
    done = before
    for item in items:
        if should_stop():
            raise Interrupted(stage)
        report(Progress(stage, done, total))
        yield item
        done += 1
    report(Progress(stage, done, done))


def track_groups(
    items: Sequence[Item],
    size: int,
    stage: str,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
    *,
    before: int = 0,
) -> Iterator[Sequence[Item]]:
    """Yield `items` in groups of `size`, the last of which may be smaller; else as `track`.

    Raises:
        Interrupted: when `should_stop` says so, between two groups.

    Example:
        >>> list(track_groups("abcde", 2, "Reading"))
        ['ab', 'cd', 'e']
    """
    total = before + len(items)

    def count(progress: Progress, /) -> None:
        report(replace(progress, done=min(before + progress.done * size, total), total=total))

    groups = [items[begin : begin + size] for begin in range(0, len(items), size)]
    return track(groups, stage, count, should_stop)
