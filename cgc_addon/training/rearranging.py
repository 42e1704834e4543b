# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters that change in shape or order between two steps, and their moments with them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..splats.morton import morton_order
from ..splats.spherical_harmonics import coefficient_count
from .parameters import Optimizers, Parameters


def grow_harmonics(parameters: Parameters, optimizers: Optimizers, degree: int) -> None:
    """Store spherical harmonics up to a degree, new ones zero; what is there already stays.

    Until a degree comes into use its coefficients are zero and so are their moments: a step is the
    same without them, but for the time that zeros take.

    Args:
        parameters: entry shN is replaced.
        optimizers: of them.
        degree: 0..3.
    """
    missing = coefficient_count(degree) - 1 - parameters["shN"].shape[1]
    if missing > 0:
        _change(
            parameters,
            optimizers,
            "shN",
            lambda value: torch.nn.functional.pad(value, (0, 0, 0, missing)),
        )


def sort_along_curve(parameters: Parameters, optimizers: Optimizers) -> None:
    """Bring Gaussians into the order of a curve through space.

    What one photo shows then lies together in memory, and blocks of Gaussians that it does not show
    are passed over as a whole.

    Args:
        parameters: all entries are replaced.
        optimizers: of them.
    """
    means = parameters["means"].detach()
    order = torch.from_numpy(morton_order(means.cpu().numpy())).to(means.device)
    for name in parameters:
        _change(parameters, optimizers, name, lambda value: value[order])


def _change(
    parameters: Parameters, optimizers: Optimizers, name: str, change: Callable[[Tensor], Tensor]
) -> None:
    """Replace a parameter and, alike, all that its optimizer keeps of each Gaussian."""
    before, optimizer = parameters[name], optimizers[name]
    after = torch.nn.Parameter(change(before.detach()))
    parameters[name] = after
    state = optimizer.state.pop(before, {})
    optimizer.param_groups[0]["params"] = [after]
    if state:
        optimizer.state[after] = {
            key: change(value) if value.shape == before.shape else value
            for key, value in state.items()
        }
