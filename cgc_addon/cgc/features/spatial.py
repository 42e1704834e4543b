# SPDX-License-Identifier: GPL-3.0-or-later
"""The spatial similarity loss of CGC (arXiv 2404.12784): near Gaussians alike, far ones not.

With c_near and c_far the mean cosines between the features of some anchors and those of Gaussians
near to and far from them,

    L = λ_near · sigmoid(1 − c_near) + λ_far · sigmoid(c_far).

`released_spatial_loss` chooses near and far as the released training does: among the 2 "nearest"
is the anchor itself, and the 5 farthest are the same few extreme points for almost every anchor.
`spatial_loss` takes true neighbours and random distant Gaussians instead.
"""

from __future__ import annotations

import torch
from torch import Tensor

NEAR_WEIGHT = 0.05
FAR_WEIGHT = 0.15
NEIGHBOURS = 8
"""True neighbours of an anchor, see `spatial_loss`."""

# Distances between this many pairs at a time: 64 MB.
_PAIRS_AT_ONCE = 16_000_000


def similarity_terms(
    features: Tensor, anchors: Tensor, near: Tensor, far: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the mean cosines of anchors to near and to far Gaussians, two scalars.

    Args:
        features: (N, D) of the Gaussians, any length.
        anchors: (A,) int64 indices.
        near: (A, k) int64 indices.
        far: (A, m) int64 indices.

    Example:
        >>> features = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
        >>> one, near, far = torch.tensor([0]), torch.tensor([[1]]), torch.tensor([[2]])
        >>> [cosine.item() for cosine in similarity_terms(features, one, near, far)]
        [1.0, 0.0]
    """
    own = _rows(features, anchors)[:, None, :]
    cosine = torch.nn.functional.cosine_similarity
    near_cosines = cosine(own, _rows(features, near), dim=-1, eps=1e-10)
    far_cosines = cosine(own, _rows(features, far), dim=-1, eps=1e-10)
    return near_cosines.mean(), far_cosines.mean()


def _rows(features: Tensor, indices: Tensor) -> Tensor:
    """Return rows of features (*indices.shape, D), with a gradient that repeats bit for bit.

    That of `features[indices]` adds up what falls on one row in the order of threads.
    """
    rows = features.index_select(0, indices.reshape(-1))
    return rows.reshape(*indices.shape, features.shape[1])


def combined(
    near_cosine: Tensor,
    far_cosine: Tensor,
    near_weight: float = NEAR_WEIGHT,
    far_weight: float = FAR_WEIGHT,
) -> Tensor:
    """Return L from the two mean cosines, a scalar.

    Example:
        >>> best = combined(torch.tensor(1.0), torch.tensor(0.0))
        >>> round(best.item(), 6)  # (0.05 + 0.15) · sigmoid(0)
        0.1
    """
    return near_weight * torch.sigmoid(1 - near_cosine) + far_weight * torch.sigmoid(far_cosine)


def released_spatial_loss(
    features: Tensor,
    means: Tensor,
    generator: torch.Generator,
    *,
    near: int = 2,
    far: int = 5,
    anchors: int = 1_000,
    maximum_points: int = 300_000,
    near_weight: float = NEAR_WEIGHT,
    far_weight: float = FAR_WEIGHT,
) -> Tensor:
    """Return the loss with the neighbours of the released training.

    Args:
        features: (N, D), any length; the only argument that gets a gradient.
        means: (N, 3) scene units.
        generator: draws the subset and the anchors, on any device.
        near: smallest distances taken, the anchor's own 0 among them.
        far: largest distances taken.
        anchors: Gaussians drawn.
        maximum_points: of more Gaussians than this a random subset is used.
        near_weight: λ_near.
        far_weight: λ_far.
    """
    means = means.detach()
    if len(means) > maximum_points:
        subset = _permutation(len(means), generator)[:maximum_points].to(means.device)
        features, means = features[subset], means[subset]
    count = len(means)
    chosen = _permutation(count, generator)[:anchors].to(means.device)
    near, far = min(near, count), min(far, count)
    nearest, farthest = [], []
    for some in chosen.split(max(1, _PAIRS_AT_ONCE // count)):
        distances = torch.cdist(means[some], means, compute_mode="donot_use_mm_for_euclid_dist")
        nearest.append(distances.topk(near, largest=False).indices)
        farthest.append(distances.topk(far, largest=True).indices)
    terms = similarity_terms(features, chosen, torch.cat(nearest), torch.cat(farthest))
    return combined(*terms, near_weight, far_weight)


def spatial_loss(
    features: Tensor,
    means: Tensor,
    neighbours: Tensor,
    generator: torch.Generator,
    *,
    far: int = 5,
    anchors: int = 1_000,
    near_weight: float = NEAR_WEIGHT,
    far_weight: float = FAR_WEIGHT,
) -> Tensor:
    """Return the loss with true neighbours and random distant Gaussians.

    Far from an anchor are the `far` most distant of twice as many Gaussians drawn at random.

    Args:
        features: (N, D), any length; the only argument that gets a gradient.
        means: (N, 3) scene units.
        neighbours: (N, k) int64, the nearest other Gaussians of each, see `nearest_neighbours`.
        generator: draws anchors and distant Gaussians, on any device.
        far: distant Gaussians of each anchor.
        anchors: Gaussians drawn.
        near_weight: λ_near.
        far_weight: λ_far.

    Example:
        >>> means = torch.tensor([[0.0, 0, 0], [1, 0, 0], [9, 0, 0], [10, 0, 0]])
        >>> neighbours = torch.tensor([[1], [0], [3], [2]])
        >>> draws = torch.Generator().manual_seed(0)
        >>> loss = spatial_loss(torch.ones(4, 16), means, neighbours, draws)
        >>> round(loss.item(), 4)  # 0.05 · sigmoid(0) + 0.15 · sigmoid(1)
        0.1347
    """
    count, device = len(means), means.device
    chosen = _permutation(count, generator)[:anchors].to(device)
    drawn = torch.randint(
        count, (len(chosen), 2 * far), generator=generator, device=generator.device
    ).to(device)
    distances = (means.detach()[drawn] - means.detach()[chosen][:, None, :]).norm(dim=-1)
    distant = drawn.gather(1, distances.topk(far, largest=True).indices)
    terms = similarity_terms(features, chosen, neighbours[chosen], distant)
    return combined(*terms, near_weight, far_weight)


def _permutation(count: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(count, generator=generator, device=generator.device)
