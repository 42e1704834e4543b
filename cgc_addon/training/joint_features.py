# SPDX-License-Identifier: GPL-3.0-or-later
"""CGC's losses inside the photometric training, as the paper trains: every few steps, jointly."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..cgc.features.contrastive import (
    contrastive_loss,
    minimum_segment_pixels,
    released_contrastive_loss,
)
from ..cgc.features.neighbours import nearest_neighbours
from ..cgc.features.spatial import NEIGHBOURS, released_spatial_loss, spatial_loss
from ..cgc.settings import JointFeatureSettings
from ..rasterize.interface import Rendering


class JointFeatures:
    """Says when the feature losses are due and computes them; owns their random numbers."""

    def __init__(self, settings: JointFeatureSettings, seed: int) -> None:
        self._settings, self._seed = settings, seed

    @property
    def move_geometry(self) -> bool:
        """Whether gradients of the features reach the geometry."""
        return self._settings.move_geometry

    def due(self, step: int) -> bool:
        """Return whether `step` (from 0) has a feature loss; the first comes after one interval."""
        return (step + 1) % self._settings.contrastive_every == 0

    def loss(
        self,
        step: int,
        rendering: Rendering,
        labels: NDArray[np.int32] | None,
        means: Tensor,
        features: Tensor,
    ) -> tuple[Tensor, dict[str, float]]:
        """Return the weighted sum of the losses that are due and their values.

        A view without labels or with fewer than two usable masks adds nothing.

        Args:
            step: from 0.
            rendering: of a view, with features.
            labels: (H, W) masks of the view, or None.
            means: (N, 3) without gradients, scene units.
            features: (N, 16) trainable.
        """
        settings, values = self._settings, {}
        total = features.new_zeros(())
        if labels is not None and rendering.features is not None:
            contrastive = self._contrastive(rendering.features, torch.from_numpy(labels))
            if contrastive is not None:
                total, values = total + contrastive, {"contrastive": contrastive.item()}
        if settings.spatial != "off" and (step + 1) % settings.spatial_every == 0:
            generator = torch.Generator(device=means.device)
            generator.manual_seed(self._seed * 1_000_003 + step)
            pull, push = settings.pull_weight, settings.push_weight
            if settings.spatial == "released":
                spatial = released_spatial_loss(
                    features, means, generator, near_weight=pull, far_weight=push
                )
            else:
                near = torch.from_numpy(nearest_neighbours(means.cpu().numpy(), NEIGHBOURS))
                spatial = spatial_loss(
                    features,
                    means,
                    near.to(means.device),
                    generator,
                    near_weight=pull,
                    far_weight=push,
                )
            total, values = total + spatial, {**values, "spatial": spatial.item()}
        return total, values

    def _contrastive(self, rendered: Tensor, labels: Tensor) -> Tensor | None:
        """Return λ L_CC; every reduction has the magnitude of the released one.

        That is a sum over pixels, so that λ counts for less on a small photo, beside the spatial
        loss, which knows no photos: the released λ is one for photos of `reference_pixels`.
        """
        settings = self._settings
        height, width = labels.shape
        weight = settings.contrastive_weight
        if settings.reference_pixels:
            weight *= settings.reference_pixels / (height * width)
        flat = labels.reshape(-1).to(rendered.device)
        pixels = rendered.reshape(-1, rendered.shape[-1])
        smallest = float(minimum_segment_pixels(width, height))
        if settings.reduction == "area-weighted":
            return released_contrastive_loss(pixels, flat, minimum_pixels=smallest, weight=weight)
        loss = contrastive_loss(pixels, flat, reduction=settings.reduction, minimum_pixels=smallest)
        if loss is None:
            return None
        labelled = flat[flat > 0]
        segments = len(torch.unique(labelled))
        return loss * weight * len(labelled) / max(1, segments)
