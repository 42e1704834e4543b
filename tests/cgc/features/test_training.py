# SPDX-License-Identifier: GPL-3.0-or-later
"""Learning pulls objects apart, draws pixels fairly, repeats bit for bit, and stops when asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from cgc_addon.cgc.exact_labels import exact_labels
from cgc_addon.cgc.features.contrastive import contrastive_loss
from cgc_addon.cgc.features.lift import lift_features
from cgc_addon.cgc.features.spectral import spectral_signatures, votes_for_masks
from cgc_addon.cgc.features.training import (
    FeatureTrainer,
    StratifiedPixels,
    even_shares,
    random_start,
    train_features,
)
from cgc_addon.cgc.observations import Observation
from cgc_addon.cgc.segmentation import find_segments
from cgc_addon.cgc.settings import REDUCTIONS, FrozenFeatureSettings
from cgc_addon.choices import names
from cgc_addon.errors import Interrupted
from cgc_addon.rasterize.blending import BlendingMatrix

QUICK = FrozenFeatureSettings(steps=120, pixels_per_step=400)


def dense(blending):
    matrix = np.zeros((len(blending), blending.count))
    pixel = np.repeat(np.arange(len(blending)), np.diff(blending.starts))
    matrix[pixel, blending.gaussians] = blending.weights
    return matrix


def learned(observations, settings=QUICK, **more):
    start = some_start(observations[0].blending.count, more.get("seed", 0))
    return train_features(observations, start, settings, **{"minimum_pixels": 5, **more})


def some_start(count, seed=0):
    return random_start(count, QUICK.initial_scale, seed)


def agreement_with_truth(capture, labels):
    """Adjusted Rand index over Gaussians that are plainly seen."""
    exact = exact_labels(capture.exact_observations())
    seen = (exact == capture.truth) & (exact > 0)
    return adjusted_rand_score(capture.truth[seen], labels[seen])


@pytest.mark.parametrize("reduction", names(REDUCTIONS))
def test_objects_are_found_from_masks_with_other_ids_in_every_view(capture, reduction):
    observations = capture.observations(mess=0.15)
    settings = FrozenFeatureSettings(steps=150, pixels_per_step=400, reduction=reduction)
    features = learned(observations, settings)
    found = find_segments(observations, capture.means, features)
    labels = found.labels()
    assert agreement_with_truth(capture, labels) > 0.85
    assert len(found.segments(labels)) == labels.max()
    finest = found.labels(granularity=0)
    assert finest.max() >= labels.max() >= found.labels(granularity=1).max()


@pytest.mark.parametrize("spatial", ["true-neighbours", "released"])
def test_spatial_losses_take_part(capture, spatial):
    observations = capture.observations()
    settings = FrozenFeatureSettings(steps=20, pixels_per_step=300, spatial=spatial)
    terms = []
    features = learned(
        observations,
        settings,
        means=capture.means,
        report=lambda progress: terms.append(progress.numbers.get("spatial")),
    )
    assert any(term is not None and 0.05 < term < 0.2 for term in terms)
    assert not np.array_equal(features, learned(observations, replace(settings, spatial="off")))
    with pytest.raises(ValueError, match="means"):
        learned(observations, settings)


def test_training_lowers_the_loss_of_whole_views(capture):
    observations = capture.observations()

    def loss(features):
        total = 0.0
        for observation in observations:
            rendered = torch.from_numpy(dense(observation.blending) @ features)
            total += float(
                contrastive_loss(
                    rendered,
                    torch.from_numpy(observation.labels),
                    alpha=torch.from_numpy(observation.coverage()),
                    reduction="area-weighted",
                    minimum_pixels=5,
                )
            )
        return total / len(observations)

    assert loss(learned(observations)) < 0.25 * loss(some_start(len(capture.means)))


def test_the_same_seed_gives_the_same_features_and_another_one_others(capture):
    observations = capture.observations()
    settings = FrozenFeatureSettings(steps=15, pixels_per_step=300)
    first, second = learned(observations, settings), learned(observations, settings)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, learned(observations, settings, seed=1))


def test_the_start_is_left_alone_and_kept_where_there_is_nothing_to_learn(capture):
    observations = capture.observations()
    start = some_start(len(capture.means))
    before = start.copy()
    unlabelled = [
        Observation(one.blending, np.minimum(one.labels, 1).astype(np.int32))
        for one in observations
    ]
    np.testing.assert_array_equal(train_features(unlabelled, start, QUICK), start)
    train_features(observations, start, FrozenFeatureSettings(steps=2))
    np.testing.assert_array_equal(start, before)


def test_steps_are_reported_and_it_stops_when_asked(capture):
    observations = capture.observations()
    seen, previews = [], []

    def on_step(step, features):
        previews.append((step, tuple(features.shape)))

    with pytest.raises(Interrupted):
        learned(
            observations,
            report=seen.append,
            on_step=on_step,
            should_stop=lambda: len(previews) == 5,
        )
    assert previews[-1] == (5, (len(capture.means), 16))
    assert [progress.done for progress in seen] == [0, 1, 2, 3, 4]
    assert seen[-1].total == QUICK.steps
    assert seen[-1].numbers["contrastive"] > 0


@given(counts=st.lists(st.integers(1, 50), min_size=1, max_size=12), budget=st.integers(1, 300))
@settings(max_examples=200, deadline=None)
def test_shares_are_even_and_spend_the_budget(counts, budget):
    limits = np.array(counts, np.int64)
    shares = even_shares(limits, budget)
    assert (shares >= 1).all()
    assert (shares <= limits).all()
    if limits.sum() <= budget:
        np.testing.assert_array_equal(shares, limits)
    else:
        cut = shares < limits
        assert len(np.unique(shares[cut])) <= 1
        assert (shares[~cut] <= max(shares[cut], default=1)).all()
        assert shares.sum() <= max(budget, len(limits))
        assert shares.sum() > budget - len(limits)


def test_drawn_pixels_are_different_usable_and_stand_for_their_mask(capture):
    observation = capture.observations()[0]
    generator = np.random.default_rng(0)
    view = StratifiedPixels(observation, 5, 0.5)
    view.shuffle(generator)
    for budget in (60, 400, 10_000):
        pixels, areas = view.draw(budget, generator)
        labels = observation.labels[pixels]
        assert len(np.unique(pixels)) == len(pixels)
        assert (labels > 0).all()
        assert (observation.coverage()[pixels] >= 0.5).all()
        usable = observation.labels[observation.coverage() >= 0.5]
        for label in np.unique(labels):
            assert areas[labels == label].sum() == pytest.approx((usable == label).sum(), rel=1e-5)


def test_every_usable_pixel_is_drawn_sooner_or_later(capture):
    generator = np.random.default_rng(0)
    view = StratifiedPixels(capture.observations()[0], 5, 0.5)
    view.shuffle(generator)
    drawn = np.concatenate([view.draw(100, generator)[0] for _ in range(300)])
    assert set(drawn.tolist()) == set(view.pixels.tolist())


def test_coverage_is_the_sum_of_weights_also_of_empty_pixels():
    blending = BlendingMatrix(
        np.array([0, 2, 2, 3, 3]), np.array([0, 1, 1], np.int32), np.float32([0.5, 0.25, 0.5]), 2
    )
    coverage = Observation(blending, np.zeros(4, np.int32)).coverage()
    np.testing.assert_allclose(coverage, [0.75, 0, 0.5, 0])


def test_lifting_is_the_weighted_mean_of_rendered_directions(capture):
    observations = capture.observations()[:3]
    observations[1].labels[: len(observations[1].labels) // 2] = 0
    features = some_start(len(capture.means))
    lifted = lift_features(observations, features)
    sums, weights = np.zeros(features.shape), np.zeros(len(features))
    for observation in observations:
        matrix = dense(observation.blending)
        for pixel in range(len(matrix)):
            weights += matrix[pixel]
            if observation.labels[pixel] > 0 and matrix[pixel].sum() >= 0.5:
                rendered = matrix[pixel] @ features
                sums += matrix[pixel][:, None] * rendered / np.linalg.norm(rendered)
    lengths = np.linalg.norm(sums, axis=1)
    seen = lengths > 0
    np.testing.assert_allclose(
        lifted.features[seen], (sums / np.maximum(lengths, 1e-9)[:, None])[seen], atol=1e-4
    )
    assert not lifted.features[~seen].any()
    np.testing.assert_allclose(lifted.weights, weights, rtol=1e-5)
    np.testing.assert_allclose(
        lifted.confidence[seen], (lengths / np.maximum(weights, 1e-9))[seen], atol=1e-4
    )


def test_lifting_trusts_gaussians_seen_in_one_object_alone(capture):
    observations = capture.observations()
    lifted = lift_features(observations, learned(observations))
    exact = exact_labels(capture.exact_observations())
    shares = np.zeros((len(exact), 7))
    for observation in capture.exact_observations():
        weights = dense(observation.blending)
        for label in range(7):
            shares[:, label] += weights[observation.labels == label].sum(0)
    purity = shares.max(1) / np.maximum(shares.sum(1), 1e-9)
    seen = lifted.weights > 5
    pure, mixed = seen & (purity > 0.95), seen & (purity < 0.7)
    assert lifted.confidence[pure].mean() > lifted.confidence[mixed].mean() + 0.1


def test_votes_are_weights_summed_over_masks(capture):
    observations = capture.observations()[:2]
    votes = votes_for_masks(observations).toarray()
    columns = []
    for observation in observations:
        weights = dense(observation.blending)
        covered = weights.sum(1) >= 0.5
        for label in sorted(set(observation.labels.tolist()) - {0}):
            inside = covered & (observation.labels == label)
            if inside.any():
                columns.append(weights[inside].sum(0))
    np.testing.assert_allclose(votes, np.stack(columns, 1), rtol=1e-4, atol=1e-5)


def test_spectral_signatures_tell_objects_apart_without_training(capture):
    observations = capture.observations(mess=0.15)
    signatures = spectral_signatures(observations)
    assert signatures.shape == (len(capture.means), 16)
    lengths = np.linalg.norm(signatures, axis=1)
    np.testing.assert_allclose(lengths[lengths > 0], 1, atol=1e-4)
    labels = find_segments(observations, capture.means, signatures).labels()
    assert agreement_with_truth(capture, labels) > 0.85
    np.testing.assert_array_equal(signatures, spectral_signatures(observations))


def test_spectral_signatures_of_few_masks_are_padded(capture):
    signatures = spectral_signatures(capture.observations()[:1])
    assert signatures.shape == (len(capture.means), 16)
    assert np.isfinite(signatures).all()
    assert not signatures[:, -1].any()
    with pytest.raises(ValueError, match="at least one"):
        spectral_signatures([])


class Recording:
    """One of two processes; what it tells is kept, and the other one does not answer."""

    size, local_size = 2, 2

    def __init__(self, rank):
        self.rank, self.told = rank, []

    def sum(self, tensors):
        self.told.append([tensor.clone() for tensor in tensors])


@pytest.mark.parametrize("spatial", ["off", "released"])
def test_two_processes_tell_together_what_one_learns_from_the_same_views(capture, spatial):
    observations = capture.observations()
    start = some_start(observations[0].blending.count)
    settings = replace(QUICK, spatial=spatial)
    more = {"minimum_pixels": 5.0, "means": capture.means, "batch": 2}
    whole = FeatureTrainer(observations, start, settings, **more)
    ranks = [Recording(0), Recording(1)]
    parts = [FeatureTrainer(observations, start, settings, ranks=one, **more) for one in ranks]
    for trainer in (whole, *parts):
        trainer._train_step(0, {})
    (first, taught), (second, taught_too) = (one.told[0] for one in ranks)
    assert int(taught) == int(taught_too) == 1
    mean = whole._features.grad
    torch.testing.assert_close((first + second) / 2, mean, rtol=1e-4, atol=1e-9)
    assert not torch.equal(first, second)


def test_steps_of_several_views_count_as_many_and_learn_as_much(capture):
    observations, agreements = capture.observations(), []
    for batch in (1, 3):
        messages = []
        start = some_start(len(capture.means))
        trainer = FeatureTrainer(observations, start, QUICK, minimum_pixels=5.0, batch=batch)
        trainer.run(report=messages.append)
        assert messages[-1].done == messages[-1].total == QUICK.steps
        assert len(messages) == QUICK.steps // batch + 1
        found = find_segments(observations, capture.means, trainer.features())
        agreements.append(agreement_with_truth(capture, found.labels()))
    assert agreements[1] > agreements[0] - 0.05
