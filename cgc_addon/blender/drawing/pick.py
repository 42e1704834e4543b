# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Gaussian is seen at a pixel, by the rules of `rasterize.interface`.

Gaussians that cannot reach the pixel are ruled out by a circle around each, which costs a few
operations; the rest is evaluated exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

import numpy as np
from numpy.typing import NDArray

from ...rasterize.rules import ALPHA_LIMIT, ALPHA_MINIMUM, DILATION, NEAR_PLANE, SLOPE_MARGIN
from ...splats import rotations
from ...splats.gaussians import Gaussians
from ..common.display_attributes import sigmoid
from .shown import FARTHEST, Appearance, Viewpoint

SEEN = 0.5
"""What is seen at a pixel is where so much of the light behind is covered."""
_FARTHEST = FARTHEST + 0.01
"""A little farther, for what is rounded."""
_AT_ONCE = 1 << 16
"""Gaussians whose numbers fit into a processor's cache."""


@dataclass(frozen=True)
class Hit:
    """What is seen at a pixel."""

    appearance: int
    """Index of it."""
    gaussian: int
    """Index in its splat."""
    depth: float
    """Along the axis of view, scene units."""


@dataclass(frozen=True, eq=False)
class _Covering:
    """M Gaussians of one appearance that cover the pixel."""

    indices: NDArray[np.intp]
    alphas: NDArray[np.float64]
    depths: NDArray[np.float64]


def pick(
    appearances: Sequence[Appearance],
    viewpoint: Viewpoint,
    x: float,
    y: float,
    size: float = 1.0,
    groups: Sequence[int] | None = None,
) -> Hit | None:
    """Return the Gaussian at which half of the light of a pixel is covered, None if none does it.

    Of several groups, the one that covers most of the pixel is meant, as in renders of labels, and
    of its Gaussians the first one from there on, else the last.

    Args:
        appearances: all that is drawn.
        viewpoint: from where.
        x: px from the left edge; pixel i is sampled at i + 0.5.
        y: px from the lower edge.
        size: factor on the standard deviations, as in the look.
        groups: of each appearance, those of one object being equal; None: all are of one.

    Example:
        >>> from .shown import StoredSplat
        >>> ball = Gaussians(
        ...     means=np.array([[0, 0, -2]], np.float32),
        ...     log_scales=np.full((1, 3), -1, np.float32),
        ...     quats=np.array([[1, 0, 0, 0]], np.float32),
        ...     logit_opacities=np.full(1, 5, np.float32),
        ...     sh=np.zeros((1, 1, 3), np.float32),
        ... )
        >>> lens = np.array([[2.0, 0, 0, 0], [0, 2, 0, 0], [0, 0, -1, -0.2], [0, 0, -1, 0]])
        >>> view = Viewpoint(np.eye(4), lens, 100, 100)
        >>> pick([Appearance(StoredSplat(ball), np.eye(4))], view, 50.5, 50.5)
        Hit(appearance=0, gaussian=0, depth=2.0)
    """
    found: list[_Covering] = []
    owners: list[int] = []
    for number, shown in enumerate(appearances):
        gaussians, to_view = shown.splat.gaussians, viewpoint.world_to_view @ shown.matrix
        near = _near(gaussians, to_view, viewpoint, x, y, size)
        if len(near):
            found.append(_covering(gaussians, near, to_view, viewpoint, x, y, size))
            owners.append(number)
    if not found:
        return None
    owner = np.repeat(owners, [len(one.indices) for one in found])
    indices = np.concatenate([one.indices for one in found])
    alphas = np.concatenate([one.alphas for one in found])
    depths = np.concatenate([one.depths for one in found])
    order = np.argsort(depths, kind="stable")
    covered = 1.0 - np.cumprod(1.0 - alphas[order])
    reached = int(np.searchsorted(covered, SEEN))
    if reached == len(order):
        return None
    if groups is not None:
        group = np.asarray(groups)[owner[order]]
        known, place = np.unique(group, return_inverse=True)
        weights = np.bincount(place, np.diff(covered, prepend=0.0))
        members = np.flatnonzero(group == known[weights.argmax()])
        reached = int(members[min(np.searchsorted(members, reached), len(members) - 1)])
    first = order[reached]
    return Hit(int(owner[first]), int(indices[first]), float(depths[first]))


