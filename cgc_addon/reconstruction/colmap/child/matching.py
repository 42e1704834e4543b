# SPDX-License-Identifier: GPL-3.0-or-later
"""Matches between photos into the database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from ....progress import Progress, Reporter
from ..database import image_ids, largest_features, matched_pairs
from ..pairs import in_blocks
from .overlap import LOOKED_AT, may_overlap

STAGE = "Matching photos"


def match(
    *,
    database: str,
    files: list[str],
    pairs: list[list[int]],
    list_file: str,
    threads: int,
    seed: int,
    report: Reporter,
) -> dict[str, Any]:
    """Match and verify all pairs that are not in the database yet.

    Pairs that a few features of each photo tell apart are done without looking at the others.

    Args:
        database: file with the features.
        files: names of the photos.
        pairs: positions in `files`.
        list_file: path for the list that COLMAP reads.
        threads: to use.
        seed: of the verification.
        report: takes progress.

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
    blocks = in_blocks([(first, second) for first, second in pairs])
    total, done, matched = sum(map(len, blocks)), 0, 0
    for block in blocks:
        report(Progress(STAGE, done, total))
        names = [(files[i], files[j]) for i, j in block]
        missing = [(a, b) for a, b in names if _is_missing(ids.get(a), ids.get(b), ready)]
        promising = _promising(Path(database), missing, threads)
        hopeless = set(missing).difference(promising)
        _write_nothing_found(Path(database), [(ids[a], ids[b]) for a, b in sorted(hopeless)])
        if promising:
            text = "".join(f"{first} {second}\n" for first, second in promising)
            Path(list_file).write_text(text, encoding="utf-8")
            pycolmap.match_image_pairs(
                database, options, pairing_options, verification, pycolmap.Device.cpu
            )
        done += len(block)
        matched += len(missing)
    report(Progress(STAGE, total, total))
    return {"matched": matched}


def _promising(database: Path, pairs: list[tuple[str, str]], threads: int) -> list[tuple[str, str]]:
    """Return the pairs of photos that may show the same things, in their order."""
    files = sorted({file for pair in pairs for file in pair})
    features = dict(zip(files, largest_features(database, files, LOOKED_AT), strict=True))
    with ThreadPoolExecutor(threads) as pool:
        answers = pool.map(lambda pair: may_overlap(features[pair[0]], features[pair[1]]), pairs)
        return [pair for pair, answer in zip(pairs, answers, strict=True) if answer]


def _write_nothing_found(path: Path, pairs: list[tuple[int, int]]) -> None:
    """Write pairs of image ids as COLMAP does where nothing matches, so that they are done."""
    import pycolmap

    with pycolmap.Database.open(path) as database, pycolmap.DatabaseTransaction(database):
        for first, second in pairs:
            database.write_matches(first, second, np.zeros((0, 2), np.uint32))
            database.write_two_view_geometry(first, second, pycolmap.TwoViewGeometry())


def _is_missing(first: int | None, second: int | None, ready: set[tuple[int, int]]) -> bool:
    """Say whether a pair is to be matched; COLMAP could not read photos that have no number."""
    if first is None or second is None:
        return False
    return (min(first, second), max(first, second)) not in ready
