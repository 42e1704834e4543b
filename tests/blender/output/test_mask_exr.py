# SPDX-License-Identifier: GPL-3.0-or-later
"""Ids in OpenEXR are what Blender reads from it, whatever the size and however well they pack."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.output.mask_exr import write_exr
from cgc_addon.errors import CgcError


@pytest.mark.parametrize(
    "ids",
    [
        np.array([[65_535]]),
        np.repeat(np.arange(50), 71).reshape(50, 71),
        np.random.default_rng(0).integers(0, 65_536, (33, 20)),
        np.zeros((16, 3), np.int64),
    ],
    ids=["one pixel", "areas", "noise", "nothing"],
)
def test_blender_reads_the_same_ids(ids: np.ndarray, tmp_path: Path) -> None:
    file = tmp_path / "deep" / "ids.exr"
    write_exr(file, ids.astype(np.uint16))
    image = bpy.data.images.load(str(file))
    image.colorspace_settings.name = "Non-Color"
    assert tuple(image.size) == ids.shape[::-1]
    assert image.is_float
    read = np.array(image.pixels[:]).reshape(*ids.shape, image.channels)[::-1, :, 0]
    assert np.array_equal(read, ids)


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CgcError, match="could not be written"):
        write_exr(tmp_path / "file" / "ids.exr", np.zeros((2, 2), np.uint16))
