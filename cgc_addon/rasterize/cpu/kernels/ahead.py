# SPDX-License-Identifier: GPL-3.0-or-later
"""Records fetched before they are needed: lists name them in an order that no cache foresees."""

from __future__ import annotations

import numpy as np

from ..simd import inline, load_scalar, prefetch
from .layout import RECORD_SIZE

_AHEAD = 8
"""Entries of a list; about as many take as long as memory does."""


@inline
def fetch_ahead(records, numbers, place, end):
    """Fetch the record that a list comes to some entries later.

    Args:
        records: (N·16,) see layout.
        numbers: int32, rows of `records`.
        place: entry of `numbers` that is at work, before `end`.
        end: where the list ends.
    """
    row = load_scalar(numbers, min(place + _AHEAD, end - 1))
    prefetch(records, np.int64(row) * RECORD_SIZE)
