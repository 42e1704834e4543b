# SPDX-License-Identifier: GPL-3.0-or-later
"""With label maps of objects and of their parts, one training gives a tree of both."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from cgc_addon.cgc.features.training import random_start, train_features
from cgc_addon.cgc.observations import Observation, at_every_level
from cgc_addon.cgc.segmentation import Segmentation, _voted, after_refinement, find_segments
from cgc_addon.cgc.settings import FrozenFeatureSettings
from cgc_addon.progress import never, silent

from .conftest import CENTERS, PLATE, Capture, label_map

PARTS, OBJECTS = 0.2, 0.5


def halves(capture: Capture) -> np.ndarray:
    """Return the part (N,) of each Gaussian: balls have an upper and a lower half."""
    ball = capture.truth < PLATE
    center = np.zeros(len(capture.means))
    center[ball] = CENTERS[capture.truth[ball] - 1, 2]
    return 2 * capture.truth - (ball & (capture.means[:, 2] > center))


def with_parts(capture: Capture, seed: int = 0) -> list[Observation]:
    """Return masks of both levels; no id agrees between views."""
    generator = np.random.default_rng(seed)
    parts = halves(capture)
    return [
        replace(
            observation,
            parts=generator.permutation(np.arange(1, 20))[label_map(observation.blending, parts)]
            .reshape(-1)
            .astype(np.int32)
            * (observation.labels > 0),
        )
        for observation in capture.observations(seed=seed)
    ]


def segmented(capture: Capture, observations: list[Observation]) -> Segmentation:
    settings = FrozenFeatureSettings(steps=300, pixels_per_step=600)
    start = random_start(len(capture.means), settings.initial_scale)
    features = train_features(at_every_level(observations), start, settings, minimum_pixels=4)
    return find_segments(observations, capture.means, features)


@pytest.fixture(scope="module")
def found(capture) -> Segmentation:
    return segmented(capture, with_parts(capture))


def agreement(labels: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean over true things of the IoU with the segment that fits best."""
    ious = []
    for thing in np.unique(truth):
        inside = truth == thing
        ious.append(
            max(
                (inside & (labels == segment)).sum() / (inside | (labels == segment)).sum()
                for segment in np.unique(labels[inside])
            )
        )
    return float(np.mean(ious))


def test_one_end_of_the_slider_has_parts_and_the_middle_has_objects(capture, found) -> None:
    balls = capture.truth < PLATE
    fine, coarse = found.labels(PARTS), found.labels(OBJECTS)
    assert agreement(coarse[balls], capture.truth[balls]) > 0.9
    # A whole ball has 0.5 of each of its halves.
    assert agreement(fine[balls], halves(capture)[balls]) > 0.65
    assert agreement(fine[balls], capture.truth[balls]) < 0.75


def test_every_segment_lies_within_one_of_a_coarser_cut(found) -> None:
    cuts = [found.labels(granularity, 1) for granularity in np.linspace(0, 1, 21)]
    for fine, coarse in itertools.pairwise(cuts):
        for segment in np.unique(fine[fine > 0]):
            assert len(np.unique(coarse[fine == segment])) == 1


def test_without_maps_of_parts_objects_stay_whole_at_the_same_place(capture) -> None:
    balls = capture.truth < PLATE
    found = segmented(capture, capture.observations())
    assert agreement(found.labels(PARTS)[balls], capture.truth[balls]) > 0.9


def test_what_hardly_any_mask_covers_belongs_to_nothing(capture, found) -> None:
    """Whatever its feature looks like and the masks around it say: it is surroundings."""
    balls = capture.truth < PLATE
    confidence = np.where(np.arange(len(balls)) % 2 == 0, 0.09, 0.11).astype(np.float32)
    doubtful = replace(found, lifted=replace(found.lifted, confidence=confidence))
    unmoved = np.arange(len(capture.means))
    moved = after_refinement(doubtful, with_parts(capture), found.lifted.features, unmoved)
    assert (moved.labels(OBJECTS, 1)[balls] > 0).mean() > 0.9  # masks of all views cover them

    voted = _voted(doubtful, with_parts(capture), silent, never).labels(OBJECTS, 1)
    assert (voted[balls & (confidence < 0.1)] == 0).all()
    assert (voted[balls & (confidence > 0.1)] > 0).mean() > 0.9
