# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights are computed again from what gsplat's kernels find: with the same rules."""

from __future__ import annotations

import re
from pathlib import Path

import gsplat

from cgc_addon.rasterize.interface import ALPHA_LIMIT

SOURCES = Path(gsplat.__file__).parent / "cuda"


def test_gsplat_caps_alpha_where_the_interface_says():
    kernels = [
        *SOURCES.glob("csrc/RasterizeToPixels3DGS*.cu"),
        SOURCES / "csrc" / "RasterizeToIndices3DGS.cu",
    ]
    limits = {
        float(limit)
        for path in kernels
        for limit in re.findall(r"min\((0\.\d+)f, opac", path.read_text())
    }
    assert limits == {ALPHA_LIMIT}
