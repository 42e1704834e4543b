# SPDX-License-Identifier: GPL-3.0-or-later
"""Features of small photos, found by the child process."""

from __future__ import annotations

import sqlite3

import pycolmap
import pytest

from cgc_addon.errors import Interrupted
from cgc_addon.reconstruction.colmap import database
from cgc_addon.reconstruction.colmap.child.features import threads_that_fit

from ..conftest import FILES, GROUPS, features


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


def test_features_without_descriptors_are_found_again(copy, photos):
    path = copy / "database.db"
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM keypoints WHERE image_id = 2")
        connection.execute("DELETE FROM descriptors WHERE image_id = 2")
    assert database.files_with_features(path) == set(FILES) - {"1.png"}
    assert features(copy, photos) == {"extracted": 1}
    assert database.files_with_features(path) == set(FILES)


def test_stopping_leaves_a_database_that_can_be_gone_on_with(tmp_path, photos):
    told = []
    with pytest.raises(Interrupted):
        features(tmp_path, photos, report=told.append, should_stop=lambda: bool(told))
    path = tmp_path / "database.db"
    if not database.is_usable(path, GROUPS):  # killed while the cameras were written
        database.remove(path)
    features(tmp_path, photos)
    assert database.files_with_features(path) == set(FILES)


def test_large_photos_are_looked_at_by_fewer_threads():
    assert threads_that_fit(200 * 150, 16) == 16
    assert 1 <= threads_that_fit(4000 * 3000, 16) < 4
    assert threads_that_fit(10**9, 16) == 1
