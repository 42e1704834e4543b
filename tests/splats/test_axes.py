# SPDX-License-Identifier: GPL-3.0-or-later
"""Half a turn around x, as every other turn is made, but exact."""

from __future__ import annotations

import numpy as np
import pytest

from cgc_addon.splats.axes import flipped
from cgc_addon.splats.rotations import matrices
from cgc_addon.splats.transform import transform


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_it_is_half_a_turn_around_x(make_gaussians, degree) -> None:
    splat = make_gaussians(20, degree=degree)
    turned, ours = transform(splat, np.diag([1.0, -1, -1, 1])), flipped(splat)
    np.testing.assert_allclose(ours.means, turned.means, rtol=1e-6)
    np.testing.assert_allclose(ours.sh, turned.sh, atol=1e-5)
    np.testing.assert_array_equal(ours.log_scales, splat.log_scales)
    np.testing.assert_array_equal(ours.features, splat.features)
    np.testing.assert_array_equal(ours.segments, splat.segments)

    def covariances(each) -> np.ndarray:
        axes = matrices(each.quats) * np.exp(each.log_scales.astype(np.float64))[:, None]
        return axes @ axes.transpose(0, 2, 1)

    np.testing.assert_allclose(covariances(ours), covariances(turned), rtol=1e-4, atol=1e-9)


def test_twice_is_not_at_all(make_gaussians) -> None:
    splat = make_gaussians(20)
    back = flipped(flipped(splat))
    for name in ("means", "log_scales", "quats", "logit_opacities", "sh"):
        np.testing.assert_array_equal(getattr(back, name), getattr(splat, name))
