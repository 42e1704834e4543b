# SPDX-License-Identifier: GPL-3.0-or-later
"""How many pixels a Gaussian makes up is the sum of its blending weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cgc_addon.dataset.load import load_dataset
from cgc_addon.errors import Interrupted
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.splats.initialise import first_gaussians
from cgc_addon.training.parameters import splat_of
from cgc_addon.training.unseen import shown_pixels


@pytest.fixture(scope="module")
def scene(tiny_dataset):
    dataset = load_dataset(tiny_dataset, test_every=4)
    gaussians = first_gaussians(dataset.scene, None)
    means = gaussians.means.copy()
    means[0] = 1000 * means.max()  # beside all photos
    return replace(gaussians, means=means), dataset, CpuBackend()


def test_it_is_the_sum_of_the_blending_weights_of_all_training_photos(scene) -> None:
    gaussians, dataset, backend = scene
    splat = splat_of(gaussians, backend.device)
    expected = np.zeros(len(gaussians))
    for index in dataset.train:
        view = dataset.store.view(index)
        pixels = torch.arange(view.camera.width * view.camera.height)
        matrix = backend.blending_weights(splat, view, pixels)
        expected += np.bincount(matrix.gaussians, matrix.weights, minlength=len(gaussians))
    assert expected[0] == 0
    assert expected.max() > 10
    np.testing.assert_allclose(shown_pixels(*scene), expected, rtol=1e-3, atol=1e-3)


def test_where_no_photo_shows_any_it_is_zero(scene) -> None:
    gaussians, dataset, backend = scene
    elsewhere = replace(gaussians, means=gaussians.means + np.float32(1e6))
    assert not shown_pixels(elsewhere, dataset, backend).any()


class NothingDrawn(CpuBackend):
    """Draws as backends may where no Gaussian is in view: without a graph of gradients."""

    def render(self, *arguments, **options):
        drawn = super().render(*arguments, **options)
        assert drawn.features is not None
        return replace(drawn, features=torch.zeros_like(drawn.features))


def test_a_picture_without_gradients_shows_none(scene) -> None:
    gaussians, dataset, _ = scene
    assert not shown_pixels(gaussians, dataset, NothingDrawn()).any()


def test_it_stops_when_asked(scene) -> None:
    with pytest.raises(Interrupted):
        shown_pixels(*scene, should_stop=lambda: True)
