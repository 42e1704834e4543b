# SPDX-License-Identifier: GPL-3.0-or-later
"""L_CC equals the formula written out pixel by pixel, and behaves where there is nothing to do."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cgc_addon.cgc.features.contrastive import (
    contrastive_loss,
    minimum_segment_pixels,
    released_contrastive_loss,
    temperatures,
)
from cgc_addon.cgc.settings import REDUCTIONS as CHOICES
from cgc_addon.choices import names

REDUCTIONS = names(CHOICES)


def written_out(features, labels, alpha, minimum_pixels, minimum_alpha=0.5):
    """Mean NLL and pixel count of each segment, with loops, straight from the formula."""
    chosen = {}
    for pixel in range(len(labels)):
        label = int(labels[pixel])
        if label > 0 and (alpha is None or float(alpha[pixel]) >= minimum_alpha):
            chosen.setdefault(label, []).append(features[pixel] / features[pixel].norm())
    chosen = {label: rows for label, rows in chosen.items() if len(rows) >= minimum_pixels}
    prototype, phi = {}, {}
    for label, rows in chosen.items():
        prototype[label] = sum(rows) / len(rows)
        spread = sum(float((row - prototype[label]).detach().norm()) for row in rows)
        value = spread / (len(rows) * math.log(len(rows) + 100))
        phi[label] = min(max(10 * value, 0.1), 1.0)
    means = {}
    for label, rows in chosen.items():
        total = 0
        for row in rows:
            terms = {s: torch.exp(torch.dot(row, prototype[s]) / phi[s]) for s in chosen}
            total = total - torch.log(terms[label] / sum(terms.values()))
        means[label] = total / len(rows)
    return means, {label: len(rows) for label, rows in chosen.items()}


def reduced(means, areas, reduction):
    power = {"mean": 0.0, "square-root": 0.5, "area-weighted": 1.0}[reduction]
    total = sum(areas[s] ** power for s in means)
    return sum(means[s] * areas[s] ** power / total for s in means)


def view(seed, pixels=120, segments=4, spread=0.6, dtype=torch.float64):
    """Random features scattered around one direction per segment; label 0 occurs too."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, segments + 1, (pixels,), generator=generator)
    centers = torch.randn(segments + 1, 16, generator=generator, dtype=torch.float64)
    noise = torch.randn(pixels, 16, generator=generator, dtype=torch.float64)
    lengths = 0.2 + torch.rand(pixels, 1, generator=generator, dtype=torch.float64)
    features = (centers[labels] + spread * noise) * lengths
    alpha = torch.rand(pixels, generator=generator, dtype=torch.float64)
    return features.to(dtype), labels, alpha.to(dtype)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("with_alpha", [False, True])
@pytest.mark.parametrize("spread", [0.02, 0.15, 0.6])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-4)])
def test_value_and_gradient_are_those_of_the_formula(
    reduction, with_alpha, spread, dtype, tolerance
):
    features, labels, alpha = view(3, pixels=70, spread=spread)
    exact = features.clone().requires_grad_()
    means, areas = written_out(exact, labels, alpha if with_alpha else None, 6)
    assert len(means) >= 2
    expected = reduced(means, areas, reduction)
    expected.backward()

    tested = features.to(dtype).requires_grad_()
    loss = contrastive_loss(
        tested,
        labels,
        alpha=alpha.to(dtype) if with_alpha else None,
        reduction=reduction,
        minimum_pixels=6,
    )
    loss.backward()
    assert loss.dtype == dtype
    torch.testing.assert_close(loss.double(), expected, rtol=tolerance, atol=tolerance)
    scale = float(exact.grad.abs().max())
    torch.testing.assert_close(
        tested.grad.double() / scale, exact.grad / scale, rtol=0, atol=tolerance * 10
    )


@pytest.mark.parametrize(
    ("reduction", "spread"), [("mean", 0.01), ("square-root", 4.0), ("area-weighted", 0.01)]
)
def test_gradient_agrees_with_finite_differences_where_temperatures_are_at_their_limits(
    reduction, spread
):
    features, labels, _ = view(5, pixels=15, segments=3, spread=spread)
    assert torch.autograd.gradcheck(
        lambda f: contrastive_loss(f, labels, reduction=reduction, minimum_pixels=2),
        features.requires_grad_(),
    )


def test_released_scale_is_the_mean_over_segments_of_sums():
    features, labels, _ = view(7)
    means, areas = written_out(features, labels, None, 8)
    expected = 1e-6 * sum(means[s] * areas[s] for s in means) / len(means)
    tested = released_contrastive_loss(features, labels, minimum_pixels=8)
    torch.testing.assert_close(tested, expected)


