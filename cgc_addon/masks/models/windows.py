# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the tokens of MobileSAM's encoder lie in the windows in which they look at each other.

What is looked up in lists is not moved about: an attention fetches rows of `HEAD_WIDTH` numbers
from where they lie, and puts what it found back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HEAD_WIDTH = 32
"""Numbers of a query, a key or a value of one head."""
PARTS = ("queries", "keys", "values", "back")
"""Lists of places of a stage."""


@dataclass(frozen=True)
class WindowStage:
    """A stage of the encoder whose tokens look at each other in windows."""

    number: int
    blocks: int
    window: int
    """Tokens along each side of a window."""
    heads: int
    stride: int
    """Places of the stage before along each side of one of this stage."""
    scale: int
    """Tokens of this stage along each side of one that the decoder takes."""

    @property
    def width(self) -> int:
        """Numbers of a token."""
        return self.heads * HEAD_WIDTH


STAGES = (
    WindowStage(number=1, blocks=2, window=7, heads=4, stride=2, scale=2),
    WindowStage(number=2, blocks=6, window=14, heads=5, stride=2, scale=1),
    WindowStage(number=3, blocks=2, window=7, heads=10, stride=1, scale=1),
)


def input_name(stage: WindowStage, part: str) -> str:
    """Return what a list of places of a stage is called in the graph."""
    return f"{part} {stage.number}"


def window_places(rows: int, columns: int) -> dict[str, NDArray[np.int64]]:
    """Return all lists of places for a picture, by name.

    Args:
        rows: tokens of the last stage.
        columns: likewise.
    """
    return {
        input_name(stage, part): places
        for stage in STAGES
        for part, places in zip(
            PARTS, stage_places(stage, rows * stage.scale, columns * stage.scale), strict=True
        )
    }


def stage_places(stage: WindowStage, rows: int, columns: int) -> tuple[NDArray[np.int64], ...]:
    """Return where queries, keys and values lie, and where to find what became of each token.

    Windows are counted row by row, and so are the W tokens in each.

    Args:
        stage: of the encoder.
        rows: tokens of this stage.
        columns: likewise.

    Returns:
        Three of (windows, heads, W): rows of a table that has for each token, and one that fills up
        windows at the end, for each head a query, a key and a value. And (rows · columns · heads,):
        rows of a table that has for each window, each head and each token what it saw.
    """
    side, heads = stage.window, stage.heads
    down, across = -(-rows // side), -(-columns // side)
    count = rows * columns
    tokens = np.full((down * side, across * side), count, np.int64)
    tokens[:rows, :columns] = np.arange(count).reshape(rows, columns)
    windows = tokens.reshape(down, side, across, side).transpose(0, 2, 1, 3)
    windows = windows.reshape(down * across, 1, side**2)
    head = np.arange(heads)
    first = (windows * heads + head[None, :, None]) * 3
    row, column = np.divmod(np.arange(count), columns)
    window = row // side * across + column // side
    cell = row % side * side + column % side
    back = (window[:, None] * heads + head) * side**2 + cell[:, None]
    return first, first + 1, first + 2, back.reshape(-1)
