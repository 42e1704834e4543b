# SPDX-License-Identifier: GPL-3.0-or-later
"""Corrected objects are the same in every cut, and all others are as they would be without."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cgc_addon.cgc.clusters.granularity import MergeTree
from cgc_addon.cgc.corrections.apply import correct, described_as_corrected
from cgc_addon.cgc.corrections.records import Correction
from cgc_addon.cgc.corrections.shapes import shape_of
from cgc_addon.cgc.segments import describe_segments
from cgc_addon.splats.gaussians import Gaussians

GRANULARITIES = (0.0, 0.2, 0.4, 0.5, 0.7, 1.0)


def scene(clusters: int = 6, each: int = 20) -> tuple[Gaussians, np.ndarray, MergeTree]:
    """Return clusters in a row, which overlap, and a tree that joins them in turn."""
    random = np.random.default_rng(0)
    found = np.repeat(np.arange(1, clusters + 1), each).astype(np.int32)
    means = random.normal(0, 0.3, (len(found), 3)) + found[:, None] * [1.0, 0, 0]
    heights = np.array([0.9, 0.7, 0.45, 0.2, 0.1][: clusters - 1], np.float32)
    merges = np.array([[1, 2], [3, 4], [1, 3], [5, 6], [1, 5]][: clusters - 1], np.int32)
    gaussians = Gaussians(
        means=means.astype(np.float32),
        log_scales=np.full((len(found), 3), np.log(0.5), np.float32),
        quats=np.tile(np.float32([1, 0, 0, 0]), (len(found), 1)),
        logit_opacities=np.zeros(len(found), np.float32),
        sh=np.zeros((len(found), 1, 3), np.float32),
    )
    return gaussians, found, MergeTree(clusters, merges, heights)


def correction(
    gaussians: Gaussians, members: np.ndarray, kind: str = "object", **more
) -> Correction:
    return Correction(kind, "by test", shape_of(gaussians.means, members), **more)  # type: ignore[arg-type]


def cuts(
    gaussians: Gaussians, found: np.ndarray, tree: MergeTree, made: Sequence[Correction]
) -> list[np.ndarray]:
    corrected = correct(found, tree, gaussians.means, made)
    return [
        corrected.tree.labels(corrected.labels, value, gaussians=gaussians)
        for value in GRANULARITIES
    ]


@given(st.lists(st.sets(st.integers(0, 119), min_size=1, max_size=60), min_size=1, max_size=4))
def test_each_cut_has_the_objects_as_corrected_and_is_within_every_coarser_one(sets):
    gaussians, found, tree = scene()
    members = [np.isin(np.arange(len(found)), list(one)) for one in sets]
    made = [correction(gaussians, one) for one in members]
    left = np.zeros(len(found), int)  # the later wins
    for number, one in enumerate(members, start=1):
        left[one] = number
    previous = None
    for labels in cuts(gaussians, found, tree, made):
        for number in np.unique(left[left > 0]):
            own = labels[left == number]
            assert len(set(own.tolist())) == 1
            assert own[0] > 0
            assert (labels == own[0]).sum() == len(own)
        if previous is not None:  # what was together stays together
            both = (previous > 0) & (labels > 0)
            for one in np.unique(previous[both]):
                assert len(np.unique(labels[both & (previous == one)])) == 1
        previous = labels


def test_without_corrections_and_outside_them_cuts_are_as_before():
    gaussians, found, tree = scene()
    plain = [tree.labels(found, value, gaussians=gaussians) for value in GRANULARITIES]
    for with_none, before in zip(cuts(gaussians, found, tree, ()), plain, strict=True):
        assert np.array_equal(with_none, before)
    part = found == 6
    for labels, before in zip(
        cuts(gaussians, found, tree, [correction(gaussians, part)]), plain, strict=True
    ):
        pairs = {(int(a), int(b)) for a, b in zip(labels[~part], before[~part], strict=True)}
        assert len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)


def test_small_and_scattered_objects_are_kept_if_a_person_made_them():
    gaussians, found, tree = scene()
    gaussians.means[0] += 100  # floats
    members = np.zeros(len(found), bool)
    members[[0, 50, 119]] = True
    for labels in cuts(gaussians, found, tree, [correction(gaussians, members)]):
        assert len(np.unique(labels[members])) == 1
        assert labels[0] > 0
        assert (labels == labels[0]).sum() == 3


def test_what_was_unassigned_is_in_no_cut_until_a_later_correction_has_it():
    gaussians, found, tree = scene()
    none = correction(gaussians, found == 2, "unassign")
    for labels in cuts(gaussians, found, tree, [none]):
        assert not labels[found == 2].any()
    for labels in cuts(gaussians, found, tree, [none, correction(gaussians, found <= 2)]):
        assert len(np.unique(labels[found <= 2])) == 1
        assert labels[0] > 0


def test_an_object_of_another_scene_is_missing_and_has_no_effect():
    gaussians, found, tree = scene()
    far = Correction("object", "far", shape_of(gaussians.means + 1000, found == 1))
    corrected = correct(found, tree, gaussians.means, [far, correction(gaussians, found == 2)])
    assert corrected.missing == (1,)
    assert corrected.counts() == [0, 20]
    assert np.array_equal(corrected.labels[found == 1], found[found == 1])


def test_corrected_objects_have_their_names_and_colours_and_are_pinned():
    gaussians, found, tree = scene()
    made = [
        correction(gaussians, found == 2, name="Lamp", color=(1, 2, 3)),
        correction(gaussians, found == 4),
    ]
    corrected = correct(found, tree, gaussians.means, made)
    labels = corrected.tree.labels(corrected.labels, 0.5, gaussians=gaussians)
    features = np.ones((len(found), 16), np.float32)
    plain = describe_segments(labels, features)
    described = described_as_corrected(plain, labels, corrected, made)
    lamp = described[int(labels[found == 2][0])]
    assert (lamp.name, lamp.color, lamp.pinned) == ("Lamp", (1, 2, 3), True)
    other = described[int(labels[found == 4][0])]
    assert other.pinned
    assert other.name == plain[other.id].name
    assert not any(one.pinned for one in described.segments if one.id not in (lamp.id, other.id))
