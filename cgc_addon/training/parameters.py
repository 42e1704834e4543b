# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians as trainable tensors, one Adam each, in the layout of gsplat's strategies."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from ..cgc.settings import FeatureSettings
from ..ranks import Ranks
from ..rasterize.interface import SplatTensors
from ..splats.gaussians import Gaussians
from ..splats.select import with_sh_degree
from .batch import betas_of, rate_factor
from .config import GeometrySettings, LearningRates

Parameters = dict[str, torch.nn.Parameter]
"""means (N, 3); scales (N, 3) log; quats (N, 4); opacities (N,) logit; sh0 (N, 1, 3);
shN (N, K − 1, 3); with joint features also features (N, 16)."""
SMALLEST_PHOTO = 48
"""Photos are not halved to fewer pixels than this on their shorter side."""

Optimizers = dict[str, torch.optim.Optimizer]

Gradients = dict[str, Tensor | None]
"""Of each parameter, None where nothing is said of it."""


def to_parameters(gaussians: Gaussians, sh_degree: int, device: torch.device) -> Parameters:
    """Copy Gaussians into trainable tensors; harmonics are cut or zero-padded to `sh_degree`."""
    sh = with_sh_degree(gaussians, sh_degree).sh
    arrays = {
        "means": gaussians.means,
        "scales": gaussians.log_scales,
        "quats": gaussians.quats,
        "opacities": gaussians.logit_opacities,
        "sh0": sh[:, :1],
        "shN": sh[:, 1:],
    }
    if gaussians.features is not None:
        arrays["features"] = gaussians.features
    return {
        name: torch.nn.Parameter(torch.tensor(np.ascontiguousarray(array), device=device))
        for name, array in arrays.items()
    }


def to_gaussians(parameters: Parameters) -> Gaussians:
    """Copy trainable tensors back into plain arrays."""
    arrays = {name: value.detach().cpu().numpy().copy() for name, value in parameters.items()}
    return Gaussians(
        means=arrays["means"],
        log_scales=arrays["scales"],
        quats=arrays["quats"],
        logit_opacities=arrays["opacities"],
        sh=np.concatenate([arrays["sh0"], arrays["shN"]], axis=1),
        features=arrays.get("features"),
    )


def to_splat(parameters: Mapping[str, Tensor], *, harmonics_learn: bool = True) -> SplatTensors:
    """Apply the activations; gradients flow back to the parameters.

    Args:
        parameters: of the splat.
        harmonics_learn: whether the higher harmonics get a gradient, too: most of all numbers are
            theirs.
    """
    harmonics = parameters["shN"]
    return SplatTensors(
        means=parameters["means"],
        quats=parameters["quats"],
        scales=torch.exp(parameters["scales"]),
        opacities=torch.sigmoid(parameters["opacities"]),
        sh0=parameters["sh0"],
        shN=harmonics if harmonics_learn else harmonics.detach(),
    )


def splat_of(gaussians: Gaussians, device: torch.device) -> SplatTensors:
    """Return Gaussians as tensors to draw, without gradients."""
    parameters = to_parameters(gaussians, gaussians.sh_degree, device)
    splat = to_splat(parameters)
    return SplatTensors(**{name: value.detach() for name, value in vars(splat).items()})


def make_optimizers(
    parameters: Parameters,
    geometry: GeometrySettings,
    features: FeatureSettings,
    extent: float,
    batch: int = 1,
) -> Optimizers:
    """Return one fused Adam a parameter, named as the parameters are, ε = 1e-15 as in 3DGS.

    Args:
        parameters: to be trained.
        geometry: settings.
        features: settings.
        extent: of the scene, scene units.
        batch: photos of a step, see `batch`.
    """
    rates = geometry.rates
    steps = {
        "means": rates.means_start * extent,
        "scales": rates.scales,
        "quats": rates.quats,
        "opacities": rates.opacities,
        "sh0": rates.sh0,
        "shN": rates.sh_rest,
    }
    if features.mode == "joint":
        steps["features"] = features.learning_rate
    return {name: adam(value, steps[name], batch) for name, value in parameters.items()}


def adam(parameter: torch.nn.Parameter, rate: float, batch: int = 1) -> torch.optim.Optimizer:
    """Return a fused Adam for a parameter.

    Args:
        parameter: to be trained.
        rate: step size for single photos.
        batch: photos of a step.
    """
    return torch.optim.Adam(
        [parameter], lr=rate * rate_factor(batch), betas=betas_of(batch), eps=1e-15, fused=True
    )


def add_to_gradients(parameters: Parameters, gradients: Gradients) -> None:
    """Add what one photo says to the gradients that the parameters have; may take its tensors."""
    for name, gradient in gradients.items():
        before = parameters[name].grad
        if gradient is not None:
            parameters[name].grad = gradient if before is None else before.add_(gradient)


def add_up_gradients(parameters: Parameters, ranks: Ranks, degree: int, *others: Tensor) -> None:
    """Add up the gradients that each process has from its own photos.

    Args:
        parameters: with their gradients.
        ranks: processes that did the step.
        degree: of the spherical harmonics that were in use; higher ones have no gradients, and
            most of what would be told is theirs.
        others: are added up as well.
    """
    if ranks.size == 1:
        return
    gradients: dict[str, Tensor] = {}
    for name, value in parameters.items():
        if value.grad is None:  # this process has not seen what another one may have
            value.grad = torch.zeros_like(value)
        gradients[name] = value.grad
    harmonics = gradients["shN"][:, : (degree + 1) ** 2 - 1]
    gradients["shN"] = harmonics.contiguous()
    ranks.sum([*(gradient for gradient in gradients.values() if gradient.numel()), *others])
    harmonics.copy_(gradients["shN"])


def means_rate(rates: LearningRates, step: int, steps: int, extent: float) -> float:
    """Return the step size of the means at `step` of `steps`, scene units: it falls exponentially.

    Interpolates between the logarithms of both ends (Kerbl et al. 2023).
    """
    progress = min(1.0, step / max(1, steps))
    logarithm = (1.0 - progress) * math.log(rates.means_start) + progress * math.log(
        rates.means_end
    )
    return math.exp(logarithm) * extent


def visible_degree(geometry: GeometrySettings, step: int) -> int:
    """Return the degree of spherical harmonics in use at `step`: it grows as in 3DGS."""
    return min(geometry.sh_degree, step // geometry.sh_degree_every)


def photo_level(geometry: GeometrySettings, step: int, shortest_side: int) -> int:
    """Return how often photos are halved at `step`; never so often that little is left of them.

    Args:
        geometry: with the schedule.
        step: from 0.
        shortest_side: of the photo at full size, px.
    """
    share = step / geometry.steps
    level = next((level for until, level in geometry.levels if share < until), 0)
    while level and shortest_side >> level < SMALLEST_PHOTO:
        level -= 1
    return level


def feature_start(count: int, scale: float, seed: int) -> Tensor:
    """Return (count, 16) float32 features, uniform in ±`scale`: zero mean separates fastest."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand((count, 16), generator=generator) * 2.0 - 1.0) * scale
