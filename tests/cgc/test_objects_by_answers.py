# SPDX-License-Identifier: GPL-3.0-or-later
"""Two balls that label maps mostly show as one: answers know better, and the tree keeps both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cgc_addon.cgc.answer_maps import with_object_maps
from cgc_addon.cgc.clusters.mask_tables import (
    FEWEST_PIXELS,
    MaskTable,
    mask_tables,
    overlapping_co_occurrence,
)
from cgc_addon.cgc.clusters.supervoxels import SMALLEST_PIECE, piece_coordinates, supervoxels
from cgc_addon.cgc.features.spectral import spectral_signatures
from cgc_addon.cgc.objects_by_answers import are_answered
from cgc_addon.cgc.observations import Observation
from cgc_addon.cgc.segmentation import find_segments
from cgc_addon.dataset.mask_answers import pack_masks

from .conftest import HEIGHT, PLATE, WIDTH, Capture

PILE = (1, 2)
OFTEN = 9
"""Of twelve views, in which the two balls are painted as one mask."""


def answered(capture: Capture) -> list[Observation]:
    """Return label maps with a pile, and answers in which its two balls are known in each view."""
    found = []
    for number, one in enumerate(capture.exact_observations()):
        truth = capture.truth_maps[number]
        masks = [truth == identifier for identifier in range(1, PLATE + 1)]
        masks.append(np.isin(truth, PILE))
        labels = np.where(one.labels == 2, 1, one.labels) if number < OFTEN else one.labels
        packed = pack_masks(np.stack(masks), np.full(len(masks), 0.9), np.full(len(masks), 0.9))
        cells = np.arange(WIDTH * HEIGHT, dtype=np.int32)
        found.append(replace(one, labels=labels, answers=packed, cells=cells))
    return found


def agreement(labels: np.ndarray, truth: np.ndarray, thing: int) -> float:
    inside = truth == thing
    return max(
        (inside & (labels == one)).sum() / (inside | (labels == one)).sum()
        for one in np.unique(labels[inside])
        if one
    )


@pytest.fixture(scope="module")
def observations(capture: Capture) -> list[Observation]:
    return answered(capture)


def test_answers_take_apart_what_label_maps_show_as_one(capture, observations) -> None:
    without = [replace(one, answers=None, cells=None) for one in observations]
    features = spectral_signatures(without)
    pile = find_segments(without, capture.means, features).labels()
    balls = find_segments(observations, capture.means, features).labels()
    assert agreement(pile, capture.truth, 1) < 0.6
    for thing in range(1, PLATE):
        assert agreement(balls, capture.truth, thing) > 0.9


def test_the_pile_is_still_a_node_of_the_tree(capture, observations) -> None:
    found = find_segments(observations, capture.means, spectral_signatures(observations))
    pile = np.isin(capture.truth, PILE)
    best = 0.0
    for height in found.tree.heights:
        labels = found.tree.cut(float(height))[found.clustering.labels]
        for one in np.unique(labels[pile]):
            best = max(best, (pile & (labels == one)).sum() / (pile | (labels == one)).sum())
    assert best > 0.9


def test_the_same_splat_gives_the_same_objects(capture, observations) -> None:
    features = spectral_signatures(observations)
    first, second = (find_segments(observations, capture.means, features) for _ in range(2))
    assert np.array_equal(first.clustering.labels, second.clustering.labels)
    assert np.array_equal(first.tree.heights, second.tree.heights)


def test_label_maps_decide_where_few_views_have_answers(observations) -> None:
    assert are_answered(observations)
    few = [replace(one, answers=None) for one in observations[:7]] + observations[7:]
    assert not are_answered(few)
    assert not are_answered([])


def test_pieces_lie_within_clusters_and_are_not_too_small(capture, observations) -> None:
    coordinates = piece_coordinates(capture.means, spectral_signatures(observations))
    pieces = supervoxels(observations, capture.truth, coordinates)
    assert set(np.unique(pieces)) == set(range(1, pieces.max() + 1))
    for piece in range(1, pieces.max() + 1):
        assert len(np.unique(capture.truth[pieces == piece])) == 1
        assert np.count_nonzero(pieces == piece) >= SMALLEST_PIECE
    assert pieces.max() > PLATE
    assert np.array_equal(pieces, supervoxels(observations, capture.truth, coordinates))
    nobody = supervoxels(observations, np.zeros_like(capture.truth), coordinates)
    assert not nobody.any()


def test_pieces_agree_by_the_share_of_masks_that_hold_both(observations, capture) -> None:
    """Counted pixel by pixel, mask by mask."""
    shown = [one.blending.strongest_labels(capture.truth) for one in observations]
    found = overlapping_co_occurrence(mask_tables(observations, shown), PLATE)
    agreement = evidence = 0.0
    for one, pieces in zip(observations, shown, strict=True):
        assert one.answers is not None
        pixels = [np.count_nonzero(pieces == piece) for piece in PILE]
        if min(pixels) < FEWEST_PIXELS:
            continue
        masks = one.answers.masks().reshape(len(one.answers), -1)[:, one.cells]
        first, second = (
            {index for index, mask in enumerate(masks) if mask[pieces == piece].mean() > 0.5}
            for piece in PILE
        )
        agreement += min(pixels) ** 0.5 * len(first & second) / len(first | second)
        evidence += min(pixels) ** 0.5
    place = PILE[0] - 1, PILE[1] - 1
    assert found.agreement[place] == pytest.approx(agreement, rel=1e-5)
    assert found.evidence[place] == pytest.approx(evidence, rel=1e-5)
    assert 0.2 < agreement / evidence < 0.5  # one mask of both, and one of each


def test_what_lies_in_no_mask_agrees_with_nothing() -> None:
    """Pieces of 20 px; most of 1 and 2 lies in no mask, and the whole of 3 and 4 in one."""
    inside = np.array([[5], [5], [20], [20]], np.float32)
    pixels = np.full(4, 20, np.float32)
    table = MaskTable(np.arange(1, 5), pixels, inside, np.array([50], np.float32), 400)
    found = overlapping_co_occurrence([table], 4)
    mean = found.agreement / found.evidence
    assert mean[2, 3] == 1
    assert mean[0, 1] == mean[0, 2] == 0


def test_object_maps_show_what_answers_show_of_each_object(capture, observations) -> None:
    for one, truth in zip(
        with_object_maps(observations, capture.truth), capture.truth_maps, strict=True
    ):
        ball = np.isin(truth, PILE)
        shown = one.labels.reshape(HEIGHT, WIDTH)
        assert np.count_nonzero(shown[ball] == truth[ball]) >= 0.95 * np.count_nonzero(ball)


def test_views_without_answers_keep_their_maps(capture) -> None:
    observations = capture.observations()
    for one, before in zip(
        with_object_maps(observations, capture.truth), observations, strict=True
    ):
        assert one is before
