# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a run will take, from a few steps that this machine takes on this capture.

A step costs something whatever it draws, something for each Gaussian and something for each pixel,
and a pixel costs the more the more Gaussians there are. A few steps on photos of two sizes, and
with more Gaussians, tell these apart; what follows training costs as much as so many steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..cgc.settings import NoFeatureSettings
from ..dataset.load import Dataset
from ..errors import Interrupted
from ..progress import Progress, Reporter, ShouldStop, never, silent
from ..rasterize.interface import Backend
from ..splats.gaussians import Gaussians
from ..splats.select import concatenate
from .config import TrainingConfig
from .far_radius import NEVER
from .far_radius import STEPS as RADIUS_STEPS
from .fitting import Size
from .parameters import photo_level
from .trainer import Trainer

MEASURING = "Measuring the pace"
"""Stage of the progress."""
TRIALS, TRIAL_STEPS, TRIAL_PHOTOS = 3, 12, 4
UNDISTURBED = 25.0
"""Percentile of the times of steps that is taken for the time of one."""
MOST_COPIES = 4
"""Of each Gaussian, where it is tried out what more of them cost."""
HALVINGS = 2

# Measured on the bundled sample, a household capture of 48 photos and 24 photos of a kitchen.
GROWTH = 0.3
"""A pixel costs as much as the number of Gaussians to this power: more of them lie before it, up to
where it is opaque. 0.20 to 0.36; a fourth trial would tell it less well."""
BESIDES = 1.12
"""Checkpoints, refinement and reports, beside the steps themselves."""
GROWN = 0.27
"""Share of the steps after which the Gaussians have come to their cap."""
CANDIDATES = 2.3
"""Distances of the background that are tried out to the end, as far as steps go: those that fall
behind are given up. They are 1.8 to 3."""
LOOKS = 8.5
"""What looking at photos with masks and asking these takes after training, in steps a photo."""
ANSWER_LOOKS = 6.0
"""More of it for a photo with all answers of the mask model."""
FEATURES_IN_STEPS = 450
"""Learning and clustering features, in steps that draw nothing."""
EDGE_STEP = 1.25
"""A step that sharpens edges, in steps."""


@dataclass(frozen=True)
class Pace:
    """Seconds that a step takes."""

    always: float
    """Whatever it draws: most of that is done by one thread, however many there are."""
    per_gaussian: float
    per_pixel: float
    """With `measured_with` Gaussians: more of them make it more, see `GROWTH`."""
    measured_with: int

    def step(self, gaussians: float, pixels: float) -> float:
        """Return the seconds of a step of training.

        Args:
            gaussians: their number.
            pixels: of the photo.
        """
        denser = (max(1.0, gaussians) / self.measured_with) ** GROWTH
        return self.always + self.per_gaussian * gaussians + denser * self.per_pixel * pixels


