# SPDX-License-Identifier: GPL-3.0-or-later
"""What COLMAP's database holds, read without COLMAP: what was found, which work is done already."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ..photo_list import CameraGroup

_PAIR_FACTOR = 2147483647
"""COLMAP numbers a pair of images `smaller id · 2147483647 + larger id`."""


@dataclass(frozen=True)
class MatchStatistics:
    """What matching found."""

    features: int
    """Median number of features of a photo."""
    pairs: int
    """Pairs that were tried."""
    overlapping: int
    """Pairs of photos that show the same thing."""


@dataclass(frozen=True, eq=False)
class Features:
    """The largest features of a photo."""

    total: int
    """Features of the photo, also those that are not among these."""
    places: NDArray[np.float32]
    """(F, 2) x and y, px."""
    axes: NDArray[np.float32]
    """(F, 2) which way is a feature's own right, as long as it is large, px."""
    descriptors: NDArray[np.uint8]
    """(F, 128)."""


def is_usable(path: Path, groups: Sequence[CameraGroup]) -> bool:
    """Say whether a database is whole and begins with the cameras of `groups`.

    A database that was not made, or whose making was cut off, does not.
    """
    if not path.is_file():
        return False
    try:
        with _opened(path) as database:
            if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                return False
            sizes = database.execute(
                "SELECT camera_id, width, height FROM cameras ORDER BY camera_id"
            ).fetchall()
            names = {name for (name,) in database.execute("SELECT name FROM images")}
            # An empty table tells as much as a full one: it is there.
            for table in ("keypoints", "descriptors", "matches", "two_view_geometries"):
                database.execute(f"SELECT rows FROM {table} LIMIT 1").fetchone()
    except sqlite3.DatabaseError:
        return False
    expected = [(i, group.width, group.height) for i, group in enumerate(groups, start=1)]
    return sizes == expected and names <= {file for group in groups for file in group.files}


def remove(path: Path) -> None:
    """Remove a database and what SQLite keeps beside it.

    Raises:
        CgcError: it cannot be removed.
    """
    try:
        for ending in ("", "-wal", "-shm", "-journal"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
    except OSError as error:
        raise CgcError(
            f"{path} is damaged and could not be removed: {error.strerror or error}; "
            "remove it, then run again."
        ) from error


def files_with_features(path: Path) -> set[str]:
    """Return the photos whose features are whole, also where there are none to be found."""
    with _opened(path) as database:
        rows = database.execute(
            "SELECT name FROM images JOIN keypoints USING (image_id) "
            "JOIN descriptors USING (image_id)"
        )
        return {name for (name,) in rows}


def image_ids(path: Path) -> dict[str, int]:
    """Return the number of each photo."""
    with _opened(path) as database:
        return dict(database.execute("SELECT name, image_id FROM images"))


def matched_pairs(path: Path) -> set[tuple[int, int]]:
    """Return the pairs of image ids, smaller first, that were matched and verified."""
    with _opened(path) as database:
        return _pairs(
            database.execute("SELECT pair_id FROM two_view_geometries JOIN matches USING (pair_id)")
        )


def overlapping_pairs(path: Path) -> set[tuple[int, int]]:
    """Return those pairs of image ids, smaller first, that were found to show the same things."""
    with _opened(path) as database:
        return _pairs(database.execute("SELECT pair_id FROM two_view_geometries WHERE rows > 0"))


def _pairs(rows: Iterable[tuple[int]]) -> set[tuple[int, int]]:
    """Return the image ids that pair ids stand for."""
    return {((pair - pair % _PAIR_FACTOR) // _PAIR_FACTOR, pair % _PAIR_FACTOR)
            for (pair,) in rows}  # fmt: skip


def largest_features(path: Path, files: Sequence[str], most: int) -> list[Features]:
    """Return up to `most` features of each photo, the largest ones."""
    ids = image_ids(path)
    found = []
    with _opened(path) as database:
        for file in files:
            query = "SELECT rows, cols, data FROM {} WHERE image_id = ?"
            points = database.execute(query.format("keypoints"), (ids.get(file),)).fetchone()
            vectors = database.execute(query.format("descriptors"), (ids.get(file),)).fetchone()
            if not vectors or not vectors[0]:
                found.append(_NO_FEATURES)
                continue
            descriptors = np.frombuffer(vectors[2], np.uint8).reshape(vectors[0], -1)
            keypoints = np.frombuffer(points[2], np.float32).reshape(points[0], points[1])
            # x, y, and the affine shape row by row, whose entries grow with the scale; its first
            # column is where the feature's own x axis points
            scales = np.abs(keypoints[:, 2:]).sum(axis=1)
            largest = np.argsort(-scales, kind="stable")[:most]
            places, axes = keypoints[largest][:, :2], keypoints[largest][:, [2, 4]]
            found.append(Features(len(keypoints), places, axes, descriptors[largest]))
    return found


def statistics(path: Path) -> MatchStatistics:
    """Return what matching found."""
    with _opened(path) as database:
        counts = sorted(rows for (rows,) in database.execute("SELECT rows FROM keypoints"))
        pairs, overlapping = database.execute(
            "SELECT COUNT(*), COALESCE(SUM(rows > 0), 0) FROM two_view_geometries"
        ).fetchone()
    return MatchStatistics(counts[len(counts) // 2] if counts else 0, pairs, overlapping)


_NO_FEATURES = Features(
    0, np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32), np.zeros((0, 128), np.uint8)
)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, timeout=10.0)) as database:
        yield database
