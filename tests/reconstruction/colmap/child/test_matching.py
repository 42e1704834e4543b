# SPDX-License-Identifier: GPL-3.0-or-later
"""Matches of small photos, found by the child process."""

from __future__ import annotations

import sqlite3

import pytest

from cgc_addon.reconstruction.colmap.child import matching, overlap
from cgc_addon.reconstruction.colmap.database import matched_pairs, overlapping_pairs, statistics

from ..conftest import FILES, features, match


def test_what_is_there_is_not_done_again(copy, photos):
    assert features(copy, photos) == {"extracted": 0}
    assert match(copy, [(i, j) for i in range(4) for j in range(i + 1, 4)]) == {"matched": 3}
    assert match(copy, [(0, 3)]) == {"matched": 0}


@pytest.mark.parametrize("overlapping", [True, False])
def test_pairs_that_a_few_features_tell_apart_are_done(copy, monkeypatch, overlapping):
    """They stand in the database as COLMAP writes pairs without matches."""
    path = copy / "database.db"
    monkeypatch.setattr(overlap, "FEWEST", 1)
    monkeypatch.setattr(matching, "FEWEST_PARTNERS", 0)
    if not overlapping:
        monkeypatch.setattr(overlap, "_IN_ACCORD", 10_000)
    before = statistics(path)
    arguments = {
        "database": str(path), "files": list(FILES), "pairs": [[0, 1], [0, 2]], "threads": 1,
        "list_file": str(copy / "pairs.txt"), "seed": 0, "report": lambda _progress: None,
    }  # fmt: skip
    assert matching.match(**arguments) == {"matched": 1}
    assert matching.match(**arguments) == {"matched": 0}
    after = statistics(path)
    assert after.pairs == before.pairs + 1
    assert after.overlapping == before.overlapping + overlapping
    assert len(matched_pairs(path)) == after.pairs
    with sqlite3.connect(path) as database:
        counts = database.execute("SELECT rows FROM matches WHERE rows = 0").fetchall()
    assert len(counts) == (0 if overlapping else 1)


def test_of_photos_with_few_partners_all_pairs_are_compared_whole(copy, monkeypatch):
    path = copy / "database.db"
    monkeypatch.setattr(overlap, "FEWEST", 1)
    monkeypatch.setattr(overlap, "_IN_ACCORD", 10_000)  # all look unlikely
    before = statistics(path)
    arguments = {
        "database": str(path), "files": list(FILES), "pairs": [[0, 1], [0, 2]], "threads": 1,
        "list_file": str(copy / "pairs.txt"), "seed": 0, "report": lambda _progress: None,
    }  # fmt: skip
    assert matching.match(**arguments) == {"matched": 1}
    assert statistics(path).overlapping == before.overlapping + 1
    assert len(overlapping_pairs(path)) == before.overlapping + 1
    assert overlapping_pairs(path) <= matched_pairs(path)
