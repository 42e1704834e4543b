# SPDX-License-Identifier: GPL-3.0-or-later
"""A label map as a coloured picture that lies over its photo, some masks picked out."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from ...cgc.segments import distinct_colors

MOST_PIXELS = 1600
"""Longest side of the picture; a viewport is seldom wider."""
_COLOURS = 256
_EDGE = (0.0, 0.0, 0.0, 0.85)
_EDGE_PICKED = (1.0, 1.0, 1.0, 1.0)
_ALPHA, _ALPHA_PICKED, _ALPHA_OTHERS = 1.0, 1.0, 0.45


def mask_picture(
    labels: NDArray[np.unsignedinteger], picked: Collection[int] = ()
) -> NDArray[np.float32]:
    """Return RGBA (h, w, 4) in 0..1 of a label map, its lowest row first as textures have it.

    Each mask has a colour of its own and a dark border, unlabelled pixels show the photo. Where
    masks are picked, these are bright with a white border, and the others fade.

    Args:
        labels: (H, W) ids; made smaller where it is larger than `MOST_PIXELS`.
        picked: ids.
    """
    every = max(1, -(-max(labels.shape) // MOST_PIXELS))
    labels = labels[::every, ::every]
    colors = np.ones((_COLOURS, 4), np.float32)
    colors[:, :3] = distinct_colors(_COLOURS) / np.float32(255)
    colors[:, 3] = _ALPHA_OTHERS if picked else _ALPHA
    picture = colors[(labels.astype(np.int64) - 1) % _COLOURS]
    picture[labels == 0] = 0.0
    edge = borders(labels) & (labels > 0)
    chosen = np.isin(labels, list(picked)) & (labels > 0)
    picture[chosen, :3] = 0.35 + 0.65 * picture[chosen, :3]
    picture[chosen, 3] = _ALPHA_PICKED
    picture[edge] = _EDGE
    if picked:
        picture[edge & ~chosen, 3] *= _ALPHA_OTHERS
        picture[_wider(borders(chosen)) & chosen] = _EDGE_PICKED
    return np.ascontiguousarray(picture[::-1])


def borders(labels: NDArray) -> NDArray[np.bool_]:
    """Return (H, W): whether a pixel has another id than one of its four neighbours."""
    edge = np.zeros(labels.shape, np.bool_)
    for axis in (0, 1):
        differ = np.diff(labels, axis=axis) != 0
        before, after = [slice(None)] * 2, [slice(None)] * 2
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        edge[tuple(before)] |= differ
        edge[tuple(after)] |= differ
    return edge


def _wider(edge: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return an edge with one pixel more on each side."""
    wide = edge.copy()
    wide[1:] |= edge[:-1]
    wide[:-1] |= edge[1:]
    wide[:, 1:] |= edge[:, :-1]
    wide[:, :-1] |= edge[:, 1:]
    return wide
