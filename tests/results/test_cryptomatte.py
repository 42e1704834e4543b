# SPDX-License-Identifier: GPL-3.0-or-later
"""Hashes are those of the specification, and ranks those of sorting everything at once."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cgc_addon.results.cryptomatte import Ranks, hash_numbers, hash_of, metadata, murmur_hash


@pytest.mark.parametrize(
    ("text", "seed", "expected"),
    [
        # Published values of MurmurHash3_x86_32.
        ("", 0, 0x00000000),
        ("", 1, 0x514E28B7),
        ("test", 0, 0xBA6BD213),
        ("test", 0x9747B28C, 0x704B81DC),
        ("Hello, world!", 0, 0xC0363E43),
        ("The quick brown fox jumps over the lazy dog", 0, 0x2E4FF723),
    ],
)
def test_the_hash_is_murmur_3(text, seed, expected) -> None:
    assert murmur_hash(text.encode(), seed) == expected


def test_numbers_are_finite_and_normal_and_keep_sign_and_mantissa() -> None:
    names = [f"object {number}" for number in range(3000)]
    numbers = hash_numbers(names)
    bits = numbers.view(np.uint32)
    exponents = (bits >> 23) & 0xFF
    assert exponents.min() >= 1
    assert exponents.max() <= 254
    assert np.isfinite(numbers).all()
    hashes = np.array([hash_of(name) for name in names], np.uint32)
    np.testing.assert_array_equal(bits & 0x807F_FFFF, hashes & 0x807F_FFFF)
    odd = ((hashes >> 23) & 0xFF == 0) | ((hashes >> 23) & 0xFF == 255)
    assert odd.any()  # else this test shows nothing
    np.testing.assert_array_equal(bits[~odd], hashes[~odd])


def test_metadata_name_the_layer_and_every_object_once() -> None:
    names = ['a "b"', "ä\\", "a"]
    found = metadata("Layer.CryptoObject", [*names, "a"])
    keys = {key.split("/")[1] for key in found}
    assert keys == {f"{hash_of('Layer.CryptoObject'):08x}"[:7]}
    manifest = json.loads(found[f"cryptomatte/{keys.pop()}/manifest"])
    assert manifest == {name: f"{hash_of(name):08x}" for name in names}


@pytest.mark.parametrize("count", [1, 2, 5, 6])
def test_ranks_are_those_of_a_sort_of_everything(count) -> None:
    random = np.random.default_rng(count)
    coverages = random.random((70, 5, 11)).astype(np.float32)
    coverages[random.random(coverages.shape) < 0.6] = 0.0
    names = hash_numbers([str(number) for number in range(11)])
    ranks = Ranks(70, 5, count)
    for start in (0, 3, 6, 9):
        ranks.add(coverages[..., start : start + 3], names[start : start + 3])
    flat = np.concatenate(ranks.passes(), axis=2)
    assert flat.shape[2] == 4 * ((count + 1) // 2)
    order = np.argsort(-coverages, axis=2)[:, :, :count]
    expected = np.take_along_axis(coverages, order, axis=2)
    np.testing.assert_array_equal(flat[..., 1 : 2 * count : 2], expected)
    named = np.where(expected > 0, names[order], 0.0)
    np.testing.assert_array_equal(flat[..., 0 : 2 * count : 2], named)
    assert not flat[..., 2 * count :].any()
