# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of the square that MobileSAM pads photos to is worked on.

The model was trained on photos that lie in the upper left corner of a square, and its decoder
expects to see what pads them: without it, more masks are found and worse ones. But one grey token
is like another. So the encoder looks no farther than a margin beyond the photo, and the decoder at
a sample of what pads it, each of which stands for several: in attention its weight is multiplied by
their number. Beyond the margin, tokens are those of a grey picture at the same places: those at
the square's far edges are not like others, and the decoder knows them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SQUARE = 64
"""Tokens along each side of the padded photo."""
MARGIN = 6
"""Tokens beyond the photo that the encoder looks at: what it says of the photo's edge depends on
them. More changes less, and costs more."""
STEP = 2
"""Of the tokens that pad the photo, every second of every second row is looked at."""


@dataclass(frozen=True, eq=False)
class ShownTokens:
    """Which tokens of the padded square are looked at, T of them."""

    rows: int
    columns: int
    """Of the tokens that hold the photo."""
    seen_rows: int
    seen_columns: int
    """Of those that the encoder looks at."""
    places: NDArray[np.int64]
    """(T,) which of the square each is, counted row by row: first the photo's, then a sample."""
    sources: NDArray[np.int64]
    """(T,) where each is found: among those of the encoder, row by row, then the grey square."""
    shares: NDArray[np.float32]
    """(T,) logarithm of how many each stands for."""


def shown_tokens(rows: int, columns: int) -> ShownTokens:
    """Choose the tokens for a photo.

    Args:
        rows: of the tokens that hold it, at most `SQUARE`; of these or the columns there are
            `SQUARE`.
        columns: likewise.
    """
    square = np.arange(SQUARE**2).reshape(SQUARE, SQUARE)
    seen_rows, seen_columns = min(SQUARE, rows + MARGIN), min(SQUARE, columns + MARGIN)
    pads = square[rows:] if rows < SQUARE else square[:, columns:]
    sample = pads[_middles(pads.shape[0])][:, _middles(pads.shape[1])].reshape(-1)
    places = np.concatenate([square[:rows, :columns].reshape(-1), sample])
    row, column = np.divmod(places, SQUARE)
    seen = (row < seen_rows) & (column < seen_columns)
    grey = seen_rows * seen_columns + places
    sources = np.where(seen, row * seen_columns + column, grey)
    shares = np.zeros(len(places), np.float32)
    if sample.size:
        shares[rows * columns :] = np.log(pads.size / sample.size)
    return ShownTokens(rows, columns, seen_rows, seen_columns, places, sources, shares)


def _middles(count: int) -> NDArray[np.int64]:
    """Return the middle of each `STEP` of so many places; of none, none."""
    return np.arange(min(STEP // 2, max(0, count - 1) // 2), count, STEP)
