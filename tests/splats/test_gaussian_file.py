# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians survive being handed over, and their digest tells any change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cgc_addon.errors import CgcError
from cgc_addon.splats.gaussian_file import (
    IndexedGaussians,
    digest,
    read_gaussians,
    write_gaussians,
)
from cgc_addon.splats.gaussians import Gaussians

FIELDS = ("means", "log_scales", "quats", "logit_opacities", "sh", "segments")


def part(count: int = 7, segments: bool = True) -> IndexedGaussians:
    random = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return random.normal(size=(count, *shape)).astype(np.float32)

    gaussians = Gaussians(
        means=normal(3),
        log_scales=normal(3),
        quats=normal(4),
        logit_opacities=normal(),
        sh=normal(9, 3),
        features=normal(16),
        segments=np.arange(count, dtype=np.int32) if segments else None,
    )
    return IndexedGaussians(gaussians, random.permutation(count).astype(np.int32))


@pytest.mark.parametrize(("count", "segments"), [(7, True), (7, False), (0, True)])
def test_all_but_the_features_comes_back(tmp_path, count, segments) -> None:
    written = part(count, segments)
    write_gaussians(tmp_path / "part.npz", written)
    read = read_gaussians(tmp_path / "part.npz")
    np.testing.assert_array_equal(read.index, written.index)
    for name in FIELDS:
        before, after = getattr(written.gaussians, name), getattr(read.gaussians, name)
        assert (before is None) == (after is None)
        if before is not None:
            np.testing.assert_array_equal(after, before)
            assert after.dtype == before.dtype
    assert read.gaussians.features is None


def test_the_digest_tells_every_number_but_those_of_features() -> None:
    one = part()
    assert digest(part()) == digest(one)
    assert digest(replace(one, gaussians=replace(one.gaussians, features=None))) == digest(one)
    found = {digest(one), digest(part(segments=False)), digest(replace(one, index=one.index[::-1]))}
    for name in FIELDS:
        changed = getattr(one.gaussians, name).copy()
        changed.flat[-1] += 1
        found.add(digest(replace(one, gaussians=replace(one.gaussians, **{name: changed}))))
    assert len(found) == 3 + len(FIELDS)


def test_a_damaged_file_is_named(tmp_path) -> None:
    path = tmp_path / "part.npz"
    with pytest.raises(CgcError, match=r"part\.npz is missing"):
        read_gaussians(path)
    write_gaussians(path, part())
    whole = path.read_bytes()
    for data in (whole[: len(whole) // 2], b"", b"nonsense"):
        path.write_bytes(data)
        with pytest.raises(CgcError, match=r"part\.npz is damaged"):
            read_gaussians(path)
    np.savez(path, means=np.zeros((1, 3)))
    with pytest.raises(CgcError, match=r"part\.npz is damaged"):
        read_gaussians(tmp_path / "part.npz")
