# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps after several photos were looked at with the same parameters: one for each, in their order.

The later ones of these gradients are a little old: they do not know of the steps before them. With
two photos this costs 0.08 dB in the mean of three scenes, as much as one step with the mean of both
(docs/results/speed.md); unlike that it needs no other rates.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..rasterize.interface import PhotosTogether
from .parameters import Gradients, Optimizers, Parameters


def leaves_of(parameters: Parameters) -> dict[str, Tensor]:
    """Return the same numbers as leaves of a graph, whose gradients are of one photo alone."""
    return {name: value.detach().requires_grad_() for name, value in parameters.items()}


def gradients_of(leaves: dict[str, Tensor]) -> Gradients:
    """Return what a photo left in its leaves."""
    return {name: leaf.grad for name, leaf in leaves.items()}


def descend(
    together: PhotosTogether,
    parameters: Parameters,
    optimizers: Optimizers,
    photos: Sequence[Gradients],
    means_rates: Sequence[float] | None = None,
    means_lengths: Tensor | None = None,
) -> None:
    """Let Adam step once for each photo; parameters and moments change in place.

    Args:
        together: does it.
        parameters: of the splat.
        optimizers: of them, whose rates count.
        photos: gradients of each.
        means_rates: rate of the means in each step, scene units; None: that of their optimizer.
        means_lengths: (N, 3) what the ways of the means are multiplied by; None: nothing.
    """
    for name, parameter in parameters.items():
        steps = [number for number, photo in enumerate(photos) if photo[name] is not None]
        if not steps:
            continue
        optimizer = optimizers[name]
        group, state = optimizer.param_groups[0], optimizer.state[parameter]
        if not state:
            state["step"] = torch.zeros(())
            state["exp_avg"] = torch.zeros_like(parameter, requires_grad=False)
            state["exp_avg_sq"] = torch.zeros_like(parameter, requires_grad=False)
        rates = [group["lr"]] * len(photos)
        if name == "means" and means_rates is not None:
            rates = list(means_rates)
        together.adam_steps(
            parameter,
            (state["exp_avg"], state["exp_avg_sq"]),
            [gradient for photo in photos if (gradient := photo[name]) is not None],
            [rates[number] for number in steps],
            group["betas"],
            int(state["step"]),
            means_lengths if name == "means" else None,
        )
        state["step"] += len(steps)
