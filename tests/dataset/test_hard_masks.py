# SPDX-License-Identifier: GPL-3.0-or-later
"""Soft and noisy masks of one object become what they were made from; label maps stay."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from cgc_addon.dataset.hard_masks import hard_masks
from cgc_addon.dataset.label_maps import read_label_map

SAMPLE = Path(__file__).parents[2] / "cgc_addon" / "sample"


def jpeg(mask: Image.Image, quality: int) -> Image.Image:
    stored = io.BytesIO()
    mask.save(stored, "JPEG", quality=quality)
    return Image.open(stored)


SOFTENED = {
    "anti-aliased": lambda mask: mask.resize((192, 144), Image.Resampling.LANCZOS),
    "enlarged": lambda mask: mask.resize((700, 525), Image.Resampling.BICUBIC),
    "feathered": lambda mask: mask.filter(ImageFilter.GaussianBlur(4)),
    "JPEG 40": lambda mask: jpeg(mask, 40),
    "JPEG 95": lambda mask: jpeg(mask, 95),
    "video": lambda mask: jpeg(mask.point(lambda value: 16 + value * 219 // 255), 80),
}


@pytest.mark.parametrize("how", SOFTENED)
@pytest.mark.parametrize("object_id", [1, 5])
def test_a_softened_mask_is_the_mask_again(tmp_path, how, object_id) -> None:
    truth = np.asarray(Image.open(SAMPLE / "gt" / "0000.png")) == object_id
    soft = SOFTENED[how](Image.fromarray(np.uint8(255 * truth)))
    soft.save(tmp_path / "mask.png")
    assert len(np.unique(np.asarray(soft))) > 4
    ids = read_label_map(tmp_path / "mask.png")
    assert len(np.unique(ids)) == 2
    expected = np.asarray(Image.fromarray(truth).resize(soft.size, Image.Resampling.NEAREST))
    assert np.sum((ids > 0) & expected) / np.sum((ids > 0) | expected) > 0.85


@pytest.mark.parametrize("folder", ["masks", "parts", "gt"])
@pytest.mark.parametrize("spread", [1, 9])
def test_label_maps_stay_as_they_are(folder, spread) -> None:
    """Also those of programs that spread ids over all greys, to be seen."""
    for path in sorted((SAMPLE / folder).iterdir())[::10]:
        ids = np.asarray(Image.open(path)).astype(np.int64) * spread % 256
        np.testing.assert_array_equal(hard_masks(ids.astype(np.uint8)), ids)


def test_what_is_no_mask_is_left_alone() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (50, 60), dtype=np.uint8)
    assert hard_masks(noise) is noise
    sixteen_bits = noise.astype(np.uint16)
    assert hard_masks(sixteen_bits) is sixteen_bits
    few = np.array([[0, 255], [255, 0]], np.uint8)
    assert hard_masks(few) is few
    assert hard_masks(np.zeros((0, 4), np.uint8)).shape == (0, 4)
