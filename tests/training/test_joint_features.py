# SPDX-License-Identifier: GPL-3.0-or-later
"""The feature losses of joint training: how much they count beside each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cgc_addon.cgc.settings import JointFeatureSettings
from cgc_addon.rasterize.interface import Rendering
from cgc_addon.training.joint_features import JointFeatures

SETTINGS = JointFeatureSettings(contrastive_every=1)


def picture(times: int) -> tuple[torch.Tensor, np.ndarray]:
    """Return features (H, W, 16) and masks (H, W) of a picture, each pixel `times` squared."""
    generator = np.random.default_rng(0)
    features = generator.normal(size=(24, 32, 16)).astype(np.float32)
    masks = np.repeat(np.arange(1, 5, dtype=np.int32), 8)[None].repeat(24, axis=0)
    masks[:2] = 0
    large = features.repeat(times, axis=0).repeat(times, axis=1)
    return torch.from_numpy(large), masks.repeat(times, axis=0).repeat(times, axis=1)


def loss_of(settings: JointFeatureSettings, times: int) -> float:
    features, masks = picture(times)
    rendering = Rendering(
        torch.zeros(*masks.shape, 3), torch.ones(masks.shape), features, depth=None, info={}
    )
    nothing = torch.zeros(1, 3)
    total, values = JointFeatures(settings, 0).loss(0, rendering, masks, nothing, nothing)
    assert values["contrastive"] == total.item()
    return total.item()


@pytest.mark.parametrize("reduction", ["mean", "square-root", "area-weighted"])
def test_the_contrastive_loss_counts_the_same_for_photos_of_any_size(reduction) -> None:
    settings = replace(SETTINGS, reduction=reduction, reference_pixels=100_000)
    assert loss_of(settings, 1) == pytest.approx(loss_of(settings, 3), rel=0.02)
    as_it_is = replace(settings, reference_pixels=0)
    # Nine times the pixels; the temperatures know the areas, too.
    assert loss_of(as_it_is, 3) / loss_of(as_it_is, 1) == pytest.approx(9, rel=0.02)


@pytest.mark.parametrize("reduction", ["mean", "square-root", "area-weighted"])
def test_a_photo_of_the_reference_size_is_weighed_as_it_is(reduction) -> None:
    settings = replace(SETTINGS, reduction=reduction, reference_pixels=24 * 32)
    assert loss_of(settings, 1) == loss_of(replace(settings, reference_pixels=0), 1)
