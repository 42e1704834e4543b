# SPDX-License-Identifier: GPL-3.0-or-later
"""How sharp a picture is, compared with others of the same things."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sharpness(grey: NDArray[np.uint8]) -> float:
    """Return the mean squared gradient (Tenengrad) relative to the contrast; blur lowers it.

    Dividing by the variance keeps a frame from winning because it is lit more brightly.

    Args:
        grey: (H, W).
    """
    values = grey.astype(np.float32)
    if min(values.shape) < 3:
        return 0.0
    across = values[1:-1, 2:] - values[1:-1, :-2]
    down = values[2:, 1:-1] - values[:-2, 1:-1]
    contrast = float(values.var())
    return float((across**2 + down**2).mean()) / (contrast + 1.0)
