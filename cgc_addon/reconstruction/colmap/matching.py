# SPDX-License-Identifier: GPL-3.0-or-later
"""Matches between photos into the database; runs in the child process."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import pairs as pairing
from .database import image_ids, matched_pairs

if TYPE_CHECKING:
    from .child import Tell

STAGE = "Matching photos"
_COMPARED_FEATURES = 400
"""Of each photo, for telling which photos look alike."""


def choose(*, database: str, files: list[str], seed: int, tell: Tell) -> dict[str, Any]:
    """Return under "pairs" which photos are compared where not all are: positions in `files`."""
    tell("Looking for similar photos", 0, 1)
    descriptors = _descriptors(Path(database), files)
    vectors = pairing.signatures(descriptors, seed)
    pairs = {*pairing.sequential_pairs(len(files)), *pairing.lookalike_pairs(vectors)}
    tell("Looking for similar photos", 1, 1)
    return {"pairs": sorted(pairs)}


def match(
    *,
    database: str,
    files: list[str],
    pairs: list[list[int]],
    list_file: str,
    threads: int,
    seed: int,
    tell: Tell,
) -> dict[str, Any]:
    """Match and verify all pairs that are not in the database yet.

    Args:
        database: file with the features.
        files: names of the photos.
        pairs: positions in `files`.
        list_file: path for the list that COLMAP reads.
        threads: to use.
        seed: of the verification.
        tell: takes progress.

    Returns:
        Under "matched" how many pairs that were.
    """
    import pycolmap

    pycolmap.set_random_seed(seed)
    ids = image_ids(Path(database))
    ready = matched_pairs(Path(database))
    options = pycolmap.FeatureMatchingOptions(num_threads=threads, use_gpu=False)
    verification = pycolmap.TwoViewGeometryOptions()
    verification.ransac.random_seed = seed
    pairing_options = pycolmap.ImportedPairingOptions(match_list_path=list_file)
    blocks = pairing.in_blocks([(first, second) for first, second in pairs])
    total, done, matched = sum(map(len, blocks)), 0, 0
    for block in blocks:
        tell(STAGE, done, total)
        names = [(files[i], files[j]) for i, j in block]
        missing = [(a, b) for a, b in names if _is_missing(ids.get(a), ids.get(b), ready)]
        if missing:
            text = "".join(f"{first} {second}\n" for first, second in missing)
            Path(list_file).write_text(text, encoding="utf-8")
            pycolmap.match_image_pairs(
                database, options, pairing_options, verification, pycolmap.Device.cpu
            )
        done += len(block)
        matched += len(missing)
    tell(STAGE, total, total)
    return {"matched": matched}


def _is_missing(first: int | None, second: int | None, ready: set[tuple[int, int]]) -> bool:
    """Say whether a pair is to be matched; COLMAP could not read photos that have no number."""
    if first is None or second is None:
        return False
    return (min(first, second), max(first, second)) not in ready


def _descriptors(database: Path, files: Sequence[str]) -> list[NDArray[np.uint8]]:
    """Return descriptors (F, 128) of each photo, those of the largest features."""
    ids = image_ids(database)
    found = []
    with closing(sqlite3.connect(database)) as connection:
        for file in files:
            query = "SELECT rows, cols, data FROM {} WHERE image_id = ?"
            points = connection.execute(query.format("keypoints"), (ids.get(file),)).fetchone()
            vectors = connection.execute(query.format("descriptors"), (ids.get(file),)).fetchone()
            if not vectors or not vectors[0]:
                found.append(np.zeros((0, 128), np.uint8))
                continue
            descriptors = np.frombuffer(vectors[2], np.uint8).reshape(vectors[0], -1)
            # x, y, and the affine shape, whose first entries grow with the scale
            shapes = np.frombuffer(points[2], np.float32).reshape(points[0], points[1])
            scales = np.abs(shapes[:, 2:]).sum(axis=1)
            largest = np.argsort(-scales, kind="stable")[:_COMPARED_FEATURES]
            found.append(descriptors[largest])
    return found
