# SPDX-License-Identifier: GPL-3.0-or-later
"""SPZ of every version comes back in COLMAP's axes; what is damaged or too new is said."""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cgc_addon.errors import CgcError
from cgc_addon.splats import zstandard_codec
from cgc_addon.splats.read import read_splat
from cgc_addon.splats.rotations import matrices
from cgc_addon.splats.spherical_harmonics import basis, signs_under_flips
from cgc_addon.splats.transform import transform

from . import foreign_files as foreign


@pytest.fixture
def splat(make_gaussians):
    """Values within the ranges that SPZ keeps."""
    made = make_gaussians(40, features=False, segments=False)
    return type(made)(
        made.means, made.log_scales, made.quats, made.logit_opacities, made.sh.clip(-0.99, 0.99)
    )


def assert_near(read, splat, *, means: float, rotations: float) -> None:
    np.testing.assert_allclose(read.means, splat.means, atol=means)
    np.testing.assert_allclose(read.log_scales, splat.log_scales, atol=1 / 32 + 1e-6)
    np.testing.assert_allclose(matrices(read.quats), matrices(splat.quats), atol=rotations)
    opacities = foreign.sigmoid(read.logit_opacities)
    np.testing.assert_allclose(opacities, foreign.sigmoid(splat.logit_opacities), atol=0.51 / 255)
    np.testing.assert_allclose(read.sh[:, 0], splat.sh[:, 0], atol=0.51 / 255 / 0.15)
    np.testing.assert_allclose(read.sh[:, 1:], splat.sh[:, 1:], atol=0.51 / 128)


def covariances(splat) -> np.ndarray:
    axes = matrices(splat.quats) * np.exp(splat.log_scales.astype(np.float64))[:, None]
    return axes @ axes.transpose(0, 2, 1)


@pytest.mark.parametrize(
    ("version", "means", "rotations"), [(1, 2e-3, 0.15), (2, 1.3e-4, 0.15), (3, 1.3e-4, 0.01)]
)
@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_every_version_and_degree(tmp_path, splat, version, means, rotations, degree) -> None:
    kept = type(splat)(
        splat.means,
        splat.log_scales,
        splat.quats,
        splat.logit_opacities,
        splat.sh[:, : (degree + 1) ** 2],
    )
    foreign.write_spz(tmp_path / "cloud.spz", kept, version)
    read = read_splat(tmp_path / "cloud.spz")
    assert (read.dropped, read.notes, read.gaussians.sh_degree) == (0, (), degree)
    assert_near(read.gaussians, kept, means=means, rotations=rotations)


def test_the_axes_are_turned_as_one_half_turn_turns_all(splat) -> None:
    """The signs of harmonics that the library lists are those of a turn of the whole world."""
    turn = np.diag([*foreign.RUB, 1.0])
    turned = transform(splat, turn)
    np.testing.assert_allclose(
        turned.sh[:, 1:], splat.sh[:, 1:] * foreign.RUB_HARMONICS[:, None], atol=1e-5
    )
    np.testing.assert_array_equal(signs_under_flips(foreign.RUB, 3)[1:], foreign.RUB_HARMONICS)


def test_one_gaussian_by_hand(tmp_path) -> None:
    """A Gaussian 2 up and 3 before a camera of OpenGL is at y = −2, z = 3 for COLMAP."""
    fixed = b"".join((value & 0xFFFFFF).to_bytes(3, "little") for value in (256, 512, -768))
    turn_around_y = 0 << 30 | 0 << 20 | 0 << 10 | 0  # x is the largest: half a turn around x
    content = (
        struct.pack("<4sIIBBBB", b"NGSP", 3, 1, 1, 8, 0, 0)
        + fixed
        + bytes([255])
        + bytes([255, 0, 128])
        + bytes([160, 144, 0])
        + struct.pack("<I", turn_around_y)
        + bytes([192, 192, 192, 192, 64, 128, 128, 128, 128])
    )
    (tmp_path / "one.spz").write_bytes(gzip.compress(content))
    read = read_splat(tmp_path / "one.spz").gaussians
    np.testing.assert_array_equal(read.means, [[1, -2, 3]])
    np.testing.assert_array_equal(read.log_scales, [[0, -1, -10]])
    np.testing.assert_array_equal(read.logit_opacities, [16])  # 255 is an opacity of 1
    np.testing.assert_allclose(read.quats, [[0, 1, 0, 0]])
    np.testing.assert_allclose(read.sh[0, 0], [1 / 0.3, -1 / 0.3, 0.0131], atol=1e-3)
    np.testing.assert_array_equal(read.sh[0, 1:], [[-0.5] * 3, [-0.5, 0.5, 0], [0, 0, 0]])


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_gsply_agrees(tmp_path, make_gaussians, degree) -> None:
    """Gsply reads and writes the same numbers, in the file's own axes."""
    gsply = pytest.importorskip("gsply")
    splat = make_gaussians(300, degree=degree)
    data = gsply.GSData.from_arrays(
        splat.means,
        splat.log_scales,
        splat.quats,
        splat.logit_opacities,
        splat.sh[:, 0],
        splat.sh[:, 1:] if degree else None,
        format="ply",
    )
    gsply.write_spz(tmp_path / "cloud.spz", data)
    theirs = gsply.read_spz(tmp_path / "cloud.spz")
    ours = read_splat(tmp_path / "cloud.spz").gaussians
    np.testing.assert_allclose(ours.means, theirs.means * foreign.RUB, atol=1e-6)
    np.testing.assert_allclose(ours.log_scales, theirs.scales, atol=1e-6)
    turn = np.diag(foreign.RUB)
    np.testing.assert_allclose(
        matrices(ours.quats), turn @ matrices(theirs.quats) @ turn, atol=1e-5
    )
    np.testing.assert_allclose(ours.logit_opacities, theirs.opacities, atol=1e-4)
    np.testing.assert_allclose(ours.sh[:, 0], theirs.sh0, atol=1e-5)
    if degree:
        signs = foreign.RUB_HARMONICS[: (degree + 1) ** 2 - 1, None]
        np.testing.assert_allclose(ours.sh[:, 1:], theirs.shN * signs, atol=1e-6)


