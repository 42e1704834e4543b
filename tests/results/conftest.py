# SPDX-License-Identifier: GPL-3.0-or-later
"""A run whose splat is the very one that the photos of the tiny dataset show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cgc_addon.cgc.segments import describe_segments, write_segments
from cgc_addon.rasterize.interface import Backend
from cgc_addon.rasterize.select import select_backend
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.ply import write_ply
from cgc_addon.training.presets import preset
from cgc_addon.training.run_folder import RunFolder

from ..tiny_dataset import tiny_gaussians


@pytest.fixture(scope="session")
def backend() -> Backend:
    return select_backend("cpu")[0]


@pytest.fixture
def true_splat() -> Gaussians:
    """The balls, segments 1 to 4, and the board, which is none; each with a feature of its own."""
    gaussians = tiny_gaussians()
    assert gaussians.segments is not None
    features = np.eye(16, dtype=np.float32)[gaussians.segments]
    return replace(gaussians, features=features)


@pytest.fixture
def write_run(tmp_path: Path, tiny_dataset: Path) -> Callable[..., RunFolder]:
    """Return a function that writes a splat as a run on the tiny dataset."""

    def write(gaussians: Gaussians, test_every: int | None = 4) -> RunFolder:
        folder = RunFolder(tmp_path / "run")
        folder.start(tiny_dataset, replace(preset("draft"), test_every=test_every), {})
        write_ply(folder.splat, gaussians)
        if gaussians.segments is not None and gaussians.features is not None:
            described = describe_segments(gaussians.segments, gaussians.features)
            write_segments(folder.segments, described)
        return folder

    return write
