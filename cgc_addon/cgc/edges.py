# SPDX-License-Identifier: GPL-3.0-or-later
"""Sharpen a splat where segments meet, so that whole Gaussians can be given to one segment.

What limits segmentation in the end are Gaussians that straddle an edge. Once segments are known,
the largest of these are split, and some more steps of training also ask, beside the photo, that
each pixel be made of Gaussians of the segment its mask stands for. Here are the parts of such a
training: which Gaussians to split, the segment each pixel should show, and the loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..splats.gaussians import Gaussians
from ..splats.rotations import matrices
from .answer_maps import object_map
from .counting import count_pairs
from .mask_votes import mask_votes, segment_votes
from .observations import AnsweredView, Observation

MINIMUM_SHARE = 0.7
"""A mask stands for a segment that shows in this share of its pixels, else for none."""

TAKEN_AWAY = 0.5
"""Of a segment's pixels: masks that stand for other segments in more of them are piles."""

CODE_CHANNELS = 8
"""Channels in which segments are rendered; each eight cost a step half of its time again."""

UNKNOWN = -1
"""Target of a pixel without a mask, or whose mask stands for no segment."""


def segment_targets(
    shown: NDArray[np.int32],
    masks: NDArray[np.int32],
    minimum_share: float = MINIMUM_SHARE,
) -> NDArray[np.int32]:
    """Return the segment that each pixel of a view should show.

    Args:
        shown: any shape, rendered segments, 0 = none.
        masks: same shape, masks of the view, 0 = unlabelled.
        minimum_share: see `MINIMUM_SHARE`.

    Returns:
        Same shape; `UNKNOWN` where the masks do not say.
    """
    _, mask = np.unique(masks, return_inverse=True)
    mask = mask.reshape(-1)
    shape = int(mask.max(initial=-1)) + 1, int(shown.max(initial=0)) + 1
    table = count_pairs(mask, shown.reshape(-1), shape)
    table = table / table.sum(axis=1, keepdims=True)
    segment = np.where(table.max(axis=1) >= minimum_share, table.argmax(axis=1), UNKNOWN)
    return np.where(masks > 0, segment[mask].reshape(masks.shape), UNKNOWN).astype(np.int32)


def targets_by_answers(
    shown: NDArray[np.int32], masks: NDArray[np.int32], answered: AnsweredView
) -> NDArray[np.int32]:
    """Return the segment that each pixel of a view should show, by all answers of a mask model.

    That of the answer which shows a segment best; elsewhere what the label map stands for. But its
    masks may stand for piles: a segment most of which they would give to others keeps its pixels
    out, or what is small on something larger would be trained away.

    Args:
        shown: (H, W) rendered segments, 0 = none.
        masks: (H, W) label map of the view, 0 = unlabelled.
        answered: about its photo.

    Returns:
        (H, W), `UNKNOWN` where neither says.
    """
    painted = segment_targets(shown, masks)
    given = (painted != shown) & (painted != UNKNOWN)
    lost = np.bincount(shown[given], minlength=int(shown.max(initial=0)) + 1)
    whole = np.bincount(shown.reshape(-1), minlength=len(lost))
    taken_away = lost > TAKEN_AWAY * whole
    taken_away[0] = False
    elsewhere = np.where(taken_away[shown], UNKNOWN, painted)
    found = object_map(
        shown.reshape(-1),
        np.zeros(shown.size, np.int32),
        answered.answers,
        answered.cells().reshape(-1),
    ).reshape(shown.shape)
    return np.where(found > 0, found, elsewhere).astype(np.int32)


def straddling_gaussians(
    observations: Sequence[Observation],
    segments: NDArray[np.int32],
    *,
    maximum_share: float = 0.8,
    minimum_weight: float = 60.0,
    minimum_share: float = MINIMUM_SHARE,
) -> NDArray[np.int64]:
    """Return the large Gaussians that make up pixels of more than one segment.

    Args:
        observations: of all labelled views.
        segments: (N,) segment of each Gaussian, 0 = none.
        maximum_share: a Gaussian straddles if fewer of its labelled pixels belong to one segment.
        minimum_weight: and if it makes up at least so many labelled pixels in all views together.
        minimum_share: see `MINIMUM_SHARE`.

    Returns:
        (S,) indices, those first that make up most pixels of other segments.
    """
    highest = int(segments.max(initial=0))
    views = []
    for observation in observations:
        shown = observation.blending.strongest_labels(segments)
        targets = segment_targets(shown, observation.labels, minimum_share)
        found = mask_votes(observation, targets, targets != UNKNOWN)
        views.append((found, np.eye(highest + 1, dtype=np.float32)[found.masks]))
    total, most = np.zeros(len(segments)), np.zeros(len(segments))
    for block in segment_votes(views, len(segments), highest + 1):
        place = slice(block.first, block.first + len(block.votes))
        total[place] = block.votes.sum(axis=1)
        most[place] = block.votes.max(axis=1)
    straddles = np.nonzero((total >= minimum_weight) & (most < maximum_share * total))[0]
    others = (total - most)[straddles]
    return straddles[np.argsort(-others, kind="stable")].astype(np.int64)