def test_harmonics_of_degree_4_are_cut_off_and_that_is_said(tmp_path, splat) -> None:
    payload = bytearray(foreign.spz_payload(splat, 3))
    payload[12] = 4
    rest = np.frombuffer(payload[-len(splat) * 45 :], np.uint8).reshape(-1, 45)
    more = np.full((len(splat), 27), 200, np.uint8)
    content = bytes(payload[: -len(splat) * 45]) + np.hstack([rest, more]).tobytes()
    (tmp_path / "four.spz").write_bytes(gzip.compress(content))
    read = read_splat(tmp_path / "four.spz")
    assert_near(read.gaussians, splat, means=1e-3, rotations=0.01)
    assert read.notes == (
        f"{tmp_path / 'four.spz'} has spherical harmonics beyond degree 3; those are left out.",
    )


def test_extensions_after_the_data_are_passed_over(tmp_path, splat) -> None:
    payload = bytearray(foreign.spz_payload(splat, 3))
    payload[14] = 2
    payload += struct.pack("<II3f", 0xADBE0002, 12, 0.1, 0.2, 0.3)
    (tmp_path / "cloud.spz").write_bytes(gzip.compress(payload))
    assert_near(read_splat(tmp_path / "cloud.spz").gaussians, splat, means=1e-3, rotations=0.01)


def test_positions_that_are_no_numbers_are_left_out(tmp_path, splat) -> None:
    payload = bytearray(foreign.spz_payload(splat, 1))
    payload[16 + 6 * 5 : 16 + 6 * 5 + 2] = b"\xff\x7f"  # NaN of 16 bits
    path = tmp_path / "cloud.spz"
    path.write_bytes(gzip.compress(payload))
    read = read_splat(path)
    assert (read.dropped, len(read.gaussians)) == (1, len(splat) - 1)
    assert read.notes == (f"1 damaged Gaussians of {path} were left out.",)


def test_many_positions_that_are_no_numbers_are_refused(tmp_path, splat) -> None:
    payload = bytearray(foreign.spz_payload(splat, 1))
    payload[16 : 16 + 6 * 20] = b"\xff\x7f" * 60
    (tmp_path / "cloud.spz").write_bytes(gzip.compress(payload))
    with pytest.raises(CgcError, match="is damaged: 20 of its 40 Gaussians"):
        read_splat(tmp_path / "cloud.spz")


def changed(payload: bytes, place: int, form: str, value: int) -> bytes:
    content = bytearray(payload)
    struct.pack_into(form, content, place, value)
    return gzip.compress(content)


@pytest.mark.parametrize(
    ("place", "form", "value", "reason"),
    [
        (0, "<I", 0, "no SPZ"),
        (4, "<I", 0, "SPZ of version 0; versions 1 to 4"),
        (4, "<I", 5, "SPZ of version 5; versions 1 to 4 are read: export it as one of these"),
        (4, "<I", 4, "SPZ of version 4 is not in gzip"),
        (8, "<I", 0, "holds no Gaussians"),
        (8, "<I", 41, "cut short or damaged: its header promises 41 Gaussians"),
        (8, "<I", 2**32 - 1, "cut short or damaged.*cannot"),
        (12, "<B", 5, "degree 5"),
        (13, "<B", 99, "99 fractional bits"),
    ],
)
def test_a_header_that_cannot_be_is_refused(tmp_path, splat, place, form, value, reason) -> None:
    path = tmp_path / "cloud.spz"
    path.write_bytes(changed(foreign.spz_payload(splat, 3), place, form, value))
    with pytest.raises(CgcError, match=f"cloud.spz.*{reason}"):
        read_splat(path)


