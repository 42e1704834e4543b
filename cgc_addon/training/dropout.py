# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians left out at random, so that those behind learn to stand for themselves.

With few photos the Gaussians nearest to the cameras explain a photo alone, at any depth, and those
that they hide are never corrected. Left out now and then, they have to agree with what is behind
them (DropGaussian, Park et al. 2025). With many photos, other photos see to that.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from ..rasterize.interface import SplatTensors
from ..rasterize.rules import ALPHA_LIMIT

FEW_PHOTOS, MANY_PHOTOS = 16, 40
"""Up to so many the whole share is left out; from so many on nothing is."""


def dropout_rate(share: float, photos: int, progress: float) -> float:
    """Return the share of Gaussians to leave out of a step; it grows as training goes on.

    Args:
        share: as configured, with few photos and at the end.
        photos: that are trained on.
        progress: share of the steps that are done, 0..1.

    Example:
        >>> dropout_rate(0.2, 12, 0.5), dropout_rate(0.2, 28, 1.0), dropout_rate(0.2, 100, 1.0)
        (0.1, 0.1, 0.0)
    """
    few = (MANY_PHOTOS - photos) / (MANY_PHOTOS - FEW_PHOTOS)
    return share * min(max(few, 0.0), 1.0) * progress


def with_dropout(splat: SplatTensors, rate: float, seed: tuple[int, int]) -> SplatTensors:
    """Return a splat without a random share of its Gaussians; the others make up for them.

    Args:
        splat: N Gaussians.
        rate: share to leave out, 0 ≤ rate < 1; opacities of the others are divided by 1 − rate.
        seed: of the choice: of the run, and the number of the photo.
    """
    if rate <= 0.0:
        return splat
    generator = torch.Generator().manual_seed((seed[0] * 1_000_003 + seed[1]) % 2**63)
    kept = torch.rand(len(splat.opacities), generator=generator) >= rate
    factors = (kept.to(torch.float32) / (1.0 - rate)).to(splat.opacities.device)
    return replace(splat, opacities=(splat.opacities * factors).clamp_max(ALPHA_LIMIT))
