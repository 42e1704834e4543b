# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos of the same things are told from those of different ones by a few features of each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cgc_addon.reconstruction.colmap.child import overlap
from cgc_addon.reconstruction.colmap.child.overlap import FEWEST, LOOKED_AT, may_overlap
from cgc_addon.reconstruction.colmap.database import Features


def photo(seed: int) -> Features:
    """A photo of things of its own."""
    random = np.random.default_rng(seed)
    axes = 10.0 * np.exp(random.normal(0.0, 0.5, (LOOKED_AT, 1)))
    turns = random.uniform(-np.pi, np.pi, LOOKED_AT)
    axes = axes * np.column_stack([np.cos(turns), np.sin(turns)])
    return Features(
        total=FEWEST,
        places=random.uniform(0.0, 800.0, (LOOKED_AT, 2)).astype(np.float32),
        axes=axes.astype(np.float32),
        descriptors=descriptors(random, LOOKED_AT),
    )


def descriptors(random: np.random.Generator, count: int) -> np.ndarray:
    """Descriptors (count, 128) as COLMAP writes them: roots of histograms, of length 512."""
    histograms = random.gamma(0.5, size=(count, 128))
    roots = np.sqrt(histograms / histograms.sum(axis=1, keepdims=True))
    return np.round(512.0 * roots).clip(0, 255).astype(np.uint8)


def moved(seen: Features, chosen: np.ndarray, turn: float, scale: float, into: Features):
    """A photo `into` which some of the features of another are seen, turned and enlarged."""
    factor = scale * np.exp(1j * turn)
    places, axes = into.places.copy(), into.axes.copy()
    described = into.descriptors.copy()
    for there, here in ((places, seen.places - 400.0), (axes, seen.axes)):
        numbers = factor * (here[chosen, 0] + 1j * here[chosen, 1])
        there[chosen] = np.column_stack([numbers.real, numbers.imag])
    places[chosen] += 400.0
    described[chosen] = seen.descriptors[chosen]
    return replace(into, places=places, axes=axes, descriptors=described)


@pytest.mark.parametrize(("turn", "scale"), [(0.0, 1.0), (1.5, 1.0), (-3.0, 0.6), (0.3, 1.8)])
def test_a_handful_of_things_seen_again_is_enough(turn, scale):
    first, other = photo(0), photo(1)
    assert not may_overlap(first, other)
    chosen = np.arange(3, LOOKED_AT, 200)
    assert may_overlap(first, moved(first, chosen, turn, scale, other))


def test_likeness_alone_says_nothing():
    """Where windows of a house are all alike, features match, each as if seen from elsewhere."""
    first, other = photo(0), photo(1)
    chosen = np.arange(3, LOOKED_AT, 200)
    scattered = replace(other, descriptors=moved(first, chosen, 0.0, 1.0, other).descriptors)
    assert not may_overlap(first, scattered)


def test_who_agrees_is_told_from_all_sides():
    """The count for each match, written out one pair at a time."""
    random = np.random.default_rng(5)
    places, axes, there, other_axes = random.normal(size=(4, 30)) + 1j * random.normal(size=(4, 30))
    most = 0
    for i in range(30):
        factor = other_axes[i] / axes[i]
        count = 0
        for j in range(30):
            change = other_axes[j] / axes[j] / factor
            told = factor * (places[j] - places[i])
            count += (
                abs(np.angle(change)) < np.radians(30.0)
                and 0.5 < abs(change) < 2.0
                and abs(there[i] + told - there[j]) < 0.5 + 0.4 * abs(told)
            )
        most = max(most, count)
    assert most > 1
    assert overlap._largest_accord(places, axes, there, other_axes, 0.5) == most


def test_photos_with_few_features_are_compared_whatever_they_show():
    first, other = photo(0), photo(1)
    assert may_overlap(replace(first, total=FEWEST - 1), other)
    assert may_overlap(first, replace(other, total=FEWEST - 1))


def test_photos_whose_largest_features_match_nowhere_do_not_overlap():
    first = photo(0)
    blank = replace(first, descriptors=np.zeros_like(first.descriptors))
    assert not may_overlap(first, blank)
