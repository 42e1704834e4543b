# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects are corrected one after the other; what contradicts earlier corrections is said."""

from __future__ import annotations

import numpy as np
import pytest

from cgc_addon.cgc.clusters.granularity import MergeTree
from cgc_addon.cgc.corrections.apply import correct
from cgc_addon.cgc.corrections.session import Correcting, without
from cgc_addon.cgc.segments import describe_segments
from cgc_addon.errors import CgcError

TREE = MergeTree(4, np.array([[1, 2], [3, 4]], np.int32), np.array([0.9, 0.2], np.float32))
FOUND = np.repeat(np.arange(1, 5), 20).astype(np.int32)
MEANS = (
    np.random.default_rng(0).normal(0, 0.2, (80, 3)) + FOUND[:, None] * np.array([1.0, 0, 0])
).astype(np.float32)
LABELS = np.repeat([1, 2, 3], [40, 20, 20]).astype(np.int32)


def begun(corrections=(), said=None) -> Correcting:
    segments = describe_segments(LABELS, np.ones((80, 16)))
    say = (lambda _sentence: None) if said is None else said.append
    return Correcting(MEANS, FOUND, TREE, LABELS, segments, corrections, say)


def seen(cluster: int) -> np.ndarray:
    return (cluster == FOUND).astype(np.float32)


def members_of(corrections) -> list[list[int]]:
    corrected = correct(FOUND, TREE, MEANS, corrections)
    return [
        np.unique(FOUND[corrected.members == number]).tolist()
        for number in range(1, len(corrections) + 1)
    ]


def test_joined_objects_are_one_and_each_id_means_both():
    session = begun()
    session.join(2, 3)
    session.join(3, 1)
    assert members_of(session.corrections[:1]) == [[3, 4]]
    assert members_of(session.corrections) == [[], [1, 2, 3, 4]]
    assert session.corrections[0].text == "join 2 (Segment 002) and 3 (Segment 003)"
    with pytest.raises(CgcError, match="one object already"):
        session.join(1, 2)
    with pytest.raises(CgcError, match="no object 9"):
        session.join(1, 9)


def test_a_part_is_split_off_by_the_tree():
    session = begun()
    part = session.part(1, seen(2))
    assert part is not None
    session.split(1, part, "3,4 of a.jpg")
    assert members_of(session.corrections) == [[2]]
    assert session.corrections[0].text == "split 1 (Segment 001) at 3,4 of a.jpg"
    assert session.part(2, seen(3)) is None  # a single cluster
    assert session.part(1, seen(3)) is None  # not of it
    with pytest.raises(CgcError, match="all of it"):
        session.split(2, LABELS == 2, "there")


def test_a_join_of_what_was_split_is_said_and_wins():
    said: list[str] = []
    session = begun(said=said)
    session.split(1, FOUND == 2, "there")
    again = begun(session.corrections, said)
    assert not said
    again.labels[FOUND == 2] = 3  # as the next cut numbers it
    again.labels[LABELS == 3] = 0
    again.join(1, 3)
    assert said == [
        "Correction 2 (join 1 (Segment 001) and 3 (Segment 003)) contradicts correction 1 (split 1 "
        "(Segment 001) at there); the later one counts."
    ]
    assert members_of(again.corrections) == [[], [1, 2]]


def test_a_part_may_be_joined_with_something_else_without_a_word():
    said: list[str] = []
    session = begun(said=said)
    part = session.split(1, FOUND == 2, "there")
    session.join(part, 2)
    assert not said
    assert members_of(session.corrections) == [[], [2, 3]]


def test_a_split_of_what_was_joined_is_said_and_wins():
    said: list[str] = []
    session = begun(said=said)
    session.join(2, 3)
    part = session.part(2, seen(4))
    assert part is not None
    session.split(2, part, "there")
    assert len(said) == 1
    assert "contradicts correction 1" in said[0]
    assert members_of(session.corrections) == [[3], [4]]


def test_an_added_object_takes_what_others_had():
    session = begun()
    session.add(np.isin(FOUND, (2, 3)), "add", "Lamp")
    assert session.corrections[0].name == "Lamp"
    assert members_of(session.corrections) == [[2, 3]]
    with pytest.raises(CgcError, match="Nothing was found"):
        session.add(np.zeros(80, bool), "add")


def test_some_are_forgotten_by_number():
    session = begun()
    session.join(1, 2)
    session.join(1, 3)
    assert without(session.corrections, [1]) == session.corrections[1:]
    with pytest.raises(CgcError, match="this run has 1 to 2"):
        without(session.corrections, [3])
    with pytest.raises(CgcError, match="this run has none"):
        without([], [1])
