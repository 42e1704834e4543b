# SPDX-License-Identifier: GPL-3.0-or-later
"""Votes gathered by mask are sums over pixels, and go to segments by what masks show of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgc_addon.cgc.mask_votes import mask_votes, segment_votes
from cgc_addon.cgc.observations import Observation
from cgc_addon.rasterize.blending import BlendingMatrix


def random_view(
    generator: np.random.Generator, pixels: int, gaussians: int, labels: int
) -> tuple[Observation, np.ndarray]:
    """Return an observation, and its blending weights (P, N) as a dense table."""
    table = generator.random((pixels, gaussians)) * (generator.random((pixels, gaussians)) < 0.3)
    table = table.astype(np.float32)
    pixel, gaussian = np.nonzero(table)
    starts = np.searchsorted(pixel, np.arange(pixels + 1))
    blending = BlendingMatrix(
        starts.astype(np.int64), gaussian.astype(np.int32), table[pixel, gaussian], gaussians
    )
    return Observation(blending, generator.integers(0, labels, pixels).astype(np.int32), 2.5), table


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 20), st.integers(1, 5), st.booleans()
)
def test_they_are_sums_over_the_pixels_that_count(seed, pixels, gaussians, labels, chosen):
    generator = np.random.default_rng(seed)
    observation, table = random_view(generator, pixels, gaussians, labels)
    counts = generator.random(pixels) < 0.5 if chosen else observation.labels > 0
    found = mask_votes(observation, counts=counts if chosen else None)
    np.testing.assert_array_equal(found.masks, np.unique(observation.labels[counts]))
    np.testing.assert_array_equal(found.masks[found.mask], observation.labels[counts])
    expected = [2.5 * table[counts & (observation.labels == mask)].sum(0) for mask in found.masks]
    assert found.votes.shape == (len(found.masks), gaussians)
    np.testing.assert_allclose(
        found.votes.toarray(), np.reshape(expected, found.votes.shape), rtol=1e-5
    )


def test_other_labels_may_take_the_place_of_those_of_the_view():
    observation, table = random_view(np.random.default_rng(0), 12, 5, 4)
    found = mask_votes(observation, np.repeat([7, 0], 6))
    assert found.masks.tolist() == [7]
    np.testing.assert_allclose(found.votes.toarray()[0], 2.5 * table[:6].sum(0), rtol=1e-5)


@pytest.mark.parametrize("table_size", [1, 7, 1_000_000])
def test_segments_get_what_their_masks_have_in_blocks_of_any_size(table_size, monkeypatch):
    monkeypatch.setattr("cgc_addon.cgc.mask_votes._TABLE_SIZE", table_size)
    generator = np.random.default_rng(3)
    views = []
    for _ in range(4):
        found = mask_votes(random_view(generator, 20, 11, 4)[0])
        table = generator.random((len(found.masks), 3)).astype(np.float32)
        table[:, 1] = 0
        views.append((found, table))
    cast = np.array([found.votes.toarray().T @ table for found, table in views])
    minimum = float(np.median(cast[cast > 0]))
    blocks = list(segment_votes(views, 11, 3, minimum))
    assert [block.first for block in blocks] == np.cumsum(
        [0, *(len(block.votes) for block in blocks[:-1])]
    ).tolist()
    np.testing.assert_allclose(
        np.concatenate([block.votes for block in blocks]), cast.sum(0), rtol=1e-5
    )
    np.testing.assert_array_equal(
        np.concatenate([block.views for block in blocks]), (cast >= minimum).sum(0)
    )


def test_without_views_nobody_votes():
    (block,) = segment_votes([], 5, 3)
    assert block.votes.shape == (5, 3)
    assert not block.votes.any()
