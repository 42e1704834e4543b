# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory that one call leaves to the next, so that no step pays for fresh pages."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_SPARE = 1.25
"""How much more than asked for is taken when a buffer grows: the next call will want more."""


class Scratch:
    """Named buffers that grow. What a buffer holds is lost when it is asked for again."""

    def __init__(self) -> None:
        self._buffers: dict[str, NDArray[Any]] = {}

    def take(self, name: str, size: int, dtype: DTypeLike) -> NDArray[Any]:
        """Return an array (size,) of `dtype` with anything in it.

        Args:
            name: of the buffer; two uses at the same time need two names.
            size: elements.
            dtype: of the elements, always the same for one name.
        """
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size:
            buffer = np.empty(math.ceil(size * _SPARE), dtype)
            self._buffers[name] = buffer
        return buffer[:size]
