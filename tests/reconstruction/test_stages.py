# SPDX-License-Identifier: GPL-3.0-or-later
"""Features and matches of small photos, found by the child process."""

import shutil
import sqlite3
from dataclasses import asdict

import numpy as np
import pycolmap
import pytest
from PIL import Image

from cgc_addon.errors import Interrupted
from cgc_addon.reconstruction.colmap import database
from cgc_addon.reconstruction.colmap.features import threads_that_fit
from cgc_addon.reconstruction.colmap.native import run_stage
from cgc_addon.reconstruction.photo_list import CameraGroup

from .conftest import texture

FILES = tuple(f"{i}.png" for i in range(4))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stages") / "photos"
    folder.mkdir()
    wide = texture(5, 400, 150)
    for number, name in enumerate(FILES):
        Image.fromarray(wide[:, 40 * number : 40 * number + 200]).save(folder / name)
    return folder


GROUPS = (
    CameraGroup("OPENCV", 200, 150, 240.0, False, FILES[:3]),
    CameraGroup("SIMPLE_RADIAL", 200, 150, 300.0, True, FILES[3:]),
)


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


@pytest.fixture(scope="module")
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


def test_the_database_holds_the_cameras_and_features(done):
    with pycolmap.Database.open(done / "database.db") as opened:
        cameras = opened.read_all_cameras()
        assert [camera.model.name for camera in cameras] == ["OPENCV", "SIMPLE_RADIAL"]
        assert [camera.has_prior_focal_length for camera in cameras] == [False, True]
        assert [camera.mean_focal_length() for camera in cameras] == [240.0, 300.0]
        images = opened.read_all_images()
        assert [(image.name, image.image_id, image.camera_id) for image in images] == [
            ("0.png", 1, 1), ("1.png", 2, 1), ("2.png", 3, 1), ("3.png", 4, 2),
        ]  # fmt: skip
        assert opened.num_keypoints() > 100
    path = done / "database.db"
    assert database.files_with_features(path) == set(FILES)
    assert database.matched_pairs(path) == {(1, 2), (2, 3), (3, 4)}
    found = database.statistics(path)
    assert (found.pairs, found.overlapping) == (3, 3)
    assert 20 < found.features <= 2 * 300  # up to two orientations each
    assert database.is_usable(path, GROUPS)


def test_what_is_there_is_not_done_again(copy, photos):
    assert features(copy, photos) == {"extracted": 0}
    assert match(copy, [(i, j) for i in range(4) for j in range(i + 1, 4)]) == {"matched": 3}
    assert match(copy, [(0, 3)]) == {"matched": 0}


def test_features_without_descriptors_are_found_again(copy, photos):
    path = copy / "database.db"
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM keypoints WHERE image_id = 2")
        connection.execute("DELETE FROM descriptors WHERE image_id = 2")
    assert database.files_with_features(path) == set(FILES) - {"1.png"}
    assert features(copy, photos) == {"extracted": 1}
    assert database.files_with_features(path) == set(FILES)


def test_similar_photos_are_paired_where_not_all_are_tried(copy):
    arguments = {"database": str(copy / "database.db"), "files": list(FILES), "seed": 0}
    pairs = run_stage("pairs", arguments, copy / "log.txt")["pairs"]
    assert [0, 1] in pairs
    assert all(0 <= i < j < 4 for i, j in pairs)


def test_stopping_leaves_a_database_that_can_be_gone_on_with(tmp_path, photos):
    told = []
    with pytest.raises(Interrupted):
        features(tmp_path, photos, report=told.append, should_stop=lambda: bool(told))
    path = tmp_path / "database.db"
    if not database.is_usable(path, GROUPS):  # killed while the cameras were written
        database.remove(path)
    features(tmp_path, photos)
    assert database.files_with_features(path) == set(FILES)


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "rubbish", "zeros", "no tables"])
def test_a_damaged_database_is_recognised_and_removed(copy, damage):
    path = copy / "database.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = path.read_bytes()
    if damage == "no tables":
        with sqlite3.connect(path) as connection:
            connection.execute("DROP TABLE descriptors")
    elif damage == "missing":
        path.unlink()
    else:
        middle = len(content) // 2
        path.write_bytes({
            "empty": b"", "cut": content[:middle], "rubbish": b"rubbish" * 5000,
            "zeros": content[:4096] + bytes(len(content) - 4096),
        }[damage])  # fmt: skip
    assert not database.is_usable(path, GROUPS)
    database.remove(path)
    assert not list(copy.glob("database.db*"))


def test_the_database_of_other_cameras_is_not_used(done):
    path = done / "database.db"
    assert not database.is_usable(path, GROUPS[:1])
    larger = CameraGroup("OPENCV", 400, 300, 240.0, False, FILES[:3])
    assert not database.is_usable(path, (larger, GROUPS[1]))


def test_pair_numbers_are_colmaps(done):
    pairs = np.array(sorted(database.matched_pairs(done / "database.db")))
    with sqlite3.connect(done / "database.db") as connection:
        numbers = {n for (n,) in connection.execute("SELECT pair_id FROM two_view_geometries")}
    assert {pycolmap.image_pair_to_pair_id(int(i), int(j)) for i, j in pairs} == numbers


def test_large_photos_are_looked_at_by_fewer_threads():
    assert threads_that_fit(200 * 150, 16) == 16
    assert 1 <= threads_that_fit(4000 * 3000, 16) < 4
    assert threads_that_fit(10**9, 16) == 1
