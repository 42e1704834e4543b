# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Gaussians the photos show: all others are nobody's, and stand in the way of new views.

Training leaves some behind that opaque ones came to hide, or that lie beside every photo. No photo
says what they look like, so no photo misses them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ..dataset.load import Dataset
from ..progress import Reporter, ShouldStop, never, silent, track_groups
from ..ranks import ALONE, Ranks, share
from ..rasterize.interface import Backend
from ..splats.gaussians import Gaussians
from .parameters import splat_of
from .stage_state import WORTH_KEEPING, StageState, State

_STAGE = "Looking for what no photo shows"
LEAST_SHOWN = 0.1
"""Pixels of all photos together that a Gaussian has to make up."""


def shown_pixels(
    gaussians: Gaussians,
    dataset: Dataset,
    backend: Backend,
    kept: StageState | None = None,
    *,
    ranks: Ranks = ALONE,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> NDArray[np.float32]:
    """Return how many pixels each Gaussian makes up, Σ αT over all training photos, (N,).

    It is the gradient of a value that each Gaussian carries, summed over all pixels.

    Args:
        gaussians: N Gaussians.
        dataset: only `dataset.train` is used.
        backend: rasterizer.
        kept: keeps how far it is; of one process alone.
        ranks: processes that do this together, each with photos of its own.
        report: progress.
        should_stop: asked before each photo; by all processes, if there are several.

    Raises:
        Interrupted: `should_stop` said so.
    """
    splat = splat_of(gaussians, backend.device)
    counting = _Counting(
        torch.zeros((len(gaussians), 1), device=backend.device, requires_grad=True)
    )

    def count(pause: Callable[[], None]) -> None:
        left, before = dataset.train[counting.done :], counting.done
        for now in track_groups(left, ranks.size, _STAGE, report, should_stop, before=before):
            for index in share(now, ranks):
                drawn = backend.render(
                    splat,
                    dataset.store.view(index),
                    sh_degree=0,
                    features=counting.carried,
                    features_move_geometry=False,
                )
                if drawn.features is not None and drawn.features.requires_grad:  # else none shows
                    drawn.features.sum().backward()
            counting.done += len(now)
            pause()

    if kept is None:
        count(lambda: None)
    else:
        kept.run(counting, count, keep_end=WORTH_KEEPING)
    found = counting.shown()
    ranks.sum([found])
    return found[:, 0].cpu().numpy()


@dataclass
class _Counting:
    """So many photos were looked at; what they show is the gradient of what is carried (N, 1)."""

    carried: torch.Tensor
    done: int = 0

    def shown(self) -> torch.Tensor:
        gradient = self.carried.grad
        return torch.zeros_like(self.carried) if gradient is None else gradient

    def state(self) -> State:
        return {"shown": self.shown()}, {"step": self.done}

    def restore(self, state: State) -> None:
        tensors, values = state
        self.carried.grad = tensors["shown"].to(self.carried.device)
        self.done = int(values["step"])
