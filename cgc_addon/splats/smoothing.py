# SPDX-License-Identifier: GPL-3.0-or-later
"""The 3D smoothing filter of Mip-Splatting (arXiv 2311.16493) as part of the Gaussians."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .gaussians import Gaussians


def smoothed(gaussians: Gaussians, deviations: NDArray[np.floating]) -> Gaussians:
    """Return Gaussians convolved with isotropic ones, as other programs draw them.

    Equation 9 of the paper: scales s become √(s² + f²), and opacities are multiplied by the root of
    |Σ| / |Σ + f² I|, so that no Gaussian takes more light than before.

    Args:
        gaussians: N Gaussians.
        deviations: (N,) standard deviation f of the filter, scene units; 0 changes nothing.

    Example:
        >>> from cgc_addon.splats.initialise import gaussians_from_points
        >>> colors = np.array([[255, 0, 0]], np.uint8)
        >>> one = gaussians_from_points(np.zeros((1, 3)), colors, scales=np.array([3.0]))
        >>> np.exp(smoothed(one, np.array([4.0])).log_scales).round(5).tolist()
        [[5.0, 5.0, 5.0]]
    """
    log_scales = gaussians.log_scales.astype(np.float64)
    logits = gaussians.logit_opacities.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):  # what is no number is left out later
        log_filter = np.log(np.asarray(deviations, np.float64))[:, None]
        wider = np.logaddexp(2 * log_scales, 2 * log_filter) / 2
        shrinking = np.where(np.isneginf(log_filter[:, 0]), 0.0, (log_scales - wider).sum(axis=1))
        log_opacities = -np.logaddexp(0, -logits) + shrinking
        # An opacity that stays as it is keeps its logit, which near 1 it could not give back.
        changed = log_opacities - np.log(-np.expm1(log_opacities))
    return replace(
        gaussians,
        log_scales=wider.astype(np.float32),
        logit_opacities=np.where(shrinking == 0, logits, changed).astype(np.float32),
    )
