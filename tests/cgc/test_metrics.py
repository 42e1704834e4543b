# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores equal slow counts and what libraries compute; what is missing counts 0."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_erosion
from sklearn.metrics import adjusted_rand_score

from cgc_addon.cgc.exact_labels import exact_labels
from cgc_addon.cgc.metrics import (
    IGNORED,
    boundary,
    boundary_iou,
    boundary_width,
    clicked_segment,
    intersection_over_union,
    peak_signal_to_noise,
    score_segmentation,
)


def iou_by_counting(first, second):
    either = both = 0
    for a, b in zip(first.reshape(-1), second.reshape(-1), strict=True):
        either += bool(a or b)
        both += bool(a and b)
    return both / either if either else 1.0


def blobs(seed, height=37, width=41, ids=4):
    """Label maps made of overlapping boxes."""
    generator = np.random.default_rng(seed)
    labels = np.zeros((height, width), np.int32)
    for _ in range(6):
        top, left = generator.integers(0, height), generator.integers(0, width)
        labels[top : top + 15, left : left + 13] = generator.integers(0, ids + 1)
    return labels


@given(seed=st.integers(0, 1000), width=st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_boundary_is_what_repeated_erosion_takes_away(seed, width):
    mask = blobs(seed) > 1
    eroded = binary_erosion(mask, np.ones((3, 3)), iterations=width, border_value=0)
    np.testing.assert_array_equal(boundary(mask, width), mask & ~eroded)


def test_boundaries_are_two_percent_of_the_diagonal_wide():
    assert boundary_width(360, 480) == 12
    assert boundary_width(731, 988) == 25
    assert boundary_width(4, 5) == 1
    mask = np.ones((360, 480), bool)
    assert np.count_nonzero(boundary(mask)) == 360 * 480 - (360 - 24) * (480 - 24)


def test_boundary_agrees_with_opencv():
    cv2 = pytest.importorskip("cv2")
    mask = np.zeros((360, 480), bool)
    mask[40:200, 0:150] = mask[300:, 400:] = mask[100:310, 120:230] = True
    width = boundary_width(*mask.shape)
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    eroded = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=width)[1:-1, 1:-1]
    np.testing.assert_array_equal(boundary(mask), mask & (eroded == 0))


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_iou_equals_counting_and_is_symmetric(seed):
    first, second = blobs(seed) == 1, blobs(seed + 1) == 1
    assert intersection_over_union(first, second) == iou_by_counting(first, second)
    assert boundary_iou(first, second) == boundary_iou(second, first)


def test_iou_of_two_empty_masks_is_one():
    empty = np.zeros((5, 5), bool)
    assert intersection_over_union(empty, empty) == 1
    assert boundary_iou(empty, empty) == 1


def click_protocol_written_out(train_predicted, train_truth, test_predicted, test_truth):
    """The protocol as it reads, without any sharing of work."""
    ious, edges, bests = [], [], []
    for truth_id in sorted({int(i) for view in test_truth for i in np.unique(view)} - {0}):
        held_out = [
            (p, t)
            for p, t in zip(test_predicted, test_truth, strict=True)
            if (t == truth_id).mean() >= 0.001
        ]
        if not held_out:
            continue
        largest, clicked = 0, 0
        for predicted, truth in zip(train_predicted, train_truth, strict=True):
            if (truth == truth_id).sum() > largest:
                largest = (truth == truth_id).sum()
                inside = predicted[truth == truth_id].tolist()
                clicked = max(sorted(set(inside)), key=inside.count)

        def mean_over_views(segment, measure, truth_id=truth_id, held_out=held_out):
            values = [measure(p == segment, t == truth_id) for p, t in held_out]
            return sum(values) / len(values)

        ious.append(mean_over_views(clicked, iou_by_counting) if clicked else 0.0)
        edges.append(mean_over_views(clicked, boundary_iou) if clicked else 0.0)
        candidates = {int(i) for p in test_predicted for i in np.unique(p)} - {0}
        bests.append(max((mean_over_views(c, iou_by_counting) for c in candidates), default=0))
    return np.mean(ious), np.mean(edges), np.mean(bests)


