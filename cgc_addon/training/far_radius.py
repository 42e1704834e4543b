# SPDX-License-Identifier: GPL-3.0-or-later
"""How far away the background is: tried out, since nothing in a capture says so.

A wall of the room and the sky behind a garden move differently from photo to photo. Too near or too
far a background cannot follow, and leaves fog before the cameras. A few hundred steps on small
photos tell the distances apart, for a second or two each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from ..cgc.settings import NoFeatureSettings
from ..dataset.load import Dataset
from ..errors import CgcError, Interrupted
from ..files import read_json, write_json
from ..progress import Progress, Reporter, ShouldStop, never, silent
from ..ranks import ALONE, Ranks
from ..rasterize.interface import Backend
from ..splats.gaussians import Gaussians
from .batch import multiple_within
from .checkpoint import Checkpoint
from .config import TrainingConfig
from .run_folder import RunFolder
from .stage_state import StageState, State, fingerprint
from .trainer import Trainer

PLACING_BACKGROUND = "Placing the background"
"""Stage of the progress."""
RADII = (3.0, 10.0, 60.0)
"""Candidates, in scene extents: a room, a square, infinity."""
STEPS = 100
"""Twice as many choose the same radius in each of three captures."""
HALVINGS = 2
NEVER = 2**31


def choose_far_radius(
    dataset: Dataset,
    backend: Backend,
    config: TrainingConfig,
    start: Callable[[float], Gaussians],
    folder: RunFolder | None = None,
    state_seconds: float = 0.0,
    *,
    ranks: Ranks = ALONE,
    batch: int = 1,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> float:
    """Return the radius of the far sphere with which the photos are explained best.

    Every candidate is trained on the same photos in the same order; the mean loss of the last round
    decides. Held-out photos have no part in it.

    Args:
        dataset: photos to try on.
        backend: rasterizer.
        config: of the run.
        start: gives the first Gaussians for a radius in scene extents.
        folder: run folder that keeps what each candidate came to, and how far the next one is;
            None keeps nothing.
        state_seconds: of work that a kill may cost.
        ranks: processes that do this together, each on photos of its own.
        batch: photos of a step, of all processes together.
        report: progress.
        should_stop: asked before each step; by all processes, if there are several.

    Raises:
        Interrupted: `should_stop` said so.
    """
    geometry = replace(
        config.geometry,
        levels=((1.0, HALVINGS),),
        densify=replace(config.geometry.densify, start=NEVER, stop=NEVER),
    )
    trial = replace(config, geometry=geometry, features=NoFeatureSettings())
    last_round = min(STEPS // 2, len(dataset.train))
    total = STEPS * len(RADII)
    losses = [] if folder is None else ranks.first_does(lambda: _read_losses(folder))
    for number, radius in enumerate(RADII):
        if number < len(losses):
            continue
        begin = start(radius)
        one = _Trial(Trainer(dataset, backend, trial, begin, ranks, batch))

        def steps(pause: Callable[[], None], one: _Trial = one, before: int = number) -> None:
            while (step := one.trainer.step) < STEPS:
                if should_stop():
                    raise Interrupted("trying distances of the background")
                if multiple_within(step, one.trainer.photos, 20) is not None:
                    report(Progress(PLACING_BACKGROUND, before * STEPS + step, total))
                one.train_step()
                pause()

        if folder is None:
            steps(lambda: None)
        else:
            inputs = fingerprint(begin, [])
            kept = StageState(folder.background_state, inputs, state_seconds, ranks)
            kept.run(one, steps, keep_end=False)
        of_last_round = math.ceil(last_round / one.trainer.photos)
        losses.append(float(np.mean(one.losses[-of_last_round:])))
        if folder is not None and ranks.rank == 0:
            folder.check()
            write_json(folder.background_trials, {"radii": RADII, "steps": STEPS, "losses": losses})
            folder.background_state.unlink(missing_ok=True)
    report(Progress(PLACING_BACKGROUND, total, total))
    return RADII[int(np.argmin(losses))]


@dataclass
class _Trial:
    """A candidate, and what its steps came to."""

    trainer: Trainer
    losses: list[float] = field(default_factory=list)

    def train_step(self) -> None:
        self.losses.append(self.trainer.train_step().loss)

    def state(self) -> State:
        found = self.trainer.checkpoint()
        return found.tensors, {**found.values, "step": self.trainer.step, "losses": self.losses}

    def restore(self, state: State) -> None:
        tensors, values = state
        self.trainer.restore(Checkpoint(tensors, values))
        self.losses = list(values["losses"])


def _read_losses(folder: RunFolder) -> list[float]:
    """Return the losses of the candidates that were tried; none where they cannot be told."""
    trials = folder.background_trials
    try:
        value = read_json(trials) if trials.is_file() else {}
    except CgcError:  # a damaged one costs some seconds, not the run
        return []
    if not isinstance(value, dict) or value.get("radii") != list(RADII):
        return []
    if value.get("steps") != STEPS:  # losses of another version are no measure of these
        return []
    losses = value.get("losses")
    sound = isinstance(losses, list) and all(isinstance(loss, float) for loss in losses)
    return losses[: len(RADII)] if sound and isinstance(losses, list) else []
