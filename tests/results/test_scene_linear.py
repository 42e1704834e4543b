# SPDX-License-Identifier: GPL-3.0-or-later
"""Light is what the standard says, and pictures over something are pictures of that."""

from __future__ import annotations

import numpy as np
import torch

from cgc_addon.results.scene_linear import (
    linear_from_srgb,
    over_background,
    premultiplied,
    srgb_from_linear,
)


def test_values_of_the_standard() -> None:
    # IEC 61966-2-1, calculated with more digits.
    encoded = torch.tensor([-0.5, 0.0, 0.02, 0.04045, 0.5, 1.0, 2.0])
    linear = [0.0, 0.0, 0.0015479876, 0.0031308050, 0.2140411405, 1.0, 4.9538457516]
    np.testing.assert_allclose(linear_from_srgb(encoded), linear, rtol=1e-5, atol=1e-9)
    there_and_back = srgb_from_linear(linear_from_srgb(encoded))
    np.testing.assert_allclose(there_and_back, encoded.clamp(min=0.0), atol=1e-6)


def test_over_a_background_is_blended_in_srgb() -> None:
    rgb, transmittance = torch.full((1, 1, 3), 0.3), torch.full((1, 1), 0.5)
    white = torch.ones(3)
    np.testing.assert_allclose(
        over_background(rgb, transmittance, white)[0, 0], ((0.8 + 0.055) / 1.055) ** 2.4, rtol=1e-5
    )


def test_over_nothing_the_colour_itself_is_decoded() -> None:
    rgb = torch.tensor([[[0.25, 0.1, 0.5], [0.0, 0.0, 0.0], [0.7, 0.2, 0.1]]])
    alpha = torch.tensor([[0.5, 0.0, 1.0]])
    linear = premultiplied(rgb, alpha)
    np.testing.assert_allclose(linear[0, 0], 0.5 * linear_from_srgb(2 * rgb[0, 0]), rtol=1e-5)
    assert not linear[0, 1].any()
    np.testing.assert_allclose(linear[0, 2], linear_from_srgb(rgb[0, 2]), rtol=1e-6)
