# SPDX-License-Identifier: GPL-3.0-or-later
"""Small photos, and the stages of the child process run on them."""

from __future__ import annotations

import shutil
from dataclasses import asdict

import pytest
from PIL import Image

from cgc_addon.reconstruction.colmap.process import run_stage
from cgc_addon.reconstruction.photo_list import CameraGroup

from ..conftest import texture

FILES = tuple(f"{i}.png" for i in range(4))
GROUPS = (
    CameraGroup("OPENCV", 200, 150, 240.0, False, FILES[:3]),
    CameraGroup("SIMPLE_RADIAL", 200, 150, 300.0, True, FILES[3:]),
)


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stages") / "photos"
    folder.mkdir()
    wide = texture(5, 400, 150)
    for number, name in enumerate(FILES):
        Image.fromarray(wide[:, 40 * number : 40 * number + 200]).save(folder / name)
    return folder


def features(folder, photos, **options):
    arguments = {
        "database": str(folder / "database.db"), "photos": str(photos), "max_features": 300,
        "groups": [asdict(group) for group in GROUPS], "threads": 1, "seed": 0,
    }  # fmt: skip
    return run_stage("features", arguments, folder / "log.txt", **options)


def match(folder, pairs, **options):
    arguments = {
        "database": str(folder / "database.db"), "files": list(FILES), "pairs": pairs,
        "list_file": str(folder / "pairs.txt"), "threads": 1, "seed": 0,
    }  # fmt: skip
    return run_stage("matching", arguments, folder / "log.txt", **options)


@pytest.fixture(scope="session")
def done(photos, tmp_path_factory):
    """A folder whose database holds features and three of six pairs."""
    folder = tmp_path_factory.mktemp("done")
    assert features(folder, photos) == {"extracted": 4}
    assert match(folder, [(0, 1), (1, 2), (2, 3)]) == {"matched": 3}
    return folder


@pytest.fixture
def copy(done, tmp_path):
    for path in done.iterdir():
        shutil.copy(path, tmp_path)
    return tmp_path
