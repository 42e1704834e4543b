# SPDX-License-Identifier: GPL-3.0-or-later
"""Photo size, steps and cap that suit a capture, the machine, and the time there is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from ..dataset.resize import fitted_size
from .asked import Asked
from .config import TrainingConfig
from .presets import preset

LONGEST_SIDE = 1_600
"""Pixels: no preset takes larger photos unless asked, as 3DGS does not (Kerbl et al. 2023)."""
SIDES = ((2, 800), (4, 1_000), (8, 1_300))
"""(processor threads, pixels): what that many threads at most take of a photo's longest side."""
DRAFT_SHARE = 0.8
"""Of that side, for a first look."""
PIXELS_OF_THE_CAP = 20_000_000
"""Pixels of all photos that the cap of a preset is for: 40 photos of 800×600."""
HIGHEST_FACTOR = 8.0
"""Captures with more pixels get a larger cap, by the root of their number, up to so many times."""
SMALLEST_SIDE, FEWEST_STEPS, FEWEST_GAUSSIANS = 320, 300, 10_000
"""Less than this makes nothing that is worth its time, however little there is."""
MOST_STEPS = 30_000
EXPONENTS = {"steps": 0.45, "side": 0.2, "gaussians": 0.2}
"""How steps, photo size and cap share in a time that is longer or shorter than a preset's.

Time goes with the steps, and about with the square of the side.
"""


@dataclass(frozen=True)
class Capture:
    """What counts of a capture."""

    views: int
    width: int
    height: int
    """Of the largest photo as it is, px."""


@dataclass(frozen=True)
class Size:
    """What a run is made of."""

    width: int
    height: int
    """Of the largest photo in training, px."""
    cap: int
    """Gaussians at most."""
    steps: int


def size_of(config: TrainingConfig, capture: Capture) -> Size:
    """Return what a configuration makes of a capture."""
    width, height = fitted_size((capture.width, capture.height), config.max_size)
    return Size(width, height, config.geometry.densify.cap, config.geometry.steps)


def fitted(
    config: TrainingConfig, asked: Asked, capture: Capture, threads: int | None
) -> TrainingConfig:
    """Return a configuration with photo size and cap for this capture, where they are left open.

    Args:
        config: of a preset, with what was asked for.
        asked: what is fixed.
        capture: to train on.
        threads: of the processor that draws; None: a graphics card draws.

    Example:
        >>> capture = Capture(40, 4_032, 3_024)
        >>> size_of(fitted(preset("standard"), Asked(), capture, 2), capture)
        Size(width=800, height=600, cap=60000, steps=1400)
        >>> size_of(fitted(preset("standard"), Asked(), capture, None), capture)
        Size(width=1600, height=1200, cap=118000, steps=1400)
    """
    side = config.max_size
    if asked.max_size is None:
        side = min(photo_side(config.preset, threads), max(capture.width, capture.height))
    cap = config.geometry.densify.cap
    if asked.max_gaussians is None and config.preset != "paper":
        width, height = fitted_size((capture.width, capture.height), side)
        pixels = capture.views * width * height
        factor = min(max(1.0, math.sqrt(pixels / PIXELS_OF_THE_CAP)), HIGHEST_FACTOR)
        cap = int(round(cap * factor, -3)) if factor > 1.0 else cap
    return _with(config, side, cap)


def photo_side(preset_name: str, threads: int | None) -> int:
    """Return the longest side that photos have by default, px.

    Args:
        preset_name: the paper's own wants as much as it had.
        threads: see `fitted`.
    """
    if threads is None or preset_name == "paper":
        return LONGEST_SIDE
    side = next((side for most, side in SIDES if threads <= most), LONGEST_SIDE)
    return round(side * DRAFT_SHARE) if preset_name == "draft" else side


def fitted_to_time(
    config: TrainingConfig,
    asked: Asked,
    capture: Capture,
    seconds: float,
    forecast: Callable[[TrainingConfig], float],
) -> TrainingConfig:
    """Return a configuration whose steps, photo size and cap, where left open, take a given time.

    All three grow and shrink together, as far as each makes sense.

    Args:
        config: as `fitted` gave it.
        asked: what is fixed.
        capture: to train on.
        seconds: how long the run may take.
        forecast: how long a configuration would take, seconds; grows with each of the three.
    """
    least, most = math.log(1e-3), math.log(1e3)
    for _ in range(30):
        middle = 0.5 * (least + most)
        if forecast(_scaled(config, asked, capture, math.exp(middle))) <= seconds:
            least = middle
        else:
            most = middle
    return _scaled(config, asked, capture, math.exp(least))


def _scaled(
    config: TrainingConfig, asked: Asked, capture: Capture, factor: float
) -> TrainingConfig:
    """Return a configuration that takes about `factor` times as long, within sensible limits."""
    size = size_of(config, capture)
    longest = max(capture.width, capture.height)
    side, cap, steps = max(size.width, size.height), size.cap, size.steps
    if asked.max_size is None:
        wanted = round(side * factor ** EXPONENTS["side"])
        side = _within(wanted, min(SMALLEST_SIDE, longest), min(LONGEST_SIDE, longest))
    if asked.max_gaussians is None:
        wanted = int(round(cap * factor ** EXPONENTS["gaussians"], -3))
        cap = _within(wanted, min(FEWEST_GAUSSIANS, cap), round(HIGHEST_FACTOR * cap))
    if asked.steps is None:
        wanted = round(steps * factor ** EXPONENTS["steps"])
        steps = _within(wanted, min(FEWEST_STEPS, steps), max(MOST_STEPS, steps))
        stretched = preset(config.preset, steps=steps, features=config.features.mode)
        edges = round(config.edges.steps * steps / size.steps)
        config = replace(
            config,
            geometry=stretched.geometry,
            edges=replace(config.edges, steps=max(1, edges) if config.edges.steps else 0),
        )
    return _with(config, side, cap)


def _with(config: TrainingConfig, side: int | None, cap: int) -> TrainingConfig:
    densify = replace(config.geometry.densify, cap=cap)
    return replace(config, max_size=side, geometry=replace(config.geometry, densify=densify))


def _within(value: int, lowest: int, highest: int) -> int:
    return max(lowest, min(value, highest))


def describe(before: TrainingConfig, after: TrainingConfig, capture: Capture) -> str:
    """Return in a sentence what was chosen, and what chooses otherwise; "" if nothing was."""
    old, new = size_of(before, capture), size_of(after, capture)
    parts = []
    if max(new.width, new.height) != max(old.width, old.height):
        parts.append(
            f"photos of {new.width}×{new.height} instead of {old.width}×{old.height} (--max-size)"
        )
    if new.cap != old.cap:
        parts.append(f"at most {new.cap:,} Gaussians (--max-gaussians)")
    if new.steps != old.steps:
        parts.append(f"{new.steps:,} steps (--steps)")
    return f"To suit machine and capture, training takes {_listed(parts)}." if parts else ""


def _listed(words: list[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last
