# SPDX-License-Identifier: GPL-3.0-or-later
"""Straddling Gaussians are found and halved; the loss asks for pixels of one segment."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cgc_addon.cgc.edges import (
    UNKNOWN,
    edge_loss,
    segment_codes,
    segment_targets,
    split_gaussians,
    straddling_gaussians,
    targets_by_answers,
    touching_pixels,
)
from cgc_addon.cgc.observations import AnsweredView
from cgc_addon.dataset.mask_answers import pack_masks
from cgc_addon.splats.gaussians import Gaussians


def test_a_mask_stands_for_the_segment_most_of_it_shows():
    shown = np.array([[1, 1, 1, 2], [2, 2, 1, 1], [0, 0, 0, 3]], np.int32)
    masks = np.array([[9, 9, 9, 9], [5, 5, 5, 5], [4, 4, 4, 0]], np.int32)
    expected = [[1, 1, 1, 1], [UNKNOWN] * 4, [0, 0, 0, UNKNOWN]]
    assert segment_targets(shown, masks).tolist() == expected


def berry_on_a_plate():
    """Return what is shown of a plate, 1, and a berry, 2, their one mask, and a mask of either."""
    shown = np.ones((10, 10), np.int32)
    shown[4:7, 4:7] = 2
    shown[:, 9] = 0
    masks = np.full((10, 10), 7, np.int32)
    masks[9] = 0
    berry = np.zeros((10, 10), bool)
    berry[4:7, 4:8] = True
    return shown, masks, masks > 0, berry


def answered(*answers):
    cells = np.arange(100, dtype=np.int32).reshape(10, 10)
    scores = np.ones(len(answers))
    return AnsweredView(pack_masks(np.stack(answers), scores, scores), lambda: cells)


def test_answers_keep_what_is_small_on_what_a_mask_stands_for():
    shown, masks, plate, berry = berry_on_a_plate()
    assert not (segment_targets(shown, masks) == 2).any()
    found = targets_by_answers(shown, masks, answered(plate, berry))
    expected = np.where(berry, 2, np.where(plate, 1, UNKNOWN))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("plate_is_answered", [True, False])
def test_what_no_answer_shows_is_not_given_to_what_it_lies_on(plate_is_answered):
    shown, masks, plate, _ = berry_on_a_plate()
    elsewhere = np.zeros((10, 10), bool)
    elsewhere[9] = True
    found = targets_by_answers(shown, masks, answered(plate if plate_is_answered else elsewhere))
    expected = np.where((shown == 2) | (masks == 0), UNKNOWN, 1)
    np.testing.assert_array_equal(found, expected)


def test_straddling_gaussians_are_those_with_mixed_pixels(capture):
    observations = capture.exact_observations()
    found = straddling_gaussians(observations, capture.truth, minimum_weight=5.0)
    votes = np.zeros((len(capture.truth), 7))
    for observation in observations:
        starts = observation.blending.starts
        for pixel, label in enumerate(observation.labels):
            members = slice(starts[pixel], starts[pixel + 1])
            if label > 0:
                votes[observation.blending.gaussians[members], label] += (
                    observation.blending.weights[members]
                )
    total = votes.sum(1)
    expected = np.nonzero((total >= 5) & (votes.max(1) < 0.8 * total))[0]
    np.testing.assert_array_equal(np.sort(found), expected)
    others = (total - votes.max(1))[found]
    assert np.all(np.diff(others) <= 1e-4)  # the worst first
    assert 5 < len(found) < len(total) / 2


def some_gaussians(count=6, seed=0):
    generator = np.random.default_rng(seed)

    def draw(*shape):
        return generator.standard_normal((count, *shape)).astype(np.float32)

    return Gaussians(
        draw(3), draw(3), draw(4), draw(), draw(4, 3), draw(16), np.arange(count, dtype=np.int32)
    )


def covariance(gaussians, index):
    w, x, y, z = gaussians.quats[index].astype(float) / np.linalg.norm(gaussians.quats[index])
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    scales = np.exp(gaussians.log_scales[index].astype(float))
    return rotation @ np.diag(scales**2) @ rotation.T


def test_halves_lie_along_the_longest_axis_around_the_old_centre():
    old = some_gaussians()
    new = split_gaussians(old, np.array([1, 4]))
    assert len(new) == 8
    for first, second in ((1, 6), (4, 7)):
        np.testing.assert_allclose(
            (new.means[first] + new.means[second]) / 2, old.means[first], atol=1e-5
        )
        apart = (new.means[first] - new.means[second]).astype(float)
        spread = covariance(old, first)
        longest = np.linalg.eigh(spread)[1][:, -1]
        largest = np.exp(old.log_scales[first].max())
        assert np.linalg.norm(apart) == pytest.approx(largest, rel=1e-4)
        assert abs(apart @ longest) == pytest.approx(np.linalg.norm(apart), rel=1e-4)
        ratio = spread.trace() - covariance(new, first).trace()
        assert ratio == pytest.approx(largest**2 * (1 - 1 / 1.7**2), rel=1e-4)
        np.testing.assert_allclose(covariance(new, first), covariance(new, second), rtol=1e-6)
    kept = [0, 2, 3, 5]
    for name in ("means", "log_scales", "quats", "logit_opacities", "sh", "features", "segments"):
        values = getattr(new, name)
        np.testing.assert_array_equal(values[kept], getattr(old, name)[kept])
        assert values.dtype == getattr(old, name).dtype
        if name not in {"means", "log_scales"}:
            np.testing.assert_array_equal(values[6:], getattr(old, name)[[1, 4]])
    assert len(split_gaussians(old, np.zeros(0, np.int64))) == 6


def test_codes_are_one_channel_a_segment_while_there_are_enough():
    channels = segment_codes(np.ones((8, 8), np.int64)).argmax(dim=1).tolist()
    assert channels[0] == 0
    assert sorted(channels) == list(range(8))


def test_segments_that_touch_do_not_share_a_channel():
    # A ring of forty segments: each touches two others, and none.
    ring = np.roll(np.eye(41, dtype=np.int64), 1, axis=1)
    codes = segment_codes(ring + ring.T + 1000 * np.eye(41, dtype=np.int64))
    assert codes.shape == (41, 8)
    np.testing.assert_array_equal(codes.sum(dim=1), np.ones(41))
    assert codes[:, 0].sum() == 1
    assert codes[:, 1:].sum(dim=0).min() >= 4
    both = (codes @ codes.T).numpy().astype(bool) & ~np.eye(41, dtype=bool)
    assert not (both & (ring + ring.T > 0)).any()


def test_where_all_touch_those_share_that_touch_least():
    touching = np.full((10, 10), 100)
    touching[4, 7] = touching[7, 4] = touching[2, 9] = touching[9, 2] = 1
    codes = segment_codes(touching)
    shared = np.argwhere(np.triu((codes @ codes.T).numpy(), 1))
    assert shared.tolist() == [[2, 9], [4, 7]]


def test_touching_pixels_are_counted_in_both_directions():
    shown = np.array([[1, 1, 2], [1, 0, 2]], np.int32)
    assert touching_pixels(shown, 2).tolist() == [[0, 2, 1], [2, 4, 1], [1, 1, 2]]


def test_loss_is_the_missing_share_of_the_target():
    rendered = torch.tensor([[0.1, 0.7, 0.2], [0.5, 0.5, 0], [0, 0, 0.2]], dtype=torch.float64)
    targets = torch.tensor([1, UNKNOWN, 2])
    codes = torch.eye(3, dtype=torch.float64)
    assert float(edge_loss(rendered, targets, codes)) == pytest.approx((0.3 + 0.8) / 3)
    assert float(edge_loss(rendered, torch.full((3,), UNKNOWN), codes)) == 0
    assert torch.autograd.gradcheck(
        lambda r: edge_loss(r, targets, codes), rendered.requires_grad_()
    )
