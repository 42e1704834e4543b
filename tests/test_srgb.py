# SPDX-License-Identifier: GPL-3.0-or-later
"""sRGB by the numbers of its standard."""

from __future__ import annotations

import numpy as np

from cgc_addon.srgb import linear_from_srgb, srgb_from_linear


def test_both_ways_meet() -> None:
    colors = np.linspace(-1.5, 1.5, 301)
    np.testing.assert_allclose(srgb_from_linear(linear_from_srgb(colors)), colors, atol=1e-12)


def test_known_values() -> None:
    known = np.array([0.0, 0.04045, 0.5, 1.0])
    expected = [0.0, 0.0031308, 0.21404114, 1.0]
    np.testing.assert_allclose(linear_from_srgb(known), expected, atol=1e-7)
    np.testing.assert_allclose(linear_from_srgb(-known), [-one for one in expected], atol=1e-7)
