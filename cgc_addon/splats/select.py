# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of a set of Gaussians, and several sets put together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from .gaussians import FEATURE_DIMENSION, Gaussians
from .spherical_harmonics import coefficient_count


def subset(gaussians: Gaussians, chosen: NDArray[np.bool_] | NDArray[np.integer]) -> Gaussians:
    """Return the chosen Gaussians.

    Args:
        gaussians: N Gaussians.
        chosen: mask (N,) bool, or indices (M,) in the order wanted.

    Example:
        >>> from cgc_addon.splats.initialise import gaussians_from_points
        >>> colors = np.array([[255, 0, 0], [0, 0, 255]], np.uint8)
        >>> two = gaussians_from_points(np.eye(2, 3), colors, sh_degree=0)
        >>> subset(two, np.array([1])).means.tolist()
        [[0.0, 1.0, 0.0]]
    """
    features, segments = gaussians.features, gaussians.segments
    return Gaussians(
        means=gaussians.means[chosen],
        log_scales=gaussians.log_scales[chosen],
        quats=gaussians.quats[chosen],
        logit_opacities=gaussians.logit_opacities[chosen],
        sh=gaussians.sh[chosen],
        features=None if features is None else features[chosen],
        segments=None if segments is None else segments[chosen],
    )


def of_segments(gaussians: Gaussians, segments: Collection[int]) -> Gaussians:
    """Return the Gaussians of the given segment ids, in their order; 0 means the unassigned.

    Raises:
        CgcError: the Gaussians have no segments, or an id is not among them.

    Example:
        >>> from cgc_addon.splats.initialise import gaussians_from_points
        >>> colors = np.array([[255, 0, 0], [0, 0, 255]], np.uint8)
        >>> two = gaussians_from_points(np.eye(2, 3), colors, sh_degree=0)
        >>> labelled = replace(two, segments=np.array([0, 7], np.int32))
        >>> of_segments(labelled, [7]).means.tolist()
        [[0.0, 1.0, 0.0]]
    """
    if gaussians.segments is None:
        raise CgcError("The splat has no segments yet; run `segment` on its run folder first.")
    wanted = np.unique(np.fromiter(segments, dtype=np.int64))
    missing = np.setdiff1d(wanted, gaussians.segments)
    if len(missing):
        known = ", ".join(map(str, np.unique(gaussians.segments)[:20]))
        raise CgcError(f"The splat has no segment {missing[0]}; choose among {known}.")
    return subset(gaussians, np.isin(gaussians.segments, wanted))


def with_sh_degree(gaussians: Gaussians, degree: int) -> Gaussians:
    """Return the Gaussians with harmonics of this degree, 0 to 3: cut off, or filled with zeros.

    Example:
        >>> from cgc_addon.splats.initialise import gaussians_from_points
        >>> colors = np.array([[255, 0, 0], [0, 0, 255]], np.uint8)
        >>> two = gaussians_from_points(np.eye(2, 3), colors, sh_degree=0)
        >>> more = with_sh_degree(two, 2)
        >>> more.sh.shape, float(np.abs(more.sh[:, 1:]).max())
        ((2, 9, 3), 0.0)
    """
    count = coefficient_count(degree)
    sh = gaussians.sh[:, :count]
    if sh.shape[1] < count:
        sh = np.pad(sh, ((0, 0), (0, count - sh.shape[1]), (0, 0)))
    return replace(gaussians, sh=sh)


def concatenate(parts: Sequence[Gaussians]) -> Gaussians:
    """Put several sets into one, in their order.

    The highest degree of the harmonics wins, the others are filled with zeros. When only some
    parts have features or segments, the others get zeros, for segments: unassigned.

    Args:
        parts: one or more sets.

    Example:
        >>> from cgc_addon.splats.initialise import gaussians_from_points
        >>> colors = np.array([[255, 0, 0], [0, 0, 255]], np.uint8)
        >>> two = gaussians_from_points(np.eye(2, 3), colors, sh_degree=0)
        >>> both = concatenate([two, with_sh_degree(two, 1)])
        >>> len(both), both.sh_degree
        (4, 1)
    """
    degree = max(part.sh_degree for part in parts)
    features = segments = None
    if any(part.features is not None for part in parts):
        features = np.concatenate([_features_or_zeros(part) for part in parts])
    if any(part.segments is not None for part in parts):
        segments = np.concatenate([_segments_or_zeros(part) for part in parts])
    return Gaussians(
        means=np.concatenate([part.means for part in parts]),
        log_scales=np.concatenate([part.log_scales for part in parts]),
        quats=np.concatenate([part.quats for part in parts]),
        logit_opacities=np.concatenate([part.logit_opacities for part in parts]),
        sh=np.concatenate([with_sh_degree(part, degree).sh for part in parts]),
        features=features,
        segments=segments,
    )


def _features_or_zeros(part: Gaussians) -> NDArray[np.float32]:
    if part.features is None:
        return np.zeros((len(part), FEATURE_DIMENSION), dtype=np.float32)
    return part.features


def _segments_or_zeros(part: Gaussians) -> NDArray[np.int32]:
    if part.segments is None:
        return np.zeros(len(part), dtype=np.int32)
    return part.segments
