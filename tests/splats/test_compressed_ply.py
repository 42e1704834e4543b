# SPDX-License-Identifier: GPL-3.0-or-later
"""Compressed PLY as SuperSplat and gsplat write it, of newer and older kinds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cgc_addon.errors import CgcError
from cgc_addon.splats.read import read_splat
from cgc_addon.splats.rotations import matrices

from . import foreign_files as foreign


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def assert_near(read, splat, *, clipped: bool = False) -> None:
    for name, steps in (("means", 1023), ("log_scales", 1023)):
        values = getattr(splat, name)
        step = np.ptp(values, axis=0).max() / steps
        np.testing.assert_allclose(getattr(read, name), values, atol=0.51 * step)
    np.testing.assert_allclose(matrices(read.quats), matrices(splat.quats), atol=0.006)
    opacities = foreign.sigmoid(read.logit_opacities)
    np.testing.assert_allclose(opacities, foreign.sigmoid(splat.logit_opacities), atol=0.51 / 255)
    rgb, expected = (0.5 + foreign.SH_C0 * item.sh[:, 0] for item in (read, splat))
    if clipped:
        expected = expected.clip(0, 1)
    step = (1.0 if clipped else np.ptp(expected, axis=0).max()) / 255
    np.testing.assert_allclose(rgb, expected, atol=0.51 * step + 1e-6)
    np.testing.assert_allclose(read.sh[:, 1:], splat.sh[:, 1:].clip(-4, 4), atol=8 / 256)


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
@pytest.mark.parametrize("count", [1, 256, 600])
def test_every_degree_and_number_of_chunks(tmp_path, make_gaussians, degree, count) -> None:
    splat = make_gaussians(count, degree=degree)
    read = read_splat(write(tmp_path / "a.compressed.ply", foreign.compressed_ply(splat)))
    assert (read.dropped, read.notes, read.gaussians.sh_degree) == (0, (), degree)
    assert_near(read.gaussians, splat)


def test_older_files_have_no_colours_in_chunks(tmp_path, make_gaussians) -> None:
    splat = make_gaussians(300, degree=1)
    content = foreign.compressed_ply(splat, colors_in_chunks=False)
    assert b"min_r" not in content
    assert_near(read_splat(write(tmp_path / "a.ply", content)).gaussians, splat, clipped=True)


def test_the_ends_of_harmonics_and_opacities(tmp_path, make_gaussians) -> None:
    splat = make_gaussians(2, degree=1)
    splat.sh[0, 1:], splat.sh[1, 1:] = -9.0, 9.0
    splat.logit_opacities[:] = (-40.0, 40.0)
    read = read_splat(write(tmp_path / "a.ply", foreign.compressed_ply(splat))).gaussians
    np.testing.assert_array_equal(read.sh[:, 1:], [np.full((3, 3), -4.0), np.full((3, 3), 4.0)])
    np.testing.assert_array_equal(read.logit_opacities, [-16.0, 16.0])


@pytest.mark.parametrize("degree", [0, 3])
def test_gsply_agrees(tmp_path, make_gaussians, degree) -> None:
    gsply = pytest.importorskip("gsply")
    splat = make_gaussians(700, degree=degree)
    content = gsply.compress_to_bytes(
        splat.means,
        splat.log_scales,
        splat.quats / np.linalg.norm(splat.quats, axis=1, keepdims=True),
        splat.logit_opacities,
        splat.sh[:, 0],
        splat.sh[:, 1:] if degree else None,
    )
    theirs = gsply.decompress_from_bytes(content)
    ours = read_splat(write(tmp_path / "a.ply", content)).gaussians
    np.testing.assert_allclose(ours.means, theirs.means, atol=1e-5)
    np.testing.assert_allclose(ours.log_scales, theirs.scales, atol=1e-5)
    np.testing.assert_allclose(matrices(ours.quats), matrices(theirs.quats), atol=1e-5)
    np.testing.assert_allclose(ours.logit_opacities, theirs.opacities, atol=1e-3)
    np.testing.assert_allclose(ours.sh[:, 0], theirs.sh0, atol=1e-4)
    if degree:
        # Theirs stand for the lower end of each step or its middle, by version.
        np.testing.assert_allclose(ours.sh[:, 1:], theirs.shN, atol=8 / 256)


def test_a_chunk_without_numbers_is_left_out(tmp_path, make_gaussians) -> None:
    splat = make_gaussians(256 * 12 + 3, degree=0)
    content = bytearray(foreign.compressed_ply(splat))
    row = content.index(b"end_header\n") + 11 + 12 * 18 * 4  # of the last chunk, with 3 Gaussians
    content[row : row + 4] = np.float32(np.nan).tobytes()
    read = read_splat(write(tmp_path / "a.ply", bytes(content)))
    assert (read.dropped, len(read.gaussians)) == (3, 256 * 12)
    content[row - 18 * 4 * 5 : row] = np.full(18 * 5, np.inf, np.float32).tobytes()
    with pytest.raises(CgcError, match="is damaged"):
        read_splat(write(tmp_path / "a.ply", bytes(content)))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"element chunk 2\n", b"element hunk  2\n", "no element `chunk`"),
        (b"min_scale_y", b"min_scale_q", "`chunk` lacks `min_scale_y`"),
        (b"packed_color", b"packed_colon", "`vertex` lacks `packed_color`"),
        (b"element chunk 2\n", b"element chunk 1\n", "need 2 rows of `chunk`, it has 1"),
        (b"element vertex 300\n", b"element vertex 000\n", "holds no Gaussians"),
        (b"element sh 300\n", b"element sh 299\n", "300 Gaussians, but harmonics of 299"),
        (b"uchar f_rest_7", b"uchar f_best_7", "9, 24 or 45 properties"),
        (b"element vertex 300\n", b"element vertex 999\n", "cut short"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, make_gaussians, old, new, reason) -> None:
    content = foreign.compressed_ply(make_gaussians(300, degree=1))
    path = write(tmp_path / "a.ply", content.replace(old, new))
    with pytest.raises(CgcError, match=reason):
        read_splat(path)


def test_every_truncation_is_refused(tmp_path, make_gaussians) -> None:
    content = foreign.compressed_ply(make_gaussians(30, degree=1))
    for length in [*range(0, len(content), 67), len(content) - 1]:
        with pytest.raises(CgcError):
            read_splat(write(tmp_path / "a.ply", content[:length]))