def split_gaussians(gaussians: Gaussians, indices: NDArray[np.int64]) -> Gaussians:
    """Replace Gaussians by two each, side by side along their longest axis.

    Each half lies half a standard deviation from the old centre and is 1.7 times shorter; all else
    is kept. The first halves take the places of the old ones, the second halves are put at the end.

    Args:
        gaussians: N Gaussians.
        indices: (S,) which to split, no duplicates.

    Returns:
        N + S Gaussians.
    """
    longest = gaussians.log_scales[indices].argmax(axis=1)
    offsets = matrices(gaussians.quats[indices])[np.arange(len(indices)), :, longest]
    offsets = 0.5 * np.exp(gaussians.log_scales[indices, longest])[:, None] * offsets
    means, log_scales = gaussians.means.copy(), gaussians.log_scales.copy()
    means[indices] += offsets
    log_scales[indices, longest] -= np.log(1.7).astype(np.float32)

    def twice(values: NDArray) -> NDArray:
        return np.concatenate([values, values[indices]])

    return replace(
        gaussians,
        means=np.concatenate([means, gaussians.means[indices] - offsets]).astype(np.float32),
        log_scales=twice(log_scales),
        quats=twice(gaussians.quats),
        logit_opacities=twice(gaussians.logit_opacities),
        sh=twice(gaussians.sh),
        features=None if gaussians.features is None else twice(gaussians.features),
        segments=None if gaussians.segments is None else twice(gaussians.segments),
    )


def touching_pixels(shown: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """Count the neighbouring pixels of a view that show two segments.

    Args:
        shown: (H, W) rendered segments, 0 = none.
        count: K, highest segment id.

    Returns:
        (K + 1, K + 1) symmetric.
    """
    pairs = [
        first.reshape(-1).astype(np.int64) * (count + 1) + second.reshape(-1)
        for first, second in ((shown[:, 1:], shown[:, :-1]), (shown[1:], shown[:-1]))
    ]
    found = np.bincount(np.concatenate(pairs), minlength=(count + 1) ** 2)
    table = found.reshape(count + 1, count + 1)
    return table + table.T


def segment_codes(touching: NDArray[np.integer], channels: int = CODE_CHANNELS) -> Tensor:
    """Return one channel for each segment (K + 1, C): to be rendered as features.

    Channel 0 is for no segment alone. Where there are more segments than other channels they share
    them: each, those with the longest borders first, takes the channel whose segments it touches
    least, for two segments of one channel are not told apart where they meet.

    Args:
        touching: (K + 1, K + 1) how far each two segments touch, see `touching_pixels`.
        channels: C, a multiple of 8.

    Returns:
        Row s is 1 in its channel and 0 elsewhere.

    Example:
        >>> segment_codes(np.zeros((3, 3), int)).argmax(dim=1).tolist()
        [0, 1, 2]
    """
    count = len(touching) - 1
    borders = touching * ~np.eye(count + 1, dtype=bool)
    channel = np.zeros(count + 1, np.int64)
    shared, members = np.zeros((channels, count + 1)), np.zeros(channels)
    for segment in (1 + np.argsort(-borders[1:, 1:].sum(axis=1), kind="stable")).tolist():
        order = np.lexsort((members[1:], shared[1:, segment]))
        channel[segment] = 1 + order[0]
        shared[channel[segment]] += borders[segment]
        members[channel[segment]] += 1
    return torch.eye(channels)[torch.from_numpy(channel)]


def edge_loss(rendered: Tensor, targets: Tensor, codes: Tensor) -> Tensor:
    """Return how much of the pixels is not made of the segment it should be made of, a scalar.

    It is Σ (1 − share of the target's Gaussians) over pixels with a known target, per pixel of the
    view, so that it can be added to a photometric loss with a weight of about 0.5.

    Args:
        rendered: (P, C) blended codes.
        targets: (P,) integer segments, `UNKNOWN` is left out.
        codes: (K + 1, C) see `segment_codes`.
    """
    channel = codes.argmax(dim=1)[targets.long().clamp_min(0)]
    share = rendered.gather(1, channel[:, None])[:, 0]
    missing = (1 - share).clamp_min(0) * (targets != UNKNOWN)
    return missing.sum() / max(1, len(targets))
