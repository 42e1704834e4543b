# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts and unions of splats hold exactly the Gaussians asked for."""

from __future__ import annotations

import numpy as np
import pytest

from cgc_addon.errors import CgcError
from cgc_addon.splats.select import concatenate, of_segments, subset, with_sh_degree

FIELDS = ("means", "log_scales", "quats", "logit_opacities", "sh", "features", "segments")


def test_a_mask_and_its_complement_hold_every_gaussian_once(make_gaussians) -> None:
    whole = make_gaussians(30)
    mask = whole.means[:, 0] > 0
    parts = concatenate([subset(whole, mask), subset(whole, ~mask)])
    order = np.concatenate([np.flatnonzero(mask), np.flatnonzero(~mask)])
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(parts, field), getattr(whole, field)[order])


def test_indices_are_taken_in_their_order(make_gaussians) -> None:
    whole = make_gaussians(5, features=False)
    part = subset(whole, np.array([3, 1]))
    np.testing.assert_array_equal(part.means, whole.means[[3, 1]])
    assert part.features is None


def test_segments_are_taken_by_their_id(make_gaussians) -> None:
    whole = make_gaussians(100)
    part = of_segments(whole, [2, 4])
    np.testing.assert_array_equal(part.means, whole.means[np.isin(whole.segments, [2, 4])])
    assert set(part.segments.tolist()) == {2, 4}


def test_an_unknown_segment_is_named(make_gaussians) -> None:
    with pytest.raises(CgcError, match="no segment 77; choose among 0, 1, 2, 3, 4"):
        of_segments(make_gaussians(100), [1, 77])
    with pytest.raises(CgcError, match="no segments yet"):
        of_segments(make_gaussians(3, segments=False), [1])


def test_lower_degrees_are_filled_with_zeros(make_gaussians) -> None:
    low, high = make_gaussians(4, degree=1), make_gaussians(6, degree=3)
    union = concatenate([low, high])
    assert union.sh_degree == 3
    np.testing.assert_array_equal(union.sh[:4, :4], low.sh)
    assert not union.sh[:4, 4:].any()
    np.testing.assert_array_equal(union.sh[4:], high.sh)
    np.testing.assert_array_equal(with_sh_degree(union, 1).sh[:4], low.sh)


def test_missing_features_and_segments_become_zero(make_gaussians) -> None:
    plain, full = make_gaussians(4, features=False, segments=False), make_gaussians(6)
    union = concatenate([plain, full])
    assert not union.features[:4].any()
    assert not union.segments[:4].any()
    np.testing.assert_array_equal(union.segments[4:], full.segments)
    both_plain = concatenate([plain, plain])
    assert both_plain.features is None
    assert both_plain.segments is None
