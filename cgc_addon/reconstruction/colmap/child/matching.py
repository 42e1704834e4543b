# SPDX-License-Identifier: GPL-3.0-or-later
"""Matches between photos into the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from ....progress import Progress, Reporter
from ..database import image_ids, largest_features, matched_pairs, overlapping_pairs
from ..pairs import in_blocks
from .overlap import LOOKED_AT, may_overlap

STAGE = "Matching photos"
FEWEST_PARTNERS = 4
"""Photos that show the same things: of one with fewer, all pairs are compared by all features."""


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

    Pairs that a few features of each photo tell apart are done without looking at the others, but
    for those of photos that show little with any other: they come last.

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
    path = Path(database)
    ids, ready = image_ids(path), matched_pairs(path)

    def compare(names: list[tuple[str, str]]) -> None:
        """Let COLMAP match and verify pairs, by all their features."""
        if not names:
            return
        text = "".join(f"{first} {second}\n" for first, second in names)
        Path(list_file).write_text(text, encoding="utf-8")
        verification = pycolmap.TwoViewGeometryOptions()
        verification.ransac.random_seed = seed
        pycolmap.match_image_pairs(
            database,
            pycolmap.FeatureMatchingOptions(num_threads=threads, use_gpu=False),
            pycolmap.ImportedPairingOptions(match_list_path=list_file),
            verification,
            pycolmap.Device.cpu,
        )

    blocks = in_blocks([(first, second) for first, second in pairs])
    total, done, matched = sum(map(len, blocks)), 0, 0
    unlikely: list[tuple[str, str]] = []
    for block in blocks:
        report(Progress(STAGE, done, total))
        names = [(files[i], files[j]) for i, j in block]
        missing = [(a, b) for a, b in names if _is_missing(ids.get(a), ids.get(b), ready)]
        promising = _promising(path, missing, threads)
        compare(promising)
        unlikely += sorted(set(missing).difference(promising))
        unlikely = _without_sure_ones(path, unlikely, ids)
        done += len(block)
        matched += len(missing)
    compare(unlikely)
    report(Progress(STAGE, total, total))
    return {"matched": matched}


def _promising(database: Path, pairs: list[tuple[str, str]], threads: int) -> list[tuple[str, str]]:
    """Return the pairs of photos that may show the same things, in their order."""
    files = sorted({file for pair in pairs for file in pair})
    features = dict(zip(files, largest_features(database, files, LOOKED_AT), strict=True))
    with ThreadPoolExecutor(threads) as pool:
        answers = pool.map(lambda pair: may_overlap(features[pair[0]], features[pair[1]]), pairs)
        return [pair for pair, answer in zip(pairs, answers, strict=True) if answer]


def _without_sure_ones(
    path: Path, unlikely: list[tuple[str, str]], ids: Mapping[str, int]
) -> list[tuple[str, str]]:
    """Write that nothing is found of pairs whose photos both hang together with enough others.

    Args:
        path: database.
        unlikely: pairs that a few features tell apart.
        ids: numbers of the photos.

    Returns:
        The pairs that are left: a photo that shows little with any other needs all there is.
    """
    partners = Counter(photo for pair in overlapping_pairs(path) for photo in pair)
    left = [
        pair for pair in unlikely if min(partners[ids[file]] for file in pair) < FEWEST_PARTNERS
    ]
    _write_nothing_found(path, [(ids[a], ids[b]) for a, b in sorted(set(unlikely) - set(left))])
    return left


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
