# SPDX-License-Identifier: GPL-3.0-or-later
"""The contrastive clustering loss L_CC: pixels of one mask together, masks of one view apart.

Written from the formula in arXiv 2404.12784, restated as equations 5 and 6 of arXiv 2509.07809.
With f the rendered features of one view, each of length 1, f̄ₛ their mean over segment s and φₛ the
temperature of s, a pixel q of segment p costs

    NLL(q) = −log [ exp(f_q · f̄_p / φ_p) / Σₛ exp(f_q · f̄ₛ / φₛ) ].

What is printed averages NLL over the pixels of a segment, then over segments. What was released
sums it over the pixels of a segment, so that a segment counts by its area. Both are offered.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..settings import Reduction

RELEASED_WEIGHT = 1e-6
"""λ of the released training, for the mean over segments of sums over pixels."""

TEMPERATURE_SCALE = 10.0
TEMPERATURE_RANGE = (0.1, 1.0)
TEMPERATURE_SMOOTHING = 100.0

_AREA_EXPONENTS: dict[Reduction, float] = {"mean": 0.0, "square-root": 0.5, "area-weighted": 1.0}

# A feature shorter than this has no direction; dividing by its length would make huge gradients.
_SHORTEST_FEATURE = 1e-8


@dataclass(frozen=True, eq=False)
class SegmentLosses:
    """What the pixels of each segment of one view cost, before they are reduced to one number."""

    means: Tensor
    """(K,) mean of NLL over the pixels of each segment."""
    areas: Tensor
    """(K,) pixels of each segment."""
    ids: Tensor
    """(K,) int64 label of each segment, ascending."""


def minimum_segment_pixels(width: int, height: int) -> int:
    """Return how many pixels a mask needs to be used: 100 at 988×731, in proportion elsewhere.

    Args:
        width: of the label map, pixels.
        height: of the label map, pixels.

    Example:
        >>> minimum_segment_pixels(988, 731), minimum_segment_pixels(494, 731)
        (100, 50)
    """
    return max(2, round(100 * width * height / (988 * 731)))


def temperatures(dispersions: Tensor, areas: Tensor) -> Tensor:
    """Return the temperature φ of each segment, without gradient.

    φ = 10 · d / ln(n + 100), limited to [0.1, 1]: tight and large segments are told apart sharply.
    The factor and the limits are those of the released training.

    Args:
        dispersions: (K,) d, mean Euclidean distance of a segment's features from their mean.
        areas: (K,) n, pixels of each segment.
    """
    phi = TEMPERATURE_SCALE * dispersions.detach() / torch.log(areas + TEMPERATURE_SMOOTHING)
    return phi.clamp(*TEMPERATURE_RANGE)


def segment_losses(
    features: Tensor,
    labels: Tensor,
    *,
    alpha: Tensor | None = None,
    pixel_areas: Tensor | None = None,
    minimum_pixels: float = 100.0,
    minimum_alpha: float = 0.5,
) -> SegmentLosses | None:
    """Return the mean NLL of every usable segment of one view.

    Args:
        features: (P, D) rendered features of P pixels, any length; a pixel with feature 0 is left
            out.
        labels: (P,) integer mask of each pixel, 0 = unlabelled and left out.
        alpha: (P,) coverage; pixels below `minimum_alpha` show nothing and are left out.
        pixel_areas: (P,) how many pixels of the view each given pixel stands for, where these are
            a sample; 1 each if None.
        minimum_pixels: segments that stand for fewer pixels are left out.
        minimum_alpha: see `alpha`.

    Returns:
        The losses, differentiable to `features`, also through the segments' mean features; or None
        where fewer than two segments are usable, since then there is nothing to tell apart.
    """
    lengths = features.detach().norm(dim=1)
    usable = (labels > 0) & (lengths > _SHORTEST_FEATURE)
    if alpha is not None:
        usable &= alpha >= minimum_alpha
    pixels = torch.nonzero(usable).squeeze(1)
    ids, segment, sampled = torch.unique(
        labels[pixels], sorted=True, return_inverse=True, return_counts=True
    )
    weights = features.new_ones(len(pixels)) if pixel_areas is None else pixel_areas[pixels]
    areas = features.new_zeros(len(ids)).index_add(0, segment, weights.to(features.dtype))
    large = areas >= minimum_pixels
    if int(large.sum()) < 2:
        return None

    if not bool(large.all()):
        chosen = large[segment]
        pixels, segment = pixels[chosen], (torch.cumsum(large, 0) - 1)[segment[chosen]]
        ids, sampled, areas = ids[large], sampled[large], areas[large]

    directions = torch.nn.functional.normalize(features[pixels], dim=1, eps=_SHORTEST_FEATURE)
    counts = sampled.to(features.dtype)

    def mean_over_segments(values: Tensor) -> Tensor:
        total = values.new_zeros((len(ids), *values.shape[1:])).index_add(0, segment, values)
        return total / counts.reshape(-1, *[1] * (values.dim() - 1))

    # Prototypes are not brought to length 1: a loose segment has a short one and pulls less.
    prototypes = mean_over_segments(directions)
    with torch.no_grad():
        distances = (directions - prototypes.index_select(0, segment)).norm(dim=1)
        phi = temperatures(mean_over_segments(distances), areas)
    logits = directions @ (prototypes / phi[:, None]).T
    own = logits.gather(1, segment[:, None]).squeeze(1)
    return SegmentLosses(mean_over_segments(torch.logsumexp(logits, dim=1) - own), areas, ids)


def contrastive_loss(
    features: Tensor,
    labels: Tensor,
    *,
    alpha: Tensor | None = None,
    pixel_areas: Tensor | None = None,
    reduction: Reduction = "mean",
    minimum_pixels: float = 100.0,
    minimum_alpha: float = 0.5,
) -> Tensor | None:
    """Return L_CC of one view as a weighted mean over its segments, a scalar.

    The weights sum to 1, so that the three reductions have the same magnitude, whatever the size
    of the view and the number of its segments.

    Args:
        features: (P, D) rendered features, any length.
        labels: (P,) integer mask of each pixel, 0 = unlabelled.
        alpha: (P,) coverage, or None where every pixel counts.
        pixel_areas: (P,) pixels of the view that each given pixel stands for; 1 each if None.
        reduction: "mean" as printed, "area-weighted" as released (every pixel of every segment
            weighs the same), or "square-root" between the two.
        minimum_pixels: segments that stand for fewer pixels are left out.
        minimum_alpha: pixels with less coverage are left out.

    Returns:
        The loss, or None where fewer than two segments are usable: skip such a view.

    Raises:
        ValueError: the reduction is none of the three.

    Example:
        >>> labels = torch.tensor([1, 1, 2, 2])
        >>> apart = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 3.0]])
        >>> round(contrastive_loss(apart, labels, minimum_pixels=1).item(), 4)  # log(1 + exp(−10))
        0.0
        >>> alike = torch.ones(4, 2)
        >>> round(contrastive_loss(alike, labels, minimum_pixels=1).item(), 4)  # log(2)
        0.6931
    """
    if reduction not in _AREA_EXPONENTS:
        raise ValueError(
            f"reduction must be one of {', '.join(_AREA_EXPONENTS)}; not {reduction!r}."
        )
    losses = segment_losses(
        features,
        labels,
        alpha=alpha,
        pixel_areas=pixel_areas,
        minimum_pixels=minimum_pixels,
        minimum_alpha=minimum_alpha,
    )
    if losses is None:
        return None
    shares = losses.areas ** _AREA_EXPONENTS[reduction]
    return (losses.means * (shares / shares.sum())).sum()


def released_contrastive_loss(
    features: Tensor,
    labels: Tensor,
    *,
    minimum_pixels: float = 101.0,
    weight: float = RELEASED_WEIGHT,
) -> Tensor | None:
    """Return L_CC at the scale of the released training: λ · mean over segments of pixel sums.

    It is `contrastive_loss` with reduction "area-weighted" times λ · pixels / segments, on every
    pixel of the view; there a segment had to have more than 100 pixels, at any resolution.

    Args:
        features: (P, D) rendered features of all pixels of a view, any length.
        labels: (P,) integer mask of each pixel, 0 = unlabelled.
        minimum_pixels: segments of fewer pixels are left out.
        weight: λ.

    Returns:
        The loss, or None where fewer than two segments are usable.
    """
    losses = segment_losses(features, labels, minimum_pixels=minimum_pixels)
    return None if losses is None else weight * (losses.means * losses.areas).mean()
