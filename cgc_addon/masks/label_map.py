# SPDX-License-Identifier: GPL-3.0-or-later
"""Overlapping masks of one photo become a label map: one id per pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..dataset.label_maps import LARGEST_ID
from ..errors import CgcError

SPECK_SHARE = 100 / 720_000
"""Holes and islands below this share of the photo are removed: 100 px of a photo of 0.72 MP, what
Contrastive Gaussian Clustering's masks were made with."""


def flatten(masks: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Paint masks over each other, the largest first, so that small things end on top.

    Args:
        masks: (M, H, W) in any order; they may overlap, and leave pixels to none.

    Returns:
        (H, W) ids 1..M from the largest mask on, 0 = in no mask. Masks that are covered wholly by
        smaller ones have no pixel left, so ids may have gaps.

    Raises:
        CgcError: there are more masks than ids of 16 bits.
    """
    if len(masks) > LARGEST_ID:
        raise CgcError(
            f"{len(masks)} masks are more than a label map can hold, {LARGEST_ID}; "
            "leave the smallest ones out."
        )
    labels = np.zeros(masks.shape[1:], np.uint16)
    areas = masks.sum(axis=(1, 2))
    for number, mask in enumerate(np.argsort(-areas, kind="stable").tolist(), start=1):
        labels[masks[mask]] = number
    return labels


def without_specks(mask: NDArray[np.bool_], smallest: float) -> NDArray[np.bool_]:
    """Fill small holes of a mask (H, W) and remove small islands.

    Args:
        mask: whether each pixel is inside.
        smallest: pixels; holes and islands below it go, but of islands the largest stays.
    """
    for inside in (False, True):
        mask = _without_small_regions(mask, inside, smallest)
    return mask


def _without_small_regions(
    mask: NDArray[np.bool_], inside: bool, smallest: float
) -> NDArray[np.bool_]:
    """Turn small connected regions over: islands where `inside`, holes where not."""
    from scipy import ndimage

    regions = np.zeros(mask.shape, np.int32)
    count = ndimage.label(mask == inside, np.ones((3, 3)), regions)
    assert isinstance(count, int)  # it is a pair only where no output is given
    if count == 0:
        return mask
    areas = np.bincount(regions.reshape(-1), minlength=count + 1)
    small = areas < smallest
    small[0] = False
    if inside:
        small[1 + areas[1:].argmax()] = False
    return np.where(small[regions], not inside, mask)
