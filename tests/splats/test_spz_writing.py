# SPDX-License-Identifier: GPL-3.0-or-later
"""Written SPZ files hold what the format can, and readers of other people agree on it."""

from __future__ import annotations

import gzip
from dataclasses import replace

import numpy as np
import pytest

from cgc_addon.errors import CgcError
from cgc_addon.splats import zstandard_codec
from cgc_addon.splats.read import read_splat
from cgc_addon.splats.rotations import matrices
from cgc_addon.splats.spz_writing import write_spz

from . import foreign_files as foreign

HARMONIC_STEPS = np.repeat([2, 4, 4], [3, 5, 7])[:, None] / 128


@pytest.fixture
def splat(make_gaussians):
    made = make_gaussians(40)
    return replace(made, sh=made.sh.clip(-0.9, 0.9))


@pytest.mark.parametrize(("version", "rotations"), [(2, 0.15), (3, 0.005)])
@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_what_is_written_is_read(tmp_path, splat, version, rotations, degree) -> None:
    """The reader has its own tests against files of others."""
    count = (degree + 1) ** 2
    splat = replace(splat, sh=splat.sh[:, :count])
    write_spz(tmp_path / "new" / "cloud.spz", splat, version)
    read = read_splat(tmp_path / "new" / "cloud.spz")
    assert (read.dropped, read.notes, read.gaussians.sh_degree) == (0, (), degree)
    back = read.gaussians
    assert (back.features, back.segments) == (None, None)
    np.testing.assert_allclose(back.means, splat.means, atol=0.51 / 4096)
    np.testing.assert_allclose(back.log_scales, splat.log_scales, atol=0.51 / 16)
    np.testing.assert_allclose(matrices(back.quats), matrices(splat.quats), atol=rotations)
    opacities = foreign.sigmoid(back.logit_opacities)
    np.testing.assert_allclose(opacities, foreign.sigmoid(splat.logit_opacities), atol=0.51 / 255)
    np.testing.assert_allclose(back.sh[:, 0], splat.sh[:, 0], atol=0.51 / 255 / 0.15)
    assert (np.abs(back.sh - splat.sh)[:, 1:] <= 0.51 * HARMONIC_STEPS[: count - 1]).all()
    assert [item.name for item in (tmp_path / "new").iterdir()] == ["cloud.spz"]


@pytest.mark.parametrize("version", [2, 3])
def test_the_bytes_are_those_of_the_description(tmp_path, splat, version) -> None:
    """All but the harmonics, of which fewer bits are kept than the format has room for."""
    write_spz(tmp_path / "cloud.spz", splat, version)
    content = gzip.decompress((tmp_path / "cloud.spz").read_bytes())
    expected = foreign.spz_payload(splat, version, fractional_bits=14)
    assert len(content) == len(expected)
    ours, theirs = (np.frombuffer(each, np.uint8) for each in (content, expected))
    before = len(expected) - 45 * len(splat)
    np.testing.assert_array_equal(ours[:16], theirs[:16])
    different = ours[:before] != theirs[:before]
    # Halves may be rounded the other way: float32 here, float64 there.
    assert different.sum() <= 2


@pytest.mark.parametrize("version", [2, 3])
def test_gsply_reads_the_same(tmp_path, splat, version) -> None:
    gsply = pytest.importorskip("gsply")
    write_spz(tmp_path / "cloud.spz", splat, version)
    theirs = gsply.read_spz(tmp_path / "cloud.spz")
    np.testing.assert_allclose(theirs.means * foreign.RUB, splat.means, atol=0.51 / 4096)
    np.testing.assert_allclose(theirs.scales, splat.log_scales, atol=0.51 / 16)
    turn = np.diag(foreign.RUB)
    turned = turn @ matrices(theirs.quats) @ turn
    np.testing.assert_allclose(turned, matrices(splat.quats), atol=0.15 if version == 2 else 0.01)
    np.testing.assert_allclose(theirs.sh0, splat.sh[:, 0], atol=0.51 / 255 / 0.15)
    rest = theirs.shN * foreign.RUB_HARMONICS[:, None]
    np.testing.assert_allclose(rest, splat.sh[:, 1:], atol=0.51 * 4 / 128)


def test_values_beyond_the_format_go_to_its_ends(tmp_path, splat) -> None:
    log_scales = np.tile(np.array([-24, 9, 0], np.float32), (40, 1))
    logits = np.linspace(-200, 200, 40, dtype=np.float32)
    sh = np.full_like(splat.sh, 50)
    sh[20:] = -50
    write_spz(
        tmp_path / "cloud.spz", replace(splat, log_scales=log_scales, logit_opacities=logits, sh=sh)
    )
    read = read_splat(tmp_path / "cloud.spz").gaussians
    np.testing.assert_allclose(read.log_scales, np.tile([-10, 5.9375, 0], (40, 1)))
    assert (read.logit_opacities[0], read.logit_opacities[-1]) == (-16, 16)
    np.testing.assert_allclose(np.abs(read.sh[:, 0]), 0.5 / 0.15, rtol=1e-5)
    assert (np.abs(read.sh[:, 1:]) >= 0.99).all()
    assert (np.sign(read.sh) == np.sign(sh)).all()


@pytest.mark.parametrize("size", [1e-3, 0.05, 1.0, 60.0, 1500.0, 2048.0, 1e5, 8e6])
def test_positions_are_as_fine_as_the_size_of_things_asks_for(tmp_path, splat, size) -> None:
    means = splat.means * np.float32(size / np.abs(splat.means).max())
    write_spz(tmp_path / "cloud.spz", replace(splat, means=means))
    read = read_splat(tmp_path / "cloud.spz").gaussians
    error = np.abs(read.means - means).max()
    finest = max(min(size / 2**15, 2**-13), size / 2**22)
    assert error <= 1.01 * finest + np.spacing(np.float32(size))


def test_what_is_too_far_away_is_said(tmp_path, splat) -> None:
    means = splat.means.copy()
    means[7, 1] = 1e7
    with pytest.raises(CgcError, match=r"cloud\.spz was not written.* 1e\+07 units away"):
        write_spz(tmp_path / "cloud.spz", replace(splat, means=means))
    assert list(tmp_path.iterdir()) == []


def test_without_zstandard_version_4_says_what_to_do(tmp_path, splat, monkeypatch) -> None:
    monkeypatch.setattr(zstandard_codec, "_module", lambda name: None)
    with pytest.raises(CgcError, match=r"`zstandard`; install it, or choose version 3"):
        write_spz(tmp_path / "cloud.spz", splat, 4)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("degree", [0, 3])
def test_version_4_in_a_python_that_has_zstandard(tmp_path, splat, degree) -> None:
    if all(zstandard_codec._module(name) is None for name in ("compression.zstd", "zstandard")):
        pytest.skip("this Python has no Zstandard; the tests in Blender do the same")
    splat = replace(splat, sh=splat.sh[:, : (degree + 1) ** 2])
    write_spz(tmp_path / "three.spz", splat, 3)
    write_spz(tmp_path / "four.spz", splat, 4)
    three, four = (read_splat(tmp_path / name).gaussians for name in ("three.spz", "four.spz"))
    for name in ("means", "log_scales", "quats", "logit_opacities", "sh"):
        np.testing.assert_array_equal(getattr(three, name), getattr(four, name))
