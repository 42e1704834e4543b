# SPDX-License-Identifier: GPL-3.0-or-later
"""Before a run begins: fit it to capture, machine and time, and say what it will take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..dataset.load import Dataset, at_size
from ..progress import Reporter, ShouldStop
from ..ranks import ALONE, Ranks
from ..rasterize.interface import Backend
from ..splats.gaussians import Gaussians
from .asked import Asked
from .config import TrainingConfig
from .fitting import Capture, describe, fitted, fitted_to_time, size_of
from .forecast import forecast, in_words, measure_pace
from .memory import check_memory

First = Callable[[TrainingConfig, Dataset], Gaussians]
"""Gives the Gaussians that a run starts with."""


@dataclass(frozen=True, eq=False)
class FittedRun:
    """A run that is about to begin."""

    config: TrainingConfig
    start: Gaussians
    seconds: float
    """That it will take, with what it has taken before this was known."""


def fit_run(
    dataset: Dataset,
    backend: Backend,
    config: TrainingConfig,
    asked: Asked,
    first: First,
    ranks: Ranks = ALONE,
    *,
    began: float,
    clock: Callable[[], float] = time.perf_counter,
    say: Callable[[str], None],
    report: Reporter,
    should_stop: ShouldStop,
) -> FittedRun:
    """Choose what is left open, and say what that is, the memory it needs and the time it takes.

    Args:
        dataset: at the size asked for, else as it is.
        backend: rasterizer, with its kernels compiled.
        config: as configured.
        asked: what of it is fixed.
        first: see `First`.
        ranks: that train together; each measures nothing but itself, and they share the photos.
        began: when the run did, by the clock: kernels may have been compiled and photos matched.
        clock: seconds.
        say: takes sentences that the user should read.
        report: progress.
        should_stop: asked between steps.

    Raises:
        CgcError: there is not enough memory.
        Interrupted: `should_stop` said so.
    """
    cameras = [view.camera for view in dataset.scene.views]
    capture = Capture(
        len(cameras),
        max(camera.width for camera in cameras),
        max(camera.height for camera in cameras),
    )
    threads = torch.get_num_threads() if backend.device.type == "cpu" else None
    chosen = fitted(config, asked, capture, threads)
    sized = at_size(dataset, chosen.max_size)
    start = first(chosen, sized)
    need = check_memory(chosen, sized, len(start), ranks.local_size)
    pace = measure_pace(
        sized, backend, chosen, start, clock=clock, report=report, should_stop=should_stop
    )
    spent = clock() - began
    masked = sum(dataset.store.has_labels(index) for index in dataset.train)
    answered = sum(dataset.store.files[index].answers is not None for index in dataset.train)

    def seconds(candidate: TrainingConfig) -> float:
        alone = forecast(
            candidate,
            pace,
            size_of(candidate, capture),
            gaussians=min(len(start), candidate.geometry.densify.cap)
            if candidate.init is None
            else len(start),
            views=len(dataset.train),
            masked=masked,
            answered=answered,
            background=bool(candidate.geometry.far_points) and not sized.store.are_cut_out,
        )
        return spent + alone / ranks.size

    if asked.minutes is not None:
        chosen = fitted_to_time(chosen, asked, capture, 60.0 * asked.minutes, seconds)
        sized = at_size(dataset, chosen.max_size)
        start = first(chosen, sized)
        need = check_memory(chosen, sized, len(start), ranks.local_size)
    if sentence := describe(config, chosen, capture):
        say(sentence)
    will_take = seconds(chosen)
    say(f"{need.sentence()} It will take about {in_words(will_take)}.")
    if asked.minutes is not None and will_take > 1.1 * 60.0 * asked.minutes:
        say(
            f"That is more than the {asked.minutes:g} minutes asked for: with less, nothing worth "
            "keeping would come of it."
        )
    return FittedRun(chosen, start, will_take)