@given(seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_click_protocol_equals_the_written_out_one(seed):
    train = [blobs(seed + i) for i in range(3)]
    train_predicted = [np.roll(view, 2, 1) for view in train]
    test = [blobs(seed + 10 + i) for i in range(2)]
    test_predicted = [np.roll(view, 1, 0) for view in test]
    if not any(view.any() for view in test):
        return
    score = score_segmentation(train_predicted, train, test_predicted, test)
    expected = click_protocol_written_out(train_predicted, train, test_predicted, test)
    np.testing.assert_allclose(
        (score.mean_iou, score.mean_boundary_iou, score.best_mean_iou), expected, atol=1e-12
    )
    truth, predicted = np.ravel(test), np.ravel(test_predicted)
    assert score.rand_index == pytest.approx(
        adjusted_rand_score(truth[truth > 0], predicted[truth > 0])
    )
    assert score.rand_index_all == pytest.approx(adjusted_rand_score(truth, predicted))
    assert score.best_mean_iou >= score.mean_iou - 1e-12


def test_perfect_segments_with_other_ids_score_one():
    train, test = [blobs(3), blobs(4)], [blobs(5)]
    other = np.array([0, 40, 7, 900, 3])
    score = score_segmentation([other[v] for v in train], train, [other[v] for v in test], test)
    assert score.mean_iou == score.mean_boundary_iou == score.best_mean_iou == 1
    assert score.rand_index == score.rand_index_all == 1
    assert score.missing == 0


def test_an_object_without_a_segment_counts_zero_and_stays_in_the_mean():
    truth = np.zeros((40, 40), np.int32)
    truth[:10], truth[20:30] = 1, 2
    predicted = np.where(truth == 1, 5, 0)
    score = score_segmentation([predicted], [truth], [predicted], [truth])
    assert [entry.clicked_id for entry in score.objects] == [5, 0]
    assert score.mean_iou == 0.5
    assert score.missing == 1


def test_nothing_is_no_answer_even_if_a_few_pixels_have_one():
    truth = np.ones((10, 10), np.int32)
    predicted = np.zeros((10, 10), np.int32)
    predicted[:3] = 4
    assert clicked_segment(1, [predicted], [truth]) == 0
    assert clicked_segment(2, [predicted], [truth]) == 0
    predicted[:6] = 4
    assert clicked_segment(1, [predicted], [truth]) == 4


def test_views_that_hardly_show_an_object_do_not_count():
    large = np.zeros((100, 100), np.int32)
    large[:50] = 1
    tiny = np.zeros((100, 100), np.int32)
    tiny[0, :9] = 1
    found = np.where(large == 1, 3, 0)
    nothing = np.zeros_like(large)
    score = score_segmentation([found], [large], [found, nothing], [large, tiny])
    assert score.objects[0].views == 1
    assert score.mean_iou == 1
    tiny[0, :10] = 1
    assert score_segmentation([found], [large], [found, nothing], [large, tiny]).mean_iou == 0.5


def test_score_is_json_and_a_table():
    score = score_segmentation([blobs(1)], [blobs(1)], [blobs(1)], [blobs(1)])
    content = json.loads(json.dumps(score.as_dict()))
    assert content["mean_iou"] == 1
    assert len(content["objects"]) == len(score.objects)
    lines = score.table().splitlines()
    assert len(lines) == len(score.objects) + 3
    assert "1.000" in lines[1]


def test_maps_of_other_size_or_number_are_refused():
    with pytest.raises(ValueError, match="differ"):
        score_segmentation([blobs(1)], [blobs(1)[:-1]], [blobs(2)], [blobs(2)])
    with pytest.raises(ValueError, match="held-out"):
        score_segmentation([blobs(1)], [blobs(1)], [], [])


def test_signal_to_noise():
    photo = np.full((4, 4, 3), 0.5)
    assert peak_signal_to_noise(photo, photo) == math.inf
    assert peak_signal_to_noise(photo + 0.1, photo) == pytest.approx(20)
    assert peak_signal_to_noise(np.full((4, 4, 3), 3.0), np.ones((4, 4, 3))) == math.inf


def test_exact_labels_give_the_true_object_to_nearly_all_visible_gaussians(capture):
    observations = capture.exact_observations()
    labels = exact_labels(observations)
    votes = np.zeros((len(labels), 8))
    for observation in observations:
        for pixel in range(len(observation.labels)):
            begin, end = observation.blending.starts[pixel : pixel + 2]
            members = observation.blending.gaussians[begin:end]
            votes[members, observation.labels[pixel]] += observation.blending.weights[begin:end]
    np.testing.assert_array_equal(labels, votes.argmax(1))
    seen = votes.sum(1) > 2
    assert (labels[seen] == capture.truth[seen]).mean() > 0.9


def test_strongest_label_of_a_pixel_is_the_argmax_of_blended_one_hot_labels(capture):
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 9, len(capture.means)).astype(np.int32)
    for blending in capture.blending[:3]:
        dense = np.zeros((len(blending), 9))
        pixel = np.repeat(np.arange(len(blending)), np.diff(blending.starts))
        np.add.at(dense, (pixel, labels[blending.gaussians]), blending.weights)
        dense[:, 0] += np.maximum(1 - dense.sum(1), 0)
        shown = blending.strongest_labels(labels)
        margin = np.sort(dense, 1)[:, -1] - np.sort(dense, 1)[:, -2]
        clear = margin > 1e-5
        np.testing.assert_array_equal(shown[clear], dense.argmax(1)[clear])
        assert clear.mean() > 0.95


def test_nothing_counts_where_nobody_has_labelled():
    truth = np.zeros((20, 30), np.int32)
    truth[2:12, 2:12], truth[2:12, 15:25] = 1, 2
    found = np.where(truth > 0, truth + 4, 0)
    perfect = score_segmentation([found], [truth], [found], [truth])
    partly = truth.copy()
    partly[10:18] = IGNORED
    wrong = found.copy()
    wrong[10:18] = 5  # a segment that runs out of its object
    score = score_segmentation([found], [truth], [wrong], [partly])
    assert [one.truth_id for one in score.objects] == [1, 2]
    assert score.mean_iou == score.best_mean_iou == perfect.mean_iou == 1.0
    assert score.rand_index_all == pytest.approx(1.0)
