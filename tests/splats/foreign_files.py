# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats written byte by byte as other programs do, from the descriptions of their formats."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np

from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.rotations import normalised

SH_C0 = 0.28209479177387814
RUB = np.array([1.0, -1.0, -1.0])
"""From COLMAP's axes to those of SPZ."""
RUB_HARMONICS = np.array(
    [*(-1, -1, 1), *(-1, 1, 1, -1, 1), *(-1, 1, -1, -1, 1, -1, 1)], dtype=np.float64
)
"""Factors of the 15 higher harmonics, as the SPZ library lists them for flipped y and z:
y, z, x; xy, yz, 1, xz, 1; y, xyz, y, z, x, z, x."""


def to_bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.asarray(values, np.float64)))


def spz_payload(splat: Gaussians, version: int, fractional_bits: int = 12) -> bytes:
    """The unpacked content of an SPZ file."""
    means = splat.means * RUB
    if version == 1:
        positions = means.astype("<f2").tobytes()
    else:
        fixed = np.round(means * (1 << fractional_bits)).astype("<i4")
        positions = fixed.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    quats = normalised(splat.quats).astype(np.float64)
    xyzw = np.concatenate([quats[:, 1:] * RUB, quats[:, :1]], axis=1)
    if version < 3:
        signs = np.where(xyzw[:, 3:] < 0, -1.0, 1.0)
        rotations = to_bytes(xyzw[:, :3] * signs * 127.5 + 127.5).tobytes()
    else:
        rotations = b"".join(_smallest_three(row) for row in xyzw)
    rest = splat.sh[:, 1:] * RUB_HARMONICS[: splat.sh.shape[1] - 1, None]
    return b"".join(
        [
            struct.pack(
                "<4sIIBBBB",
                *(b"NGSP", version, len(splat), splat.sh_degree, fractional_bits, 0, 0),
            ),
            positions,
            to_bytes(sigmoid(splat.logit_opacities) * 255).tobytes(),
            to_bytes(splat.sh[:, 0] * (0.15 * 255) + 127.5).tobytes(),
            to_bytes((splat.log_scales + 10) * 16).tobytes(),
            rotations,
            to_bytes(rest * 128 + 128).tobytes(),
        ]
    )


def _smallest_three(xyzw: np.ndarray) -> bytes:
    largest = int(np.argmax(np.abs(xyzw)))
    word = largest
    for index in range(4):
        if index != largest:
            negative = (xyzw[index] < 0) != (xyzw[largest] < 0)
            magnitude = int(511 * abs(xyzw[index]) * 2**0.5 + 0.5)
            word = word << 10 | int(negative) << 9 | magnitude
    return struct.pack("<I", word)


def write_spz(path: Path, splat: Gaussians, version: int) -> None:
    path.write_bytes(gzip.compress(spz_payload(splat, version)))


def write_splat(path: Path, splat: Gaussians) -> None:
    """A `.splat` in the order of the Gaussians, which antimatter15's tool sorts by size."""
    rows = []
    color = np.column_stack([0.5 + SH_C0 * splat.sh[:, 0], sigmoid(splat.logit_opacities)]) * 255
    rotation = normalised(splat.quats) * 128 + 128
    for index in range(len(splat)):
        rows.append(splat.means[index].astype("<f4").tobytes())
        rows.append(np.exp(splat.log_scales[index]).astype("<f4").tobytes())
        rows.append(color[index].clip(0, 255).astype(np.uint8).tobytes())
        rows.append(rotation[index].clip(0, 255).astype(np.uint8).tobytes())
    path.write_bytes(b"".join(rows))


def compressed_ply(
    splat: Gaussians, *, colors_in_chunks: bool = True, chunk_rows: int | None = None
) -> bytes:
    """A compressed PLY; without colours in chunks as older programs wrote it."""
    count, chunks = len(splat), -(-len(splat) // 256)
    ends = [f"{end}_{axis}" for end in ("min", "max") for axis in "xyz"]
    names = [*ends, *(name.replace("_", "_scale_") for name in ends)]
    columns = [splat.means.astype(np.float64), splat.log_scales.astype(np.float64)]
    rgb = 0.5 + SH_C0 * splat.sh[:, 0].astype(np.float64)
    if colors_in_chunks:
        names += [f"{end}_{channel}" for end in ("min", "max") for channel in "rgb"]
        columns.append(rgb)
    ranges, shares = [], []
    for values in columns:
        parts = [values[start : start + 256] for start in range(0, count, 256)]
        low, high = (np.array([f(part, axis=0) for part in parts]) for f in (np.min, np.max))
        index = np.arange(count) // 256
        ranges.append(np.concatenate([low, high], axis=1))
        shares.append((values - low[index]) / np.maximum(high - low, 1e-9)[index])
    if not colors_in_chunks:
        shares.append(rgb.clip(0, 1))

    def packed(values: np.ndarray, bits: tuple[int, ...]) -> np.ndarray:
        word = np.zeros(count, np.uint64)
        for column, width in zip(values.T, bits, strict=True):
            top = (1 << width) - 1
            word = word << np.uint64(width) | np.clip(np.floor(column * top + 0.5), 0, top).astype(
                np.uint64
            )
        return word.astype("<u4")

    quats = normalised(splat.quats).astype(np.float64)
    largest = np.argmax(np.abs(quats), axis=1)
    quats *= np.sign(quats[np.arange(count), largest])[:, None]
    others = quats[np.arange(4) != largest[:, None]].reshape(count, 3)
    rotation = packed(others * 2**-0.5 + 0.5, (10, 10, 10)) | (largest << 30).astype("<u4")
    alpha = sigmoid(splat.logit_opacities)[:, None]
    words = [
        packed(shares[0], (11, 10, 11)),
        rotation,
        packed(shares[1], (11, 10, 11)),
        packed(np.concatenate([shares[2], alpha], axis=1), (8, 8, 8, 8)),
    ]
    header = [
        *("ply", "format binary_little_endian 1.0", "comment Generated by a test"),
        f"element chunk {chunk_rows or chunks}",
        *(f"property float {name}" for name in names),
        f"element vertex {count}",
        *(f"property uint packed_{name}" for name in ("position", "rotation", "scale", "color")),
    ]
    data = np.concatenate(ranges, axis=1).astype("<f4").tobytes()
    data += np.stack(words, axis=1).tobytes()
    coefficients = splat.sh.shape[1] - 1
    if coefficients:
        header += [f"element sh {count}"]
        header += [f"property uchar f_rest_{index}" for index in range(3 * coefficients)]
        rest = splat.sh[:, 1:].transpose(0, 2, 1).reshape(count, -1)
        data += np.clip(np.trunc((rest / 8 + 0.5) * 256), 0, 255).astype(np.uint8).tobytes()
    return "\n".join([*header, "end_header", ""]).encode() + data
