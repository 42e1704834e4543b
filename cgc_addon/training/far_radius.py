# SPDX-License-Identifier: GPL-3.0-or-later
"""How far away the background is: tried out, since nothing in a capture says so.

A wall of the room and the sky behind a garden move differently from photo to photo. Too near or too
far a background cannot follow, and leaves fog before the cameras. A few hundred steps on small
photos tell the distances apart, for a second or two each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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
FEWEST_STEPS, WINDOW = 40, 20
"""A candidate that is worse than the best one so far is given up after so many steps, when the last
ones of them leave no doubt: …"""
CERTAINTY = 4.0
"""… the mean difference is so many times its standard error. Both saw the same photos."""
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
    decides. One that falls behind is given up. Held-out photos have no part in it.

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
        begin, best = start(radius), _best(losses, last_round)
        one = _Trial(
            Trainer(dataset, backend, trial, begin, ranks, batch),
            None if best is None else losses[best],
        )

        def steps(pause: Callable[[], None], one: _Trial = one, before: int = number) -> None:
            while (step := one.trainer.step) < STEPS and not one.is_behind():
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
        losses.append(one.losses)
        if folder is not None and ranks.rank == 0:
            folder.check()
            write_json(folder.background_trials, {"radii": RADII, "steps": STEPS, "losses": losses})
            folder.background_state.unlink(missing_ok=True)
    report(Progress(PLACING_BACKGROUND, total, total))
    best = _best(losses, last_round)
    assert best is not None  # the first one is never given up
    return RADII[best]


def _best(losses: Sequence[Sequence[float]], last_round: int) -> int | None:
    """Return which of the candidates that were not given up is the best; None before the first."""
    whole = [number for number, found in enumerate(losses) if len(found) >= STEPS]
    return min(whole, key=lambda number: np.mean(losses[number][-last_round:]), default=None)


@dataclass
class _Trial:
    """A candidate, and what its steps came to."""

    trainer: Trainer
    to_beat: Sequence[float] | None
    """Losses of the best candidate so far, None for the first."""
    losses: list[float] = field(default_factory=list)
    """One for each photo: those that are looked at together have the same."""

    def train_step(self) -> None:
        before = self.trainer.step
        loss = self.trainer.train_step().loss
        self.losses += [loss] * (self.trainer.step - before)

    def is_behind(self) -> bool:
        """Say whether it is worse than the best one, beyond what chance could do."""
        count = len(self.losses)
        if self.to_beat is None or not FEWEST_STEPS <= count <= len(self.to_beat):
            return False
        worse = np.subtract(self.losses[-WINDOW:], self.to_beat[count - WINDOW : count])
        error = worse.std() * math.sqrt(self.trainer.photos / WINDOW)
        return bool(worse.mean() > CERTAINTY * error)

    def state(self) -> State:
        found = self.trainer.checkpoint()
        return found.tensors, {**found.values, "step": self.trainer.step, "losses": self.losses}

    def restore(self, state: State) -> None:
        tensors, values = state
        self.trainer.restore(Checkpoint(tensors, values))
        self.losses = list(values["losses"])


def _read_losses(folder: RunFolder) -> list[list[float]]:
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
    sound = isinstance(losses, list) and all(
        isinstance(found, list) and found and all(isinstance(loss, float) for loss in found)
        for found in losses
    )
    if not sound or not isinstance(losses, list) or not losses or len(losses[0]) < STEPS:
        return []
    return losses[: len(RADII)]
