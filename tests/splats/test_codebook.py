# SPDX-License-Identifier: GPL-3.0-or-later
"""Few values stand for many, and none of the many is far from its own."""

from __future__ import annotations

import numpy as np
import pytest

from cgc_addon.splats import codebook as books
from cgc_addon.splats.codebook import codebook, nearest, palette


def test_numbers_are_nearer_than_even_steps_would_be(make_gaussians) -> None:
    values = np.random.default_rng(0).laplace(size=20_000)
    centres = codebook(values, 256)
    assert centres.shape == (256,)
    assert (np.diff(centres) >= 0).all()
    error = np.abs(centres[nearest(values, centres)] - values)
    step = (values.max() - values.min()) / 255
    assert np.sqrt((error**2).mean()) < 0.7 * step / np.sqrt(12)
    assert error.max() < 2 * step


def test_nearest_is_nearest() -> None:
    generator = np.random.default_rng(0)
    values, centres = generator.normal(size=(50, 3)), np.sort(generator.normal(size=16))
    chosen = nearest(values, centres)
    distances = np.abs(values[..., None] - centres)
    np.testing.assert_array_equal(chosen, distances.argmin(axis=-1))


@pytest.mark.parametrize("values", [np.zeros(7), np.array([3.0]), np.array([-24.0] * 9 + [1.0])])
def test_few_numbers_are_kept_as_they_are(values) -> None:
    centres = codebook(values, 256)
    np.testing.assert_array_equal(centres[nearest(values, centres)], values)


def test_what_fits_is_kept_as_it_is() -> None:
    vectors = np.random.default_rng(0).normal(size=(60, 9)).astype(np.float32)
    entries, index = palette(vectors[[*range(60), *range(60)]], 64)
    assert len(entries) == 60
    np.testing.assert_array_equal(entries[index], vectors[[*range(60), *range(60)]])


def test_a_palette_is_as_good_as_plain_k_means(monkeypatch) -> None:
    """The two steps cost a little; random entries would be far off."""
    generator = np.random.default_rng(0)
    vectors = (generator.normal(size=(3000, 4)) * [1, 1, 0.3, 0.1]).astype(np.float32)
    monkeypatch.setattr(books, "SAMPLE", 1000)
    entries, index = palette(vectors, 64)
    assert len(entries) <= 64
    assert index.min() >= 0
    assert index.max() < len(entries)
    error = ((entries[index] - vectors) ** 2).sum(axis=1).mean()
    plain = books._k_means(vectors, 64, generator)
    best = ((plain[:, None] - vectors) ** 2).sum(axis=2).min(axis=0).mean()
    drawn = vectors[generator.choice(3000, 64, replace=False)]
    random = ((drawn[:, None] - vectors) ** 2).sum(axis=2).min(axis=0).mean()
    assert error < 1.25 * best
    assert error < 0.8 * random


def test_equal_vectors_beside_many_others() -> None:
    vectors = np.zeros((500, 3), np.float32)
    vectors[:200] = np.random.default_rng(0).normal(size=(200, 3))
    entries, index = palette(vectors, 20)
    assert len(entries) <= 20
    assert np.isfinite(entries).all()
    assert len(index) == 500
