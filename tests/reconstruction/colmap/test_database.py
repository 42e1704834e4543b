# SPDX-License-Identifier: GPL-3.0-or-later
"""What COLMAP wrote is read without it."""

from __future__ import annotations

import sqlite3

import numpy as np
import pycolmap
import pytest

from cgc_addon.reconstruction.colmap import database
from cgc_addon.reconstruction.photo_list import CameraGroup

from .conftest import FILES, GROUPS


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


def test_the_largest_features_are_read(done):
    path = done / "database.db"
    (few, none) = database.largest_features(path, [FILES[0], "not there.png"], 20)
    assert few.descriptors.shape == (20, 128)
    assert none.total == 0
    assert none.descriptors.shape == (0, 128)
    with pycolmap.Database.open(path) as opened:
        keypoints = opened.read_keypoints(1)
        descriptors = opened.read_descriptors(1)
    scales = np.abs(np.asarray(keypoints)[:, 2:]).sum(axis=1)
    smallest_chosen = np.sort(scales)[-20]
    everything = np.asarray(getattr(descriptors, "data", descriptors))
    chosen = [int(np.flatnonzero((everything == one).all(axis=1))[0]) for one in few.descriptors]
    assert (scales[chosen] >= smallest_chosen - 1e-5).all()
    np.testing.assert_array_equal(few.places, np.asarray(keypoints)[chosen, :2])
    np.testing.assert_array_equal(few.axes, np.asarray(keypoints)[chosen][:, [2, 4]])
    assert few.total == len(everything)
