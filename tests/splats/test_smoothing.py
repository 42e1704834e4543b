# SPDX-License-Identifier: GPL-3.0-or-later
"""Smoothed Gaussians are what a convolution makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cgc_addon.splats.smoothing import smoothed


def test_it_is_a_convolution(make_gaussians) -> None:
    """Along an axis, of densities on a grid: as wide, and as much light in all."""
    splat = make_gaussians(3)
    splat = replace(splat, log_scales=np.log([[0.2, 0.3, 0.5]] * 3).astype(np.float32))
    result = smoothed(splat, np.full(3, 0.4))
    grid = np.linspace(-8, 8, 4001)
    filter_density = np.exp(-0.5 * (grid / 0.4) ** 2)
    for axis, scale in enumerate((0.2, 0.3, 0.5)):
        profile = np.convolve(np.exp(-0.5 * (grid / scale) ** 2), filter_density, mode="same")
        width = np.sqrt((profile * grid**2).sum() / profile.sum())
        np.testing.assert_allclose(np.exp(result.log_scales[:, axis]), width, rtol=1e-4)

    def light(gaussians) -> np.ndarray:
        opacities = 1 / (1 + np.exp(-gaussians.logit_opacities.astype(np.float64)))
        return opacities * np.exp(gaussians.log_scales.astype(np.float64).sum(axis=1))

    np.testing.assert_allclose(light(result), light(splat), rtol=1e-5)


def test_nothing_to_smooth_changes_nothing(make_gaussians) -> None:
    splat = make_gaussians(50)
    splat = replace(splat, logit_opacities=np.linspace(-30, 30, 50, dtype=np.float32))
    result = smoothed(splat, np.zeros(50))
    np.testing.assert_array_equal(result.logit_opacities, splat.logit_opacities)
    np.testing.assert_allclose(result.log_scales, splat.log_scales, rtol=1e-6)


def test_opacities_at_the_end_of_the_range_stay_numbers(make_gaussians) -> None:
    splat = make_gaussians(3)
    splat = replace(splat, logit_opacities=np.array([-100, 16, 40], np.float32))
    assert np.isfinite(smoothed(splat, np.full(3, 1e-6)).logit_opacities).all()
