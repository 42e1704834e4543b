# SPDX-License-Identifier: GPL-3.0-or-later
"""`.splat` files as antimatter15's viewer reads them: 32 bytes for each Gaussian, and no header."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import CgcError
from .gaussians import Gaussians
from .loaded import LoadedSplat, checked_splat
from .spherical_harmonics import CONSTANT_BASIS

RECORD = np.dtype(
    [("position", "<f4", 3), ("scale", "<f4", 3), ("color", "u1", 4), ("rotation", "u1", 4)]
)
"""Scales are standard deviations; colours red, green, blue and opacity; rotations wxyz, 128 = 0."""


def read_splat_records(path: Path) -> LoadedSplat:
    """Read a `.splat` file.

    Raises:
        CgcError: it is empty or cut short, or holds no Gaussians.
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    if size == 0:
        raise CgcError(f"{path} holds no Gaussians: the file is empty.")
    if size % RECORD.itemsize:
        raise CgcError(
            f"{path} is cut short or no .splat file: it has {size} bytes, which is no multiple of "
            f"{RECORD.itemsize}; copy or export the file again."
        )
    records = np.fromfile(path, RECORD)
    colors = records["color"].astype(np.float32) / np.float32(255)
    constant = (colors[:, :3] - np.float32(0.5)) / np.float32(CONSTANT_BASIS)
    with np.errstate(divide="ignore", invalid="ignore"):  # made finite or left out later
        log_scales = np.log(records["scale"])
        logits = np.log(colors[:, 3] / (1 - colors[:, 3]))
    gaussians = Gaussians(
        means=np.ascontiguousarray(records["position"]),
        log_scales=log_scales,
        quats=(records["rotation"].astype(np.float32) - 128) / 128,
        logit_opacities=logits,
        sh=constant[:, None],
    )
    return checked_splat(path, gaussians)
