# SPDX-License-Identifier: GPL-3.0-or-later
"""How many threads kernels run on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numba


@contextmanager
def limited_threads(count: int) -> Iterator[None]:
    """Let kernels use `count` threads while the block runs."""
    before = numba.get_num_threads()
    numba.set_num_threads(count)
    try:
        yield
    finally:
        numba.set_num_threads(before)
