# SPDX-License-Identifier: GPL-3.0-or-later
"""Sharpen a splat where its segments meet: the last steps of training, once segments are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from ..cgc.edges import (
    edge_loss,
    segment_codes,
    segment_targets,
    split_gaussians,
    straddling_gaussians,
)
from ..cgc.observations import Observation
from ..dataset.load import Dataset
from ..progress import Progress, Reporter, ShouldStop, never, silent, track
from ..rasterize.interface import Backend, SplatTensors
from ..splats.gaussians import Gaussians
from .config import EdgeSettings, GeometrySettings
from .parameters import Parameters, splat_of, to_gaussians, to_parameters, to_splat

SHARPENING_EDGES = "Sharpening edges"
"""Stage of the progress."""


@dataclass(frozen=True, eq=False)
class RefinedSplat:
    """A splat after its edges were sharpened."""

    gaussians: Gaussians
    """M ≥ N Gaussians, without features and segments."""
    origin: NDArray[np.int64]
    """(M,) the Gaussian before that each one comes from."""


def refine_edges(
    gaussians: Gaussians,
    segments: NDArray[np.int32],
    observations: Sequence[Observation],
    dataset: Dataset,
    backend: Backend,
    settings: EdgeSettings,
    geometry: GeometrySettings,
    seed: int,
    *,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> RefinedSplat:
    """Split Gaussians that straddle segments and train some steps on photos and masks together.

    Args:
        gaussians: N, as photometric training left them.
        segments: (N,) segment of each, 0 = none.
        observations: of all labelled views.
        dataset: photos and masks; only `dataset.train` is used.
        backend: rasterizer.
        settings: of this training.
        geometry: of the training before, for its photometric loss.
        seed: of the order of the photos.
        report: progress.
        should_stop: asked before each step.

    Raises:
        Interrupted: `should_stop` said so; nothing is kept.
    """
    straddling = straddling_gaussians(observations, segments)
    split = split_gaussians(replace(gaussians, features=None, segments=None), straddling)
    origin = np.concatenate([np.arange(len(gaussians)), straddling])
    codes = segment_codes(int(segments.max(initial=0))).to(backend.device)
    labels = torch.from_numpy(segments[origin]).to(backend.device)
    targets = _targets(split, labels, dataset, backend, report, should_stop)

    parameters = to_parameters(split, geometry.sh_degree, backend.device)
    optimizers = _optimizers(parameters, settings, dataset.scene.extent)
    features = codes[labels.long()]
    generator = np.random.default_rng(seed)
    order: list[int] = []
    numbers: dict[str, float] = {}

    def forward(progress: Progress) -> None:
        report(Progress(progress.stage, progress.done, progress.total, dict(numbers)))

    for _step in track(range(settings.steps), SHARPENING_EDGES, forward, should_stop):
        order = order or generator.permutation(np.asarray(dataset.train)).tolist()
        index = order.pop()
        photo = torch.from_numpy(dataset.store.photo(index)).to(backend.device)
        rendering = backend.render(
            to_splat(parameters),
            dataset.store.view(index),
            sh_degree=geometry.sh_degree,
            features=features,
        )
        loss = backend.photometric_loss(
            rendering.rgb, photo.to(torch.float32) / 255.0, geometry.dssim_weight
        )
        numbers["loss"] = loss.item()
        if index in targets and rendering.features is not None:
            pixels = rendering.features.reshape(-1, codes.shape[1])
            edges = edge_loss(pixels, targets[index].to(backend.device), codes)
            numbers["edges"] = edges.item()
            loss = loss + settings.weight * edges
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
    return RefinedSplat(to_gaussians(parameters), origin)


def _targets(
    gaussians: Gaussians,
    labels: torch.Tensor,
    dataset: Dataset,
    backend: Backend,
    report: Reporter,
    should_stop: ShouldStop,
) -> dict[int, torch.Tensor]:
    """Return which segment each pixel (H · W,) of each labelled view should show."""
    splat: SplatTensors = splat_of(gaussians, backend.device)
    targets: dict[int, torch.Tensor] = {}
    for index in track(dataset.train, "Reading edges", report, should_stop):
        masks = dataset.store.masks(index)
        if masks is not None:
            shown, _ = backend.render_labels(splat, dataset.store.view(index), labels)
            found = segment_targets(shown.cpu().numpy(), masks)
            targets[index] = torch.from_numpy(found.reshape(-1).astype(np.int16))
    return targets


def _optimizers(
    parameters: Parameters, settings: EdgeSettings, extent: float
) -> list[torch.optim.Optimizer]:
    """Return an Adam for each parameter, with the small steps of a finished training."""
    rates = settings.rates
    steps = {
        "means": rates.means_end * extent,
        "scales": rates.scales,
        "quats": rates.quats,
        "opacities": rates.opacities,
        "sh0": rates.sh0,
        "shN": rates.sh_rest,
    }
    return [
        torch.optim.Adam([parameters[name]], lr=steps[name], eps=1e-15, fused=True)
        for name in parameters
    ]
