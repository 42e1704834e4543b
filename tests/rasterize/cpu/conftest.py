# SPDX-License-Identifier: GPL-3.0-or-later
"""One backend for all tests of the CPU rasterizer."""

from __future__ import annotations

import pytest

from cgc_addon.rasterize.cpu import CpuBackend


@pytest.fixture(scope="session")
def backend() -> CpuBackend:
    return CpuBackend()