def measure_pace(
    dataset: Dataset,
    backend: Backend,
    config: TrainingConfig,
    start: Gaussians,
    *,
    clock: Callable[[], float] = time.perf_counter,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> Pace:
    """Take a few steps at full size, on small photos and with more Gaussians; none is kept.

    Args:
        dataset: photos to train on.
        backend: rasterizer, with its kernels compiled.
        config: of the run.
        start: what it starts with.
        clock: seconds.
        report: progress.
        should_stop: asked before each step.

    Raises:
        Interrupted: `should_stop` said so.
    """
    trial = replace(config, features=NoFeatureSettings())
    densify = replace(config.geometry.densify, start=NEVER, stop=NEVER)
    # A run reads each photo once, if there is room for all: what that takes is no part of a step.
    few = replace(dataset, train=dataset.train[:: -(-len(dataset.train) // TRIAL_PHOTOS)])
    camera = dataset.store.view(dataset.train[0], 0).camera
    done = 0

    def a_step(gaussians: Gaussians, halvings: int) -> float:
        nonlocal done
        geometry = replace(config.geometry, levels=((1.0, halvings),), densify=densify)
        trainer = Trainer(few, backend, replace(trial, geometry=geometry), gaussians)
        trainer.step = geometry.steps // 2  # with as many harmonics as most steps have
        taken: list[float] = []
        while len(taken) < TRIAL_STEPS:
            if should_stop():
                raise Interrupted("measuring the pace")
            report(Progress(MEASURING, done + len(taken), TRIALS * TRIAL_STEPS))
            first, began = trainer.step, clock()
            trainer.train_step()
            photos = max(1, trainer.step - first)  # that were looked at together
            taken += [(clock() - began) / photos] * photos
        done += TRIAL_STEPS
        # The first ones read photos; whatever else the machine does only makes some longer.
        return float(np.percentile(taken[TRIAL_PHOTOS:], UNDISTURBED))

    more = _refined(start, max(2, min(MOST_COPIES, config.geometry.densify.cap // len(start))))
    full, small, many = a_step(start, 0), a_step(start, HALVINGS), a_step(more, HALVINGS)
    report(Progress(MEASURING, done, done))
    shortest = min(camera.width, camera.height)
    level = photo_level(replace(config.geometry, levels=((1.0, HALVINGS),)), 0, shortest)
    pixels = camera.width * camera.height
    fewer = (camera.width >> level) * (camera.height >> level)
    per_pixel = 0.0
    if pixels > fewer:  # photos of few pixels are not halved
        per_pixel = max(0.0, full - small) / (pixels - fewer)
    denser = (len(more) / len(start)) ** GROWTH
    of_more = many - small - (denser - 1) * per_pixel * fewer
    per_gaussian = max(of_more, 0.01 * small) / (len(more) - len(start))
    always = small - per_gaussian * len(start) - per_pixel * fewer
    return Pace(max(0.0, always), per_gaussian, per_pixel, len(start))


def _refined(gaussians: Gaussians, copies: int) -> Gaussians:
    """Return several smaller Gaussians in place of each, that cover as much of pictures."""
    smaller = gaussians.log_scales - np.float32(0.5 * np.log(copies))
    return concatenate([replace(gaussians, log_scales=smaller)] * copies)


def forecast(
    config: TrainingConfig,
    pace: Pace,
    size: Size,
    *,
    gaussians: int,
    views: int,
    masked: int,
    answered: int,
    background: bool,
) -> float:
    """Return the seconds that a run will take.

    Args:
        config: of the run.
        pace: measured.
        size: of its photos.
        gaussians: that it starts with.
        views: photos to train on.
        masked: of them, those with masks.
        answered: of these, those with all that a mask model answered.
        background: whether distances of the background are tried out.
    """
    pixels, geometry = size.width * size.height, config.geometry
    trained = config.init is None
    final = max(gaussians, geometry.densify.cap) if trained else gaussians
    seconds = 0.0
    if trained:
        begins, ends = geometry.densify.start / geometry.steps, GROWN
        for share in (np.arange(100) + 0.5) / 100:
            grown = np.clip((share - begins) / max(1e-9, ends - begins), 0.0, 1.0)
            level = photo_level(geometry, int(share * geometry.steps), min(size.width, size.height))
            step = pace.step(gaussians + grown * (final - gaussians), pixels / 4**level)
            seconds += BESIDES * geometry.steps / 100 * step
        if background:
            seconds += CANDIDATES * RADIUS_STEPS * pace.step(gaussians, pixels / 4**HALVINGS)
    if config.features.mode != "off" and masked:
        looks = LOOKS * views
        if config.segments.asks_answers:
            looks += ANSWER_LOOKS * answered
        seconds += looks * pace.step(final, pixels)
        seconds += FEATURES_IN_STEPS * pace.step(final, 0)
        if trained:
            seconds += EDGE_STEP * config.edges.steps * pace.step(final, pixels)
    return seconds


def in_words(seconds: float) -> str:
    """Say how long something takes.

    Example:
        >>> in_words(38), in_words(140), in_words(9_000)
        ('40 seconds', '2.5 minutes', '2.5 hours')
    """
    if seconds < 100:
        return f"{max(5, 5 * round(seconds / 5))} seconds"
    minutes = seconds / 60
    if minutes < 100:
        return f"{round(2 * minutes) / 2 if minutes < 10 else round(minutes):g} minutes"
    return f"{round(2 * minutes / 60) / 2:g} hours"