@dataclass(frozen=True, eq=False)
class Ellipses:
    """M Gaussians of one splat as a picture shows them."""

    places: NDArray[np.float64]
    """(M, 2) px from the left and from the lower edge."""
    covariances: NDArray[np.float64]
    """(M, 2, 2) px², dilated."""
    opacities: NDArray[np.float64]
    """(M,)."""
    depths: NDArray[np.float64]
    """(M,) along the axis of view, scene units."""

    def alphas(
        self, rows: NDArray[np.integer] | slice, dx: NDArray[np.float64], dy: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the alphas of some at so many px beside their places; not a number: no ellipse."""
        xx, xy, yy = (self.covariances[rows, i, j] for i, j in ((0, 0), (0, 1), (1, 1)))
        determinants = xx * yy - xy * xy
        with np.errstate(divide="ignore", invalid="ignore"):
            squares = (yy * dx * dx - 2.0 * xy * dx * dy + xx * dy * dy) / determinants
            alphas = np.minimum(self.opacities[rows] * np.exp(-0.5 * squares), ALPHA_LIMIT)
        # What has no covariance to invert is seen nowhere.
        return np.where(determinants > 0.0, alphas, np.nan)


def ellipses_of(
    gaussians: Gaussians,
    indices: NDArray[np.integer],
    to_view: NDArray[np.float64],
    viewpoint: Viewpoint,
    size: float,
) -> Ellipses:
    """Project some Gaussians, all of which lie before the eye.

    Args:
        gaussians: of the splat.
        indices: (M,) which of them.
        to_view: (4, 4) from the splat's space to the view.
        viewpoint: from where.
        size: factor on the standard deviations.
    """
    means = gaussians.means[indices].astype(np.float64) @ to_view[:3, :3].T + to_view[:3, 3]
    axes = rotations.matrices(gaussians.quats[indices])
    axes = axes * (size * np.exp(gaussians.log_scales[indices].astype(np.float64)))[:, None, :]
    places, jacobians = _projected(means, viewpoint)
    half = jacobians @ (to_view[:3, :3] @ axes)
    return Ellipses(
        places,
        half @ half.swapaxes(1, 2) + DILATION * np.eye(2),
        sigmoid(gaussians.logit_opacities[indices]),
        -means[:, 2],
    )


def _covering(
    gaussians: Gaussians,
    indices: NDArray[np.intp],
    to_view: NDArray[np.float64],
    viewpoint: Viewpoint,
    x: float,
    y: float,
    size: float,
) -> _Covering:
    """Evaluate some Gaussians at a pixel."""
    seen = ellipses_of(gaussians, indices, to_view, viewpoint, size)
    alphas = seen.alphas(slice(None), x - seen.places[:, 0], y - seen.places[:, 1])
    kept = alphas >= ALPHA_MINIMUM
    return _Covering(indices[kept], alphas[kept], seen.depths[kept])


def _near(
    gaussians: Gaussians,
    to_view: NDArray[np.float64],
    viewpoint: Viewpoint,
    x: float,
    y: float,
    size: float,
) -> NDArray[np.intp]:
    """Return which Gaussians may cover a pixel: all that do, and some others."""
    lens = viewpoint.projection
    to_clip = (lens @ to_view).astype(np.float32)
    # No row of the Jacobian is longer than these, divided by w.
    slope = 1.0 + 2.0 * SLOPE_MARGIN
    wide = viewpoint.width / 2 * hypot(lens[0, 0], abs(lens[0, 2]) + slope * abs(lens[3, 2]))
    high = viewpoint.height / 2 * hypot(lens[1, 1], abs(lens[1, 2]) + slope * abs(lens[3, 2]))
    stretch = size * float(np.linalg.norm(to_view[:3, :3], 2)) * hypot(wide, high)
    least = np.float32(NEAR_PLANE if viewpoint.is_perspective else -np.inf)
    # Distances from the pixel, as factors of the clip space's coordinates.
    across = np.array([viewpoint.width / 2, viewpoint.width / 2 - x], np.float32)
    along = np.array([viewpoint.height / 2, viewpoint.height / 2 - y], np.float32)
    found = []
    for start in range(0, len(gaussians), _AT_ONCE):
        means = gaussians.means[start : start + _AT_ONCE]
        scales = gaussians.log_scales[start : start + _AT_ONCE]
        px, py, w = (
            to_clip[row, 0] * means[:, 0]
            + to_clip[row, 1] * means[:, 1]
            + (to_clip[row, 2] * means[:, 2] + to_clip[row, 3])
            for row in (0, 1, 3)
        )
        with np.errstate(over="ignore", invalid="ignore"):
            widest = np.exp(np.maximum(np.maximum(scales[:, 0], scales[:, 1]), scales[:, 2]))
            # All of it times w, which saves the division.
            reach = np.float32(_FARTHEST * stretch) * widest + np.float32(_FARTHEST) * w
            near = (w >= least) & (np.abs(across[0] * px + across[1] * w) <= reach)
            near &= np.abs(along[0] * py + along[1] * w) <= reach
        found.append(start + np.flatnonzero(near))
    return np.concatenate(found) if found else np.zeros(0, np.intp)


def _projected(
    points: NDArray[np.float64], viewpoint: Viewpoint
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where points (M, 3) of the view's space are, (M, 2) px, and the derivative (M, 2, 3).

    The local affine approximation of Zwicker et al. 2001, for any lens that Blender has.
    """
    lens = viewpoint.projection
    half = np.array([viewpoint.width, viewpoint.height]) / 2.0
    clip = points @ lens[:, :3].T + lens[:, 3]
    w = clip[:, 3, None]
    slopes = clip[:, :2] / w
    places = half * (slopes + 1.0)
    if viewpoint.is_perspective:
        slopes = np.clip(slopes, -1.0 - 2.0 * SLOPE_MARGIN, 1.0 + 2.0 * SLOPE_MARGIN)
    jacobians = (lens[None, :2, :3] - slopes[:, :, None] * lens[3, :3]) / w[:, :, None]
    return places, half[:, None] * jacobians