def test_temperature_is_limited_and_falls_with_size():
    values = temperatures(
        torch.tensor([0.0, 0.2, 0.2, 1.0]), torch.tensor([10_000.0, 10_000.0, 1e6, 10.0])
    )
    assert values[0] == pytest.approx(0.1)
    assert values[1] == pytest.approx(2 / math.log(10_100))
    assert values[2] < values[1]
    assert values[3] == pytest.approx(1.0)


@given(seed=st.integers(0, 10_000), reduction=st.sampled_from(REDUCTIONS))
@settings(max_examples=30, deadline=None)
def test_other_ids_other_order_and_other_lengths_change_nothing(seed, reduction):
    features, labels, alpha = view(seed, pixels=80)
    loss = contrastive_loss(features, labels, alpha=alpha, reduction=reduction, minimum_pixels=2)
    if loss is None:
        return
    generator = torch.Generator().manual_seed(seed + 1)
    other_ids = torch.cat([torch.zeros(1, dtype=torch.int64), torch.randperm(4) + 60_000])
    order = torch.randperm(len(labels), generator=generator)
    lengths = 0.1 + torch.rand(len(labels), 1, generator=generator, dtype=torch.float64) * 9
    changed = contrastive_loss(
        (features * lengths)[order],
        other_ids[labels][order],
        alpha=alpha[order],
        reduction=reduction,
        minimum_pixels=2,
    )
    torch.testing.assert_close(changed, loss)


@given(seed=st.integers(0, 10_000), reduction=st.sampled_from(REDUCTIONS))
@settings(max_examples=30, deadline=None)
def test_turning_all_features_changes_nothing_and_the_loss_is_positive(seed, reduction):
    features, labels, _ = view(seed, pixels=80)
    rotation, _ = torch.linalg.qr(torch.randn(16, 16, dtype=torch.float64))
    loss = contrastive_loss(features, labels, reduction=reduction, minimum_pixels=2)
    turned = contrastive_loss(features @ rotation, labels, reduction=reduction, minimum_pixels=2)
    assert loss > 0
    torch.testing.assert_close(turned, loss)


def test_a_pixel_that_stands_for_three_counts_like_three_equal_pixels():
    features, labels, _ = view(11, pixels=60)
    for reduction in REDUCTIONS:
        thrice = contrastive_loss(
            features.repeat(3, 1), labels.repeat(3), reduction=reduction, minimum_pixels=10
        )
        weighted = contrastive_loss(
            features,
            labels,
            pixel_areas=torch.full((60,), 3.0),
            reduction=reduction,
            minimum_pixels=10,
        )
        torch.testing.assert_close(weighted, thrice)


def test_unlabelled_uncovered_and_small_parts_get_no_gradient():
    features, labels, alpha = view(13, pixels=200, segments=3)
    labels[:5] = 9
    features.requires_grad_()
    contrastive_loss(features, labels, alpha=alpha, minimum_pixels=6).backward()
    silent = (labels == 0) | (labels == 9) | (alpha < 0.5)
    assert bool((features.grad[silent] == 0).all())
    assert bool((features.grad[~silent].abs().sum(1) > 0).all())


def test_pixels_that_render_nothing_are_left_out():
    features, labels, _ = view(17, pixels=60)
    empty = torch.cat([features, torch.zeros(20, 16, dtype=torch.float64)]).requires_grad_()
    more = torch.cat([labels, torch.randint(1, 5, (20,))])
    loss = contrastive_loss(empty, more, minimum_pixels=2)
    loss.backward()
    torch.testing.assert_close(loss, contrastive_loss(features, labels, minimum_pixels=2))
    assert bool(torch.isfinite(empty.grad).all())


@pytest.mark.parametrize("labels", [[], [0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 2], [0, 5, 5, 5]])
def test_fewer_than_two_usable_segments_give_none(labels):
    features = torch.randn(len(labels), 16)
    assert contrastive_loss(features, torch.tensor(labels).long(), minimum_pixels=2) is None


def test_nothing_covered_gives_none():
    features, labels, _ = view(19)
    assert contrastive_loss(features, labels, alpha=torch.zeros(120), minimum_pixels=2) is None


def test_separating_the_segments_lowers_the_loss():
    loose, labels, _ = view(23, spread=2.0)
    tight, _, _ = view(23, spread=0.05)
    for reduction in REDUCTIONS:
        assert contrastive_loss(
            tight, labels, reduction=reduction, minimum_pixels=2
        ) < contrastive_loss(loose, labels, reduction=reduction, minimum_pixels=2)


def test_unknown_reduction_is_refused():
    with pytest.raises(ValueError, match="area-weighted"):
        contrastive_loss(torch.zeros(1, 16), torch.zeros(1).long(), reduction="sum")


@pytest.mark.parametrize(("size", "expected"), [((988, 731), 100), ((480, 360), 24), ((8, 8), 2)])
def test_minimum_pixels_follow_the_resolution(size, expected):
    assert minimum_segment_pixels(*size) == expected
