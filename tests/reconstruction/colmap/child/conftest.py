# SPDX-License-Identifier: GPL-3.0-or-later
"""Matches that COLMAP made up, of photos that show nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image  # before pycolmap, whose zlib would break the writing of PNG

import pycolmap  # isort: skip


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with `database.db` and `photos/` of six views of eighty points."""
    folder = tmp_path_factory.mktemp("made_up")
    options = pycolmap.SyntheticDatasetOptions(
        num_rigs=1, num_cameras_per_rig=1, num_frames_per_rig=6, num_points3D=80
    )
    options.camera_width, options.camera_height = 200, 150
    options.camera_params = [220.0, 100.0, 75.0, 0.05]
    pycolmap.set_random_seed(0)
    with pycolmap.Database.open(folder / "database.db") as database:
        model = pycolmap.synthesize_dataset(options, database)
    random = np.random.default_rng(0)
    for image in model.images.values():
        path = folder / "photos" / image.name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(random.integers(0, 255, (150, 200, 3), dtype=np.uint8)).save(path)
    return folder
