# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from cgc_addon.reconstruction.sharpness import sharpness

from .conftest import texture


@given(seed=st.integers(0, 1000), radius=st.floats(1.0, 6.0))
def test_blur_lowers_it(seed, radius):
    grey = Image.fromarray(texture(seed, 160, 120)).convert("L")
    blurred = grey.filter(ImageFilter.GaussianBlur(radius))
    assert sharpness(np.array(blurred)) < sharpness(np.array(grey))


def test_light_does_not():
    grey = np.array(Image.fromarray(texture(0, 160, 120)).convert("L"))
    darker = (grey // 2).astype(np.uint8)
    assert sharpness(darker) == pytest.approx(sharpness(grey), rel=0.05)


@pytest.mark.parametrize("shape", [(1, 1), (2, 50), (50, 50)])
def test_nothing_to_see_is_not_sharp(shape):
    assert sharpness(np.full(shape, 80, np.uint8)) == 0.0
