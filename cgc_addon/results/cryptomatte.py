# SPDX-License-Identifier: GPL-3.0-or-later
"""Cryptomatte, specification 1.2.0 (Friedman & Jones 2015): hashes of names, and ranks of coverage.

Each pixel lists the objects that it shows, the largest coverage first, each as a pair: the hash of
the object's name, read as a floating-point number, and its coverage.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

ROWS_AT_ONCE = 64
"""Rows of a picture that are sorted at once; bounds the memory."""
_WORD = 0xFFFF_FFFF


def murmur_hash(data: bytes, seed: int = 0) -> int:
    """Return MurmurHash3_x86_32 of some bytes (Appleby 2011), 0..2³² − 1.

    Example:
        >>> hex(murmur_hash(b"hello"))
        '0x248bfa47'
    """
    state = seed
    whole = len(data) // 4 * 4
    for start in range(0, whole, 4):
        state ^= _scrambled(int.from_bytes(data[start : start + 4], "little"))
        state = (_rotated(state, 13) * 5 + 0xE654_6B64) & _WORD
    if len(data) > whole:
        state ^= _scrambled(int.from_bytes(data[whole:], "little"))
    state ^= len(data)
    state = ((state ^ (state >> 16)) * 0x85EB_CA6B) & _WORD
    state = ((state ^ (state >> 13)) * 0xC2B2_AE35) & _WORD
    return state ^ (state >> 16)


def hash_of(name: str) -> int:
    """Return the hash of an object's name, as the manifest lists it."""
    return murmur_hash(name.encode("utf-8", "surrogateescape"))


def hash_numbers(names: Sequence[str]) -> NDArray[np.float32]:
    """Return the hashes of names (N,) as pixels hold them: never infinite, no NaN, never tiny.

    Example:
        >>> hash_numbers(["hello"]).view(np.uint32).tolist() == [hash_of("hello")]
        True
    """
    hashes = np.array([hash_of(name) for name in names], dtype=np.uint32)
    exponents = np.clip((hashes >> 23) & 0xFF, 1, 254).astype(np.uint32)
    return ((hashes & np.uint32(0x807F_FFFF)) | (exponents << np.uint32(23))).view(np.float32)


def metadata(layer: str, names: Iterable[str]) -> dict[str, str]:
    """Return what a file with these objects must say of them, as keys and texts.

    Args:
        layer: name of the passes without their number: "ViewLayer.CryptoObject".
        names: of the objects.
    """
    prefix = f"cryptomatte/{hash_of(layer):08x}"[: len("cryptomatte/") + 7]
    manifest = {name: f"{hash_of(name):08x}" for name in dict.fromkeys(names)}
    return {
        f"{prefix}/name": layer,
        f"{prefix}/hash": "MurmurHash3_32",
        f"{prefix}/conversion": "uint32_to_float32",
        f"{prefix}/manifest": json.dumps(manifest, ensure_ascii=False, separators=(",", ":")),
    }


class Ranks:
    """The largest coverages of each pixel, of objects that are drawn some at a time."""

    def __init__(self, height: int, width: int, count: int) -> None:
        """Begin with pixels that show nothing.

        Args:
            height: px.
            width: px.
            count: how many objects a pixel lists at most.
        """
        self._coverages = np.zeros((height, width, count), dtype=np.float32)
        self._hashes = np.zeros((height, width, count), dtype=np.float32)

    def add(self, coverages: NDArray[np.float32], hashes: NDArray[np.float32]) -> None:
        """Take in further objects.

        Args:
            coverages: (H, W, K) of each, 0..1.
            hashes: (K,) of their names, as `hash_numbers` gives them; (H, W, K) where they differ
                from pixel to pixel.
        """
        count = self._coverages.shape[2]
        for top in range(0, len(coverages), ROWS_AT_ONCE):
            rows = slice(top, top + ROWS_AT_ONCE)
            new = coverages[rows]
            together = np.concatenate([self._coverages[rows], new], axis=2)
            these = np.broadcast_to(hashes if hashes.ndim == 1 else hashes[rows], new.shape)
            names = np.concatenate([self._hashes[rows], these], axis=2, dtype=np.float32)
            order = np.argsort(-together, axis=2, kind="stable")[:, :, :count]
            self._coverages[rows] = np.take_along_axis(together, order, axis=2)
            self._hashes[rows] = np.take_along_axis(names, order, axis=2)

    def passes(self) -> list[NDArray[np.float32]]:
        """Return the passes (H, W, 4): hash, coverage, next hash, its coverage."""
        coverages = np.maximum(self._coverages, 0.0)
        hashes = np.where(coverages > 0.0, self._hashes, np.float32(0.0))
        pairs = np.stack([hashes, coverages], axis=3)
        height, width, count = coverages.shape
        flat = np.zeros((height, width, 2 * (count + count % 2)), dtype=np.float32)
        flat[:, :, : 2 * count] = pairs.reshape(height, width, 2 * count)
        return [np.ascontiguousarray(flat[..., i : i + 4]) for i in range(0, flat.shape[2], 4)]


def _scrambled(word: int) -> int:
    return (_rotated((word * 0xCC9E_2D51) & _WORD, 15) * 0x1B87_3593) & _WORD


def _rotated(word: int, bits: int) -> int:
    return ((word << bits) | (word >> (32 - bits))) & _WORD
