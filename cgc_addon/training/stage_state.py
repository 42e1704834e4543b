# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a stage after the geometry, kept in the run folder while the stage is not over.

A state belongs to what the stage works on: when masks or the program have changed since, it is of
no use and the stage begins anew.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from ..cgc.observations import Observation
from ..errors import CgcError, Interrupted
from ..ranks import ALONE, Ranks
from ..splats.gaussians import Gaussians
from ..state_clock import StateClock
from ..version import __version__
from .checkpoint import Checkpoint, load_checkpoint, write_checkpoint
from .run_folder import RunFolder

WORTH_KEEPING = 0.1
"""Share of the work that a kill may cost: what took less is done again instead."""
State = tuple[dict[str, torch.Tensor], dict[str, Any]]


class Resumable(Protocol):
    """A training that can be taken up again."""

    def state(self) -> State:
        """Return everything that `restore` needs."""
        ...

    def restore(self, state: State, /) -> None:
        """Go on from a state; KeyError where it is of something else."""
        ...


@dataclass
class StageState:
    """Where the state of one stage is kept."""

    path: Path
    """In the run folder."""
    inputs: str
    """Tells what the stage works on, see `fingerprint`."""
    seconds: float
    """Of work that a kill may cost, see `StateClock`."""
    ranks: Ranks = ALONE
    """Processes that train together, all of them alike: the first one keeps the state."""
    clock: Callable[[], float] = time.perf_counter
    """Seconds."""

    def run(
        self,
        training: Resumable,
        steps: Callable[[Callable[[], None]], None],
        *,
        keep_end: bool | float = True,
    ) -> None:
        """Let a training do its steps from where an earlier call has left it, and keep its state.

        Args:
            training: at its start.
            steps: does the steps that are left; calls its argument between two of them.
            keep_end: whether what comes of it is kept, too, and not by the caller; or the share
                of `seconds` that its steps must have taken to be worth it.

        Raises:
            CgcError: the folder cannot be written.
            Interrupted: `steps` was asked to stop; the state is kept.
        """
        self._restore(training)

        clock, began = StateClock(self.seconds, self.clock), self.clock()

        def pause() -> None:
            if clock.due():
                self._save(training)
                clock.kept()

        try:
            steps(pause)
        except Interrupted:
            self._save(training)
            raise
        if keep_end is True or (keep_end and self.clock() - began >= keep_end * self.seconds):
            self._save(training)

    def _restore(self, training: Resumable) -> None:
        found = self.ranks.first_does(self._read)
        if found is not None:
            training.restore((found.tensors, found.values))

    def _read(self) -> Checkpoint | None:
        if not self.path.is_file():
            return None
        try:
            found = load_checkpoint(self.path, torch.device("cpu"))
        except CgcError:  # damaged, or of another version: the stage begins anew
            return None
        return found if found.values.get("inputs") == self.inputs else None

    def _save(self, training: Resumable) -> None:
        if self.ranks.rank != 0:
            return
        RunFolder(self.path.parent).check()
        tensors, values = training.state()
        write_checkpoint(self.path, Checkpoint(tensors, {**values, "inputs": self.inputs}))


def fingerprint(
    gaussians: Gaussians,
    observations: Sequence[Observation],
    *others: NDArray[Any] | None,
    settings: str = "",
) -> str:
    """Return a text that is another one where anything that a stage works on is different.

    Args:
        gaussians: N.
        observations: of the masks.
        others: what else it works on: segments (N,), where there are any yet.
        settings: in any words.
    """
    digest = hashlib.blake2b(f"{__version__}{settings}".encode(), digest_size=16)
    for array in (*_arrays(gaussians, observations), *others):
        if array is not None:
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _arrays(
    gaussians: Gaussians,
    observations: Sequence[Observation],
) -> Iterable[NDArray[Any] | None]:
    yield gaussians.means
    yield gaussians.log_scales
    yield gaussians.quats
    yield gaussians.logit_opacities
    yield gaussians.sh
    for one in observations:
        yield from (one.blending.weights, one.blending.gaussians, one.blending.starts)
        yield from (one.labels, one.parts)
        if one.answers is not None:
            yield from (one.answers.packed, one.answers.scores, one.answers.stabilities)