@pytest.mark.parametrize("axes", range(1, 17))
def test_axes_of_another_kind_become_those_of_colmap(tmp_path, splat, axes) -> None:
    """Three letters say where x, y and z of the file point."""
    kinds = [
        "LDB",
        "RDB",
        "LUB",
        "RUB",
        "LDF",
        "RDF",
        "LUF",
        "RUF",
        "LFD",
        "RFD",
        "LFU",
        "RFU",
        "LBD",
        "RBD",
        "LBU",
        "RBU",
    ]
    pointing = {"R": (0, 1), "L": (0, -1), "D": (1, 1), "U": (1, -1), "F": (2, 1), "B": (2, -1)}
    to_colmap = np.eye(4)
    to_colmap[:3, :3] = 0
    for column, letter in enumerate(kinds[axes - 1]):
        row, sign = pointing[letter]
        to_colmap[row, column] = sign
    splat = replace(splat, sh=splat.sh * np.float32(0.4))  # within -1 and 1 after every turn
    stored = transform(splat, np.linalg.inv(to_colmap))
    # What is written is turned from COLMAP's axes; here the numbers are to stay as they are.
    payload = bytearray(foreign.spz_payload(transform(stored, np.diag([*foreign.RUB, 1.0])), 3))
    payload[14] = 2
    payload += struct.pack("<III", 0xADBE0002, 4, 7) + struct.pack("<III", 0xADBE0003, 4, axes)
    (tmp_path / "cloud.spz").write_bytes(gzip.compress(payload))
    read = read_splat(tmp_path / "cloud.spz").gaussians
    np.testing.assert_allclose(read.means, splat.means, atol=1.3e-4)
    np.testing.assert_allclose(covariances(read), covariances(splat), rtol=0.1, atol=2e-3)
    directions = np.random.default_rng(0).normal(size=(20, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    seen, expected = (basis(directions, 3)[:, 1:] @ each.sh[:, 1:] for each in (read, splat))
    np.testing.assert_allclose(seen, expected, atol=0.04)


def test_axes_of_no_kind_are_refused(tmp_path, splat) -> None:
    payload = bytearray(foreign.spz_payload(splat, 3))
    payload[14] = 2
    payload += struct.pack("<III", 0xADBE0003, 4, 17)
    (tmp_path / "cloud.spz").write_bytes(gzip.compress(payload))
    with pytest.raises(CgcError, match=r"cloud.spz has axes of kind 17, .*or as PLY"):
        read_splat(tmp_path / "cloud.spz")


# ---- Version 4 -----------------------------------------------------------------------------------


@pytest.fixture
def packed_with_zlib(monkeypatch) -> None:
    """Stands in for Zstandard, which the engine's Python need not have; Blender's tests have it."""
    monkeypatch.setattr(zstandard_codec, "compress", zlib.compress)

    def decompress(data: bytes, size: int) -> bytes:
        try:
            return zlib.decompressobj().decompress(data, size + 1)
        except zlib.error as error:
            raise ValueError(str(error)) from error

    monkeypatch.setattr(zstandard_codec, "decompress", decompress)


def version_4(splat, extensions: bytes = b"") -> bytes:
    """A file as the library's description has it, its frames packed by zlib."""
    payload = foreign.spz_payload(splat, 3)
    count, start, parts = len(splat), 16, []
    for width in (9, 1, 3, 3, 4, 3 * (splat.sh.shape[1] - 1)):
        if width:
            parts.append(payload[start : start + count * width])
        start += count * width
    packed = [zlib.compress(part) for part in parts]
    return b"".join(
        [
            struct.pack("<4sIIBBBB", b"NGSP", 4, count, splat.sh_degree, 12, 0, len(parts))[:14],
            bytes([2 if extensions else 0, len(parts)]),
            struct.pack("<I12x", 32 + len(extensions)),
            extensions,
            *(struct.pack("<QQ", len(p), len(part)) for p, part in zip(packed, parts, strict=True)),
            *packed,
        ]
    )


@pytest.mark.parametrize("degree", [0, 3])
@pytest.mark.parametrize("extensions", [b"", struct.pack("<II3f", 0xADBE0002, 12, 1, 2, 3)])
@pytest.mark.usefixtures("packed_with_zlib")
def test_version_4(tmp_path, splat, degree, extensions) -> None:
    kept = replace(splat, sh=splat.sh[:, : (degree + 1) ** 2])
    (tmp_path / "cloud.spz").write_bytes(version_4(kept, extensions))
    read = read_splat(tmp_path / "cloud.spz")
    assert (read.dropped, read.notes, read.gaussians.sh_degree) == (0, (), degree)
    assert_near(read.gaussians, kept, means=1.3e-4, rotations=0.01)


def test_a_file_of_splat_transform() -> None:
    if all(zstandard_codec._module(name) is None for name in ("compression.zstd", "zstandard")):
        pytest.skip("this Python has no Zstandard; the tests in Blender do the same")
    folder = Path(__file__).parent / "made_by_splat_transform"
    ours, theirs = read_splat(folder / "cloud.spz"), read_splat(folder / "cloud_spz.ply")
    assert (ours.dropped, ours.notes) == (0, ())
    assert_near(ours.gaussians, theirs.gaussians, means=1e-6, rotations=1e-5)


@pytest.mark.usefixtures("packed_with_zlib")
def test_every_truncation_of_version_4_is_refused(tmp_path, splat) -> None:
    path, content = tmp_path / "cloud.spz", version_4(splat)
    for length in [*range(4, len(content), 61), *range(4, 140), len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(CgcError, match=r"cloud\.spz is"):
            read_splat(path)


@pytest.mark.parametrize(
    ("place", "form", "value", "reason"),
    [
        (4, "<I", 3, "SPZ of version 3 is in gzip"),
        (4, "<I", 5, "SPZ of version 5; versions 1 to 4 are read"),
        (8, "<I", 2**32 - 1, "cut short or damaged: its header promises 4294967295 Gaussians"),
        (15, "<B", 5, "5 of 6 attributes"),
        (15, "<B", 255, "cut short or damaged"),
        (16, "<I", 31, "cut short or damaged"),
        (16, "<I", 2**32 - 1, "cut short or damaged"),
        (32, "<Q", 2**64 - 1, "cut short or damaged"),
        (32, "<Q", 20, "an attribute has"),
        (40, "<Q", 361, "cut short or damaged"),
        (130, "<I", 0, "is damaged: Error"),
    ],
)
@pytest.mark.usefixtures("packed_with_zlib")
def test_a_file_of_version_4_that_cannot_be_is_refused(
    tmp_path, splat, place, form, value, reason
) -> None:
    content = bytearray(version_4(splat))
    struct.pack_into(form, content, place, value)
    (tmp_path / "cloud.spz").write_bytes(content)
    with pytest.raises(CgcError, match=f"cloud.spz.*{reason}"):
        read_splat(tmp_path / "cloud.spz")


def test_without_zstandard_version_4_says_what_to_do(tmp_path, splat, monkeypatch) -> None:
    monkeypatch.setattr(zstandard_codec, "_module", lambda name: None)
    (tmp_path / "new.spz").write_bytes(version_4(splat))
    with pytest.raises(CgcError, match=r"new.spz is SPZ of version 4.*`zstandard`.*as version 3"):
        read_splat(tmp_path / "new.spz")


def test_a_bomb_is_not_unpacked(tmp_path, splat, monkeypatch) -> None:
    """Far more than was promised follows: reading stops soon after the promised end."""
    path = tmp_path / "bomb.spz"
    path.write_bytes(gzip.compress(foreign.spz_payload(splat, 3) + bytes(200_000_000), 1))
    with pytest.raises(CgcError, match="far more data"):
        read_splat(path)


def test_every_truncation_is_refused(tmp_path, splat) -> None:
    path = tmp_path / "cloud.spz"
    foreign.write_spz(path, splat, 3)
    content = path.read_bytes()
    for length in [*range(0, len(content), 61), len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(CgcError):
            read_splat(path)


def test_flipped_bytes_are_found_by_the_checksum(tmp_path, splat) -> None:
    path = tmp_path / "cloud.spz"
    foreign.write_spz(path, splat, 2)
    content = path.read_bytes()

    @settings(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
    )
    @given(place=st.integers(10, len(content) - 1), bit=st.integers(0, 7))
    def flip(place: int, bit: int) -> None:
        damaged = bytearray(content)
        damaged[place] ^= 1 << bit
        path.write_bytes(damaged)
        with pytest.raises(CgcError):
            read_splat(path)

    flip()


def test_other_gzip_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "archive.spz"
    path.write_bytes(gzip.compress(b"not a splat at all"))
    with pytest.raises(CgcError, match="is a gzip file, but no SPZ"):
        read_splat(path)
