# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours of other spaces become those that they are in sRGB; sRGB stays bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageCms

from cgc_addon.dataset.color_profiles import is_srgb, to_srgb

from ..icc_profiles import in_srgb, rgb_profile

MUTED = np.random.default_rng(0).integers(60, 190, (16, 16, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("space", "gamma"), [("Display P3", 2.2), ("Adobe RGB", 2.2), ("sRGB", 1.8)]
)
def test_other_spaces_are_converted(space, gamma):
    profile = rgb_profile(space, gamma)
    assert not is_srgb(profile)
    converted = np.asarray(to_srgb(Image.fromarray(MUTED), profile)).astype(int)
    expected = in_srgb(MUTED, space, gamma).astype(int)
    assert np.abs(expected - MUTED).max() > 10
    assert np.abs(converted - expected).max() <= 2


@pytest.mark.parametrize(
    "profile",
    [
        None,
        b"",
        b"damaged",
        rgb_profile("Display P3")[:200],
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(),
    ],
)
def test_srgb_and_what_is_no_profile_change_nothing(profile):
    image = Image.fromarray(MUTED)
    assert is_srgb(profile)
    assert to_srgb(image, profile) is image
