# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Gaussians of a splat nobody wants: afloat, huge, faint, needles, or seen by few cameras.

NumPy alone: Blender cleans any splat without the worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..dataset.projection import view_counts
from ..dataset.scene import View
from ..splats.gaussians import Gaussians
from .isolation import MINIMUM_SHARE, REACH, isolated


@dataclass(frozen=True)
class CleaningRules:
    """What is unwanted; each rule that is None is off."""

    smallest_piece: float | None = MINIMUM_SHARE
    """0..1 of the Gaussians of the largest piece: what hangs together in fewer is afloat."""
    reach: float = REACH
    """Standard deviations within which Gaussians hang together."""
    largest: float | None = None
    """Times the median: Gaussians whose largest standard deviation is more are huge."""
    least_opacity: float | None = None
    """0..1: Gaussians of less are faint."""
    longest_needle: float | None = None
    """Times its second axis: a Gaussian whose longest axis is more is a needle. Flat ones, of which
    surfaces are made, are none."""
    fewest_cameras: int | None = None
    """Gaussians in the picture of fewer cameras are not known well."""


def unwanted(
    gaussians: Gaussians, rules: CleaningRules, views: Sequence[View] = ()
) -> NDArray[np.bool_]:
    """Return which Gaussians (N,) break a rule.

    What is afloat is found among those that break no other: one huge Gaussian may be all that
    holds others to the body.

    Args:
        gaussians: N, of one object.
        rules: what is unwanted.
        views: cameras in the frame of the Gaussians; without any, `fewest_cameras` is off.
    """
    scales = np.exp(gaussians.log_scales.astype(np.float64))
    lengths = np.sort(scales, axis=1)
    found = np.zeros(len(gaussians), bool)
    if rules.largest is not None and len(gaussians):
        found |= lengths[:, 2] > rules.largest * np.median(lengths[:, 2])
    if rules.least_opacity is not None:
        found |= _opacities(gaussians.logit_opacities) < rules.least_opacity
    if rules.longest_needle is not None:
        found |= lengths[:, 2] > rules.longest_needle * lengths[:, 1]
    if rules.fewest_cameras is not None and views:
        found |= view_counts(gaussians.means.astype(np.float64), views) < rules.fewest_cameras
    if rules.smallest_piece is not None:
        kept = np.flatnonzero(~found)
        afloat = isolated(
            gaussians.means[kept],
            scales[kept],
            gaussians.quats[kept],
            reach=rules.reach,
            minimum_share=rules.smallest_piece,
        )
        found[kept[afloat]] = True
    return found


def _opacities(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-logits.astype(np.float64)))
