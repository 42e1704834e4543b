# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays are written as NumPy does it, but where the disk is full."""

from __future__ import annotations

import gc
import sys

import numpy as np
import pytest

from cgc_addon.errors import CgcError
from cgc_addon.npz import write_npz

ARRAYS = {"ids": np.arange(100_000), "size": np.array([3, 4], np.int32), "one": np.float32(2.5)}


@pytest.mark.parametrize("compressed", [False, True])
def test_the_file_is_that_of_numpy(tmp_path, compressed) -> None:
    write_npz(tmp_path / "ours.npz", ARRAYS, compressed=compressed)
    (np.savez_compressed if compressed else np.savez)(tmp_path / "theirs.npz", **ARRAYS)
    assert (tmp_path / "ours.npz").read_bytes() == (tmp_path / "theirs.npz").read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
def test_a_full_disk_is_one_sentence_and_nothing_more(tmp_path, monkeypatch) -> None:
    import resource

    (tmp_path / "a.npz").write_bytes(b"old")
    later = []
    monkeypatch.setattr(sys, "unraisablehook", later.append)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(CgcError, match=r"a\.npz could not be written: File too large"):
            write_npz(tmp_path / "a.npz", ARRAYS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    gc.collect()
    assert later == []
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    assert (tmp_path / "a.npz").read_bytes() == b"old"
