# SPDX-License-Identifier: GPL-3.0-or-later
"""`.splat` files: what 32 bytes can hold comes back, what cannot be one is refused."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from cgc_addon.errors import CgcError
from cgc_addon.splats.read import read_splat
from cgc_addon.splats.rotations import matrices

from . import foreign_files as foreign


def test_what_is_written_is_read(tmp_path, make_gaussians) -> None:
    splat = make_gaussians(50, degree=0)
    foreign.write_splat(tmp_path / "a.splat", splat)
    read = read_splat(tmp_path / "a.splat")
    assert (read.dropped, read.notes, read.gaussians.sh_degree) == (0, (), 0)
    np.testing.assert_array_equal(read.gaussians.means, splat.means)
    np.testing.assert_allclose(read.gaussians.log_scales, splat.log_scales, atol=1e-5)
    np.testing.assert_allclose(matrices(read.gaussians.quats), matrices(splat.quats), atol=0.04)
    opacities = foreign.sigmoid(read.gaussians.logit_opacities)
    np.testing.assert_allclose(opacities, foreign.sigmoid(splat.logit_opacities), atol=1 / 255)
    colors = 0.5 + foreign.SH_C0 * read.gaussians.sh[:, 0]
    expected = (0.5 + foreign.SH_C0 * splat.sh[:, 0]).clip(0, 1)
    np.testing.assert_allclose(colors, expected, atol=1 / 255 + 1e-6)


def test_one_record_by_hand(tmp_path) -> None:
    record = struct.pack("<6f8B", 1, 2, 3, 1, 0, 0.5, 255, 0, 51, 255, 255, 128, 64, 128)
    (tmp_path / "a.splat").write_bytes(record)
    read = read_splat(tmp_path / "a.splat").gaussians
    np.testing.assert_array_equal(read.means, [[1, 2, 3]])
    np.testing.assert_allclose(read.log_scales, [[0, -24, np.log(0.5)]])  # a scale of 0 is flat
    np.testing.assert_array_equal(read.quats, [[127 / 128, 0, -0.5, 0]])
    np.testing.assert_array_equal(read.logit_opacities, [16])
    np.testing.assert_allclose(0.5 + foreign.SH_C0 * read.sh[0, 0], [1, 0, 0.2], atol=1e-6)


def test_few_damaged_ones_are_left_out_and_many_refused(tmp_path, make_gaussians) -> None:
    path = tmp_path / "a.splat"
    foreign.write_splat(path, make_gaussians(20))
    content = bytearray(path.read_bytes())
    content[32:36] = struct.pack("<f", np.nan)
    content[76:80] = struct.pack("<f", -1.0)  # a scale
    path.write_bytes(content)
    read = read_splat(path)
    assert (read.dropped, len(read.gaussians)) == (2, 18)
    assert read.notes == (f"2 damaged Gaussians of {path} were left out.",)
    content[252:256] = bytes([128] * 4)  # a rotation of zero
    path.write_bytes(content)
    with pytest.raises(CgcError, match="3 of its 20 Gaussians"):
        read_splat(path)


def test_what_is_no_splat_is_refused(tmp_path) -> None:
    path = tmp_path / "a.splat"
    path.write_bytes(b"")
    with pytest.raises(CgcError, match="the file is empty"):
        read_splat(path)
    path.write_bytes(bytes(63))
    with pytest.raises(CgcError, match=r"cut short or no \.splat file: it has 63 bytes"):
        read_splat(path)
    path.write_bytes(np.random.default_rng(0).bytes(32 * 100))
    with pytest.raises(CgcError, match="is damaged"):
        read_splat(path)
