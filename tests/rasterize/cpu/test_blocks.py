# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from cgc_addon.rasterize.cpu.kernels.blocks import clear_rows
from cgc_addon.rasterize.cpu.simd import LANES, serial_kernel


@serial_kernel
def _clear(array, columns, first, rows):
    clear_rows(array, columns, first, rows)


@pytest.mark.parametrize("columns", [1, 3, 45])
@pytest.mark.parametrize("rows", [1, LANES - 1, LANES])
def test_the_rows_of_a_block_are_cleared_and_no_other(columns, rows):
    array = np.ones((2 * LANES + 1, columns), np.float32)
    _clear(array.reshape(-1), columns, 2, rows)
    assert (array[2 : 2 + rows] == 0).all()
    assert (array[:2] == 1).all()
    assert (array[2 + rows :] == 1).all()
