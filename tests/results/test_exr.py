# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenEXR pictures are read as they were written, whatever the way."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from cgc_addon.blender.output import mask_exr
from cgc_addon.errors import CgcError
from cgc_addon.results.exr import read_exr

from .written_exr import write_exr


@pytest.mark.parametrize("compression", [0, 2, 3], ids=["none", "ZIPS", "ZIP"])
@pytest.mark.parametrize("size", [(1, 1), (16, 5), (37, 20)])
def test_channels_of_all_kinds_are_read(tmp_path, compression, size):
    random = np.random.default_rng(0)
    noise = random.normal(size=size)
    written = {
        "View Layer.Combined.A": noise.astype(np.float32),
        "View Layer.Combined.B": noise.astype(np.float16),
        "id": random.integers(0, 1000, size).astype(np.uint32),
        "z" * 60: np.full(size, 1e10, np.float32),
    }
    write_exr(tmp_path / "a.exr", written, compression)
    found = read_exr(tmp_path / "a.exr")
    assert found.keys() == written.keys()
    for name, values in written.items():
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], values.astype(np.float32))


def test_what_is_written_elsewhere_in_this_project_is_read(tmp_path):
    ids = np.random.default_rng(0).integers(0, 65536, (50, 33))
    mask_exr.write_exr(tmp_path / "ids.exr", ids)
    (found,) = read_exr(tmp_path / "ids.exr").values()
    assert (found == ids).all()


def test_lines_from_below_and_a_window_elsewhere_make_the_same_picture(tmp_path):
    values = np.arange(40 * 3, dtype=np.float32).reshape(40, 3)
    write_exr(tmp_path / "a.exr", {"Y": values}, 3, corner=(-5, 7), backwards=True)
    assert (read_exr(tmp_path / "a.exr")["Y"] == values).all()


def test_what_cannot_be_read_is_said(tmp_path):
    path = tmp_path / "a.exr"
    with pytest.raises(CgcError, match=r"a\.exr cannot be read"):
        read_exr(path)
    path.write_bytes(b"\x89PNG and so on")
    with pytest.raises(CgcError, match="no OpenEXR"):
        read_exr(path)
    write_exr(path, {"Y": np.ones((40, 30), np.float32)})
    whole = path.read_bytes()
    for length in (5, 40, 200, len(whole) - 3):
        path.write_bytes(whole[:length])
        with pytest.raises(CgcError, match="damaged"):
            read_exr(path)
    path.write_bytes(whole[:4] + struct.pack("<I", 2 | 0x1000) + whole[8:])
    with pytest.raises(CgcError, match="several parts"):
        read_exr(path)
    write_exr(path, {"Y": np.ones((40, 30), np.float32)}, 1)  # run lengths
    with pytest.raises(CgcError, match="not a plain"):
        read_exr(path)
