# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians left out at random; the others make up for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cgc_addon.dataset.load import load_dataset
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.rasterize.interface import SplatTensors
from cgc_addon.splats.initialise import first_gaussians
from cgc_addon.training.dropout import dropout_rate, with_dropout
from cgc_addon.training.presets import preset
from cgc_addon.training.trainer import Trainer


def splat(count: int, opacity: float) -> SplatTensors:
    zeros = torch.zeros(count, 3)
    opacities = torch.full((count,), opacity, requires_grad=True)
    return SplatTensors(zeros, torch.zeros(count, 4), zeros, opacities, zeros, zeros)


def test_the_mean_opacity_stays_and_so_many_are_left_out() -> None:
    left = with_dropout(splat(20_000, 0.5), 0.2, (0, 5)).opacities
    assert (left == 0).float().mean().item() == pytest.approx(0.2, abs=0.02)
    assert left.mean().item() == pytest.approx(0.5, abs=0.01)


def test_the_choice_is_the_seeds_and_another_for_each_photo() -> None:
    first, again = (with_dropout(splat(100, 0.5), 0.2, (3, 7)).opacities for _ in range(2))
    assert torch.equal(first, again)
    for other in ((3, 8), (4, 7)):
        assert not torch.equal(first, with_dropout(splat(100, 0.5), 0.2, other).opacities)


def test_opacities_stay_below_one_and_have_gradients() -> None:
    given = splat(1_000, 0.95)
    left = with_dropout(given, 0.2, (0, 0)).opacities
    assert left.max().item() < 0.99901
    given = splat(1_000, 0.5)
    with_dropout(given, 0.2, (0, 0)).opacities.sum().backward()
    assert given.opacities.grad is not None
    assert given.opacities.grad.unique().tolist() == pytest.approx([0.0, 1.25])


def test_without_a_rate_the_splat_is_the_same() -> None:
    given = splat(3, 0.5)
    assert with_dropout(given, 0.0, (0, 0)) is given


def test_it_grows_with_the_steps_and_ends_where_photos_are_many() -> None:
    assert dropout_rate(0.2, 5, 0.0) == 0
    assert dropout_rate(0.2, 5, 1.0) == pytest.approx(0.2)
    assert dropout_rate(0.2, 20, 1.0) == pytest.approx(0.2 * 20 / 24)
    assert dropout_rate(0.2, 40, 1.0) == 0
    assert dropout_rate(0.0, 5, 1.0) == 0


def test_training_with_few_photos_leaves_some_out_and_is_the_same_each_time(tiny_dataset) -> None:
    dataset = load_dataset(tiny_dataset)
    config = preset("draft", steps=6, features="off")

    def trained(share: float) -> np.ndarray:
        geometry = replace(config.geometry, dropout=share)
        start = first_gaussians(dataset.scene, None, sh_degree=1)
        trainer = Trainer(dataset, CpuBackend(), replace(config, geometry=geometry), start)
        trainer.run()
        return trainer.gaussians().logit_opacities

    assert dropout_rate(0.2, len(dataset.train), 1.0) > 0
    with_some = trained(0.2)
    np.testing.assert_array_equal(with_some, trained(0.2))
    assert not np.array_equal(with_some, trained(0.0))
