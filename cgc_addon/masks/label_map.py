# SPDX-License-Identifier: GPL-3.0-or-later
"""Overlapping masks of one photo become a label map: one id per pixel."""

from __future__ import annotations

from collections.abc import Sequence

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
    if not mask.any():
        return mask
    # What lies around the mask is one large region: of that, one pixel is enough.
    rows = _around(mask.any(axis=1), smallest / mask.shape[1])
    columns = _around(mask.any(axis=0), smallest / (rows.stop - rows.start))
    inner = np.ascontiguousarray(mask[rows, columns])
    edges = _edges_within(mask.shape, rows, columns)
    inner = _without_small_regions(inner, False, smallest, edges)
    result = np.zeros(mask.shape, np.bool_)
    result[rows, columns] = _without_small_regions(inner, True, smallest)
    return result


def _around(filled: NDArray[np.bool_], least: float) -> slice:
    """Return where (N,) is filled and one place more on both sides, or all where few are left."""
    places = np.nonzero(filled)[0]
    first, end = int(places[0]) - 1, int(places[-1]) + 2
    return slice(
        first if first > 0 and first >= least else 0,
        end if len(filled) - end >= max(1, least) else len(filled),
    )


def _edges_within(shape: tuple[int, ...], rows: slice, columns: slice) -> list[tuple[int, int]]:
    """Return a pixel of each edge of a part of a photo that is not one of the photo."""
    height, width = shape
    edges = {
        (0, 0): rows.start > 0 or columns.start > 0,
        (-1, 0): rows.stop < height,
        (0, -1): columns.stop < width,
    }
    return [pixel for pixel, within in edges.items() if within]


def _without_small_regions(
    mask: NDArray[np.bool_],
    inside: bool,
    smallest: float,
    edges: Sequence[tuple[int, int]] = (),
) -> NDArray[np.bool_]:
    """Turn small connected regions over: islands where `inside`, holes where not.

    Args:
        mask: (H, W).
        inside: which regions.
        smallest: pixels.
        edges: row and column of pixels whose regions go on beyond it, and are not small.
    """
    from scipy import ndimage

    regions = np.zeros(mask.shape, np.int32)
    count = ndimage.label(mask == inside, np.ones((3, 3)), regions)
    assert isinstance(count, int)  # it is a pair only where no output is given
    if count == 0:
        return mask
    areas = np.bincount(regions.reshape(-1), minlength=count + 1)
    small = areas < smallest
    small[0] = False
    for pixel in edges:
        small[regions[pixel]] = False
    if inside:
        small[1 + areas[1:].argmax()] = False
    if not small.any():
        return mask
    return np.where(small[regions], not inside, mask)
