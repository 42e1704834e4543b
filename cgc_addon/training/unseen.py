# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Gaussians the photos show: all others are nobody's, and stand in the way of new views.

Training leaves some behind that opaque ones came to hide, or that lie beside every photo. No photo
says what they look like, so no photo misses them.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ..dataset.load import Dataset
from ..progress import Reporter, ShouldStop, never, silent, track
from ..ranks import ALONE, Ranks, rounds, share
from ..rasterize.interface import Backend
from ..splats.gaussians import Gaussians
from .parameters import splat_of

LEAST_SHOWN = 0.1
"""Pixels of all photos together that a Gaussian has to make up."""


def shown_pixels(
    gaussians: Gaussians,
    dataset: Dataset,
    backend: Backend,
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
        ranks: processes that do this together, each with photos of its own.
        report: progress.
        should_stop: asked before each photo; by all processes, if there are several.

    Raises:
        Interrupted: `should_stop` said so.
    """
    splat = splat_of(gaussians, backend.device)
    carried = torch.zeros((len(gaussians), 1), device=backend.device, requires_grad=True)
    stage = "Looking for what no photo shows"
    for photos in track(rounds(dataset.train, ranks), stage, report, should_stop):
        for index in share(photos, ranks):
            drawn = backend.render(
                splat,
                dataset.store.view(index),
                sh_degree=0,
                features=carried,
                features_move_geometry=False,
            )
            if drawn.features is not None and drawn.features.requires_grad:  # else it shows none
                drawn.features.sum().backward()
    found = torch.zeros_like(carried) if carried.grad is None else carried.grad
    ranks.sum([found])
    return found[:, 0].cpu().numpy()
