# SPDX-License-Identifier: GPL-3.0-or-later
"""The spatial losses equal the formula over neighbours found the slow way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cgc_addon.cgc.features import spatial
from cgc_addon.cgc.features.neighbours import nearest_neighbours
from cgc_addon.cgc.features.spatial import (
    combined,
    released_spatial_loss,
    similarity_terms,
    spatial_loss,
)


def cosine(a, b):
    return float(a @ b / (a.norm() * b.norm()))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def scene(count=40, seed=0):
    generator = torch.Generator().manual_seed(seed)
    means = torch.randn(count, 3, generator=generator, dtype=torch.float64)
    features = torch.randn(count, 16, generator=generator, dtype=torch.float64)
    return features, means


def released_written_out(features, means):
    """All points are anchors; the nearest 2 include the point itself, the farthest are 5."""
    near, far = [], []
    for i in range(len(means)):
        distances = [float((means[i] - means[j]).norm()) for j in range(len(means))]
        order = sorted(range(len(means)), key=distances.__getitem__)
        near += [cosine(features[i], features[j]) for j in order[:2]]
        far += [cosine(features[i], features[j]) for j in order[-5:]]
    return 0.05 * sigmoid(1 - np.mean(near)) + 0.15 * sigmoid(np.mean(far))


@pytest.mark.parametrize("pairs_at_once", [16_000_000, 60])
def test_released_form_with_all_points_as_anchors(pairs_at_once, monkeypatch):
    monkeypatch.setattr(spatial, "_PAIRS_AT_ONCE", pairs_at_once)
    features, means = scene()
    loss = released_spatial_loss(features, means, torch.Generator().manual_seed(1))
    assert float(loss) == pytest.approx(released_written_out(features, means), rel=1e-9)


def test_released_form_takes_a_subset_of_many_points():
    features, means = scene()
    generator = torch.Generator().manual_seed(3)
    loss = released_spatial_loss(features, means, generator, maximum_points=12)
    kept = torch.randperm(40, generator=torch.Generator().manual_seed(3))[:12]
    assert float(loss) == pytest.approx(released_written_out(features[kept], means[kept]))


def test_true_neighbours_form_never_counts_the_point_itself():
    features, means = scene()
    neighbours = torch.from_numpy(nearest_neighbours(means.numpy(), 1))
    anchors = torch.arange(40)
    expected = np.mean([cosine(features[i], features[int(neighbours[i, 0])]) for i in range(40)])
    near, _ = similarity_terms(features, anchors, neighbours, neighbours)
    assert float(near) == pytest.approx(expected)
    loss = spatial_loss(
        features, means, neighbours, torch.Generator().manual_seed(0), far_weight=0.0
    )
    assert float(loss) == pytest.approx(0.05 * sigmoid(1 - expected))


def test_distant_gaussians_are_the_farther_half_of_those_drawn():
    # A pair of far clusters with opposite features: what is drawn as far is in the other one.
    means = torch.cat([torch.zeros(50, 3), torch.full((50, 3), 100.0)])
    features = torch.cat([torch.ones(50, 16), -torch.ones(50, 16)])
    neighbours = torch.from_numpy(nearest_neighbours(means.numpy() + np.arange(100)[:, None], 2))
    generator = torch.Generator().manual_seed(0)
    loss = spatial_loss(features, means, neighbours, generator, far=8, near_weight=0.0)
    at_random = 0.15 * sigmoid(0.0)
    assert float(loss) < 0.7 * at_random + 0.3 * 0.15 * sigmoid(-1.0)


@pytest.mark.parametrize("form", ["released", "true"])
def test_gradient_reaches_features_alone_and_agrees_with_finite_differences(form):
    features, means = scene(12)
    neighbours = torch.from_numpy(nearest_neighbours(means.numpy(), 3))

    def loss(f, m):
        generator = torch.Generator().manual_seed(5)
        if form == "released":
            return released_spatial_loss(f, m, generator)
        return spatial_loss(f, m, neighbours, generator)

    assert torch.autograd.gradcheck(lambda f: loss(f, means), features.clone().requires_grad_())
    means.requires_grad_()
    loss(features.requires_grad_(), means).backward()
    assert means.grad is None


def test_alike_neighbours_lower_the_loss_and_alike_strangers_raise_it():
    one = torch.tensor(1.0)
    assert combined(one, -one) < combined(one, one)
    assert combined(one, one) < combined(-one, one)


@given(count=st.integers(1, 60), k=st.integers(1, 8), copies=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_neighbours_equal_brute_force_even_among_duplicates(count, k, copies):
    generator = np.random.default_rng(count * 100 + k)
    means = np.repeat(generator.standard_normal((count, 3)), copies, axis=0)
    found = nearest_neighbours(means, k)
    assert found.shape == (len(means), min(k, len(means) - 1))
    distances = np.linalg.norm(means[:, None] - means[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    for i, row in enumerate(found):
        assert i not in row
        assert len(set(row)) == len(row)
        np.testing.assert_allclose(distances[i, row], np.sort(distances[i])[: len(row)], atol=1e-12)


def test_gradients_repeat_bit_for_bit():
    """Also where threads share the work, so that a resumed run ends like an undisturbed one."""
    draws = torch.Generator().manual_seed(0)
    features = torch.randn(2_000, 16, generator=draws).requires_grad_()
    anchors = torch.randint(50, (1_000,), generator=draws)
    near = torch.randint(50, (1_000, 5), generator=draws)

    def gradient():
        terms = similarity_terms(features, anchors, near, near + 50)
        return torch.autograd.grad(combined(*terms), features)[0]

    first = gradient()
    assert all(torch.equal(gradient(), first) for _ in range(20))
