# SPDX-License-Identifier: GPL-3.0-or-later
"""Compressed PLY, as SuperSplat, PlayCanvas and gsplat write it.

An element `chunk` has a row for each 256 Gaussians: between which values their positions, their
log-scales and, in newer files, their colours lie. An element `vertex` has four 32-bit words for
each Gaussian, with shares of these ranges; an element `sh`, where there is one, has a byte for
each higher harmonic.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from ..ply_table import PlyElement, PlyHeader, read_table
from .gaussians import Gaussians
from .loaded import LoadedSplat, checked_splat
from .spherical_harmonics import CONSTANT_BASIS

CHUNK = 256
"""Gaussians that share a row of `chunk`."""
PACKED = ("packed_position", "packed_rotation", "packed_scale", "packed_color")
POSITIONS = ("x", "y", "z")
SCALES = ("scale_x", "scale_y", "scale_z")
COLORS = ("r", "g", "b")
_HARMONICS = 4.0
"""Higher harmonics are kept between minus this and this."""


def is_compressed(header: PlyHeader) -> bool:
    """Return whether a PLY file holds packed Gaussians."""
    vertex = header.element("vertex")
    return vertex is not None and any(item.name == PACKED[0] for item in vertex.properties)


def read_compressed_ply(header: PlyHeader) -> LoadedSplat:
    """Read the Gaussians of a file that `is_compressed`.

    Raises:
        CgcError: elements or properties are missing, do not fit together, or hold no numbers.
        OSError: the file cannot be read.
    """
    vertex = _element(header, "vertex", PACKED)
    chunk = _element(header, "chunk", _ends((*POSITIONS, *SCALES)))
    count = vertex.count
    if count == 0:
        raise CgcError(f"{header.path} holds no Gaussians.")
    if chunk.count != -(-count // CHUNK):
        raise CgcError(
            f"{header.path} is damaged: {count} Gaussians need {-(-count // CHUNK)} rows of "
            f"`chunk`, it has {chunk.count}; export the file again."
        )
    words = read_table(header, vertex)
    positions, rotations, scales, colors = (words[name].astype(np.uint32) for name in PACKED)
    ranges = read_table(header, chunk)
    chunks = np.arange(count) // CHUNK
    shares = _bytes(colors) / np.float32(255)
    rgb = shares[:, :3]
    if {item.name for item in chunk.properties}.issuperset(_ends(COLORS)):
        rgb = _between(ranges, COLORS, chunks, rgb)
    with np.errstate(divide="ignore"):  # opacities of 0 and 1 are made finite later
        logits = np.log(shares[:, 3] / (1 - shares[:, 3]))
    constant = (rgb - np.float32(0.5)) / np.float32(CONSTANT_BASIS)
    gaussians = Gaussians(
        means=_between(ranges, POSITIONS, chunks, _eleven_ten_eleven(positions)),
        log_scales=_between(ranges, SCALES, chunks, _eleven_ten_eleven(scales)),
        quats=_rotations(rotations),
        logit_opacities=logits.astype(np.float32),
        sh=np.concatenate([constant[:, None], _harmonics(header, count)], axis=1),
    )
    return checked_splat(header.path, gaussians)


def _element(header: PlyHeader, name: str, needed: tuple[str, ...]) -> PlyElement:
    """Return an element that has the properties needed, all of them plain numbers."""
    element = header.element(name)
    found = [] if element is None else [i.name for i in element.properties if not i.length_type]
    missing = [item for item in needed if item not in found]
    if element is None or missing or element.has_lists:
        raise CgcError(
            f"{header.path} is not a compressed splat that can be read: "
            + (f"it has no element `{name}`" if element is None else "")
            + (f"its `{name}` lacks `{missing[0]}`" if element is not None and missing else "")
            + (f"its `{name}` has lists" if element is not None and not missing else "")
            + "; export it again, or as an uncompressed PLY."
        )
    return element


def _ends(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{end}_{name}" for end in ("min", "max") for name in names)


def _eleven_ten_eleven(words: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Return shares (N, 3) of words (N,): 11, 10 and 11 bits, the highest first."""
    parts = np.stack([words >> 21, (words >> 11) & 0x3FF, words & 0x7FF], axis=1)
    return parts.astype(np.float32) / np.array([2047, 1023, 2047], np.float32)


def _bytes(words: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Return the four bytes (N, 4) of words (N,), the highest first."""
    parts = np.stack([words >> 24, (words >> 16) & 0xFF, (words >> 8) & 0xFF, words & 0xFF], axis=1)
    return parts.astype(np.float32)


def _between(
    ranges: NDArray[np.void],
    names: tuple[str, ...],
    chunks: NDArray[np.intp],
    shares: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return values (N, len(names)) at shares of the ranges of the Gaussians' chunks (N,)."""
    low = np.stack([ranges[f"min_{name}"] for name in names], axis=1).astype(np.float32)
    high = np.stack([ranges[f"max_{name}"] for name in names], axis=1).astype(np.float32)
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is left out later
        return low[chunks] * (1 - shares) + high[chunks] * shares


def _rotations(words: NDArray[np.uint32]) -> NDArray[np.float32]:
    """Return unit quaternions (N, 4) wxyz of words (N,).

    Two bits say which component is the largest; the others follow in 10 bits each, in their order,
    between −√½ and √½. The largest is positive.
    """
    bits = np.stack([(words >> 20) & 0x3FF, (words >> 10) & 0x3FF, words & 0x3FF], axis=1)
    others = (bits.astype(np.float32) / np.float32(1023) - np.float32(0.5)) * np.float32(2**0.5)
    largest = (words >> 30).astype(np.intp)
    quats = np.empty((len(words), 4), np.float32)
    columns = np.arange(4)
    quats[columns != largest[:, None]] = others.reshape(-1)
    square = np.maximum(0, 1 - (others**2).sum(axis=1))
    quats[np.arange(len(words)), largest] = np.sqrt(square)
    return quats


def _harmonics(header: PlyHeader, count: int) -> NDArray[np.float32]:
    """Return the higher harmonics (N, 0, 3), (N, 3, 3), (N, 8, 3) or (N, 15, 3)."""
    element = header.element("sh")
    if element is None:
        return np.zeros((count, 0, 3), np.float32)
    coefficients = len(element.properties)
    names = [f"f_rest_{index}" for index in range(coefficients)]
    kinds = {item.name: item.type for item in element.properties if not item.length_type}
    if coefficients not in (9, 24, 45) or any(kinds.get(name) != "u1" for name in names):
        raise CgcError(
            f"{header.path} is not a compressed splat that can be read: its `sh` must have 9, 24 "
            "or 45 properties f_rest_* of type uchar; export it again."
        )
    if element.count != count:
        raise CgcError(
            f"{header.path} is damaged: it has {count} Gaussians, but harmonics of "
            f"{element.count}; export the file again."
        )
    table = read_table(header, element)
    values = np.stack([table[name] for name in names], axis=1).astype(np.float32)
    # The ends stand for themselves, all else for the middle of its step.
    shares = np.where(values == 0, 0, np.where(values == 255, 1, (values + 0.5) / 256))
    rest = ((shares - 0.5) * (2 * _HARMONICS)).astype(np.float32)
    return rest.reshape(count, 3, coefficients // 3).transpose(0, 2, 1)
