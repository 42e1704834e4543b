# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes stay loaded, within bounds, and hold what gathering by hand gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cgc_addon.errors import CgcError
from cgc_addon.progress import silent
from cgc_addon.results.frame_request import FramePart
from cgc_addon.results.loaded_scenes import LoadedScenes
from cgc_addon.splats.gaussian_file import IndexedGaussians, write_gaussians
from cgc_addon.splats.select import subset

from ..tiny_dataset import tiny_gaussians


@pytest.fixture
def parts(tmp_path) -> list[FramePart]:
    """Return the tiny splat in two parts, every other Gaussian in each."""
    gaussians = tiny_gaussians()
    made = []
    for number in range(2):
        index = np.arange(number, len(gaussians), 2, dtype=np.int32)
        path = tmp_path / f"{number}.npz"
        write_gaussians(path, IndexedGaussians(subset(gaussians, index), index))
        made.append(FramePart(path, np.eye(4), str(number), None))
    return made


def test_parts_of_a_splat_are_that_splat_again(parts, backend) -> None:
    scene, whole = LoadedScenes().scene(parts, backend), tiny_gaussians()
    np.testing.assert_array_equal(scene.splat.means, whole.means)
    np.testing.assert_array_equal(scene.segments, whole.segments)
    assert scene.part.tolist() == [0, 1] * (len(whole) // 2) + [0] * (len(whole) % 2)


def test_a_scene_is_loaded_once_until_something_moves(parts, backend) -> None:
    loaded = LoadedScenes()
    first = loaded.scene(parts, backend)
    for part in parts:
        part.file.unlink()  # nobody reads them again
    renamed = [replace(part, name="other", index=5) for part in parts]
    assert loaded.scene(renamed, backend) is first
    shift = np.eye(4)
    shift[:3, 3] = (1.0, 2.0, 3.0)
    moved = loaded.scene([parts[0], replace(parts[1], matrix=shift)], backend)
    difference = (moved.splat.means - first.splat.means).numpy()
    second = difference[moved.part == 1]
    np.testing.assert_allclose(second, np.broadcast_to((1.0, 2.0, 3.0), second.shape), rtol=1e-6)
    assert not difference[moved.part == 0].any()
    assert loaded.scene(parts, backend) is first


def test_what_was_not_used_for_long_is_let_go(parts, backend) -> None:
    loaded = LoadedScenes(most_bytes=0)
    first = loaded.scene(parts[:1], backend)
    assert loaded.scene(parts[:1], backend) is first
    loaded.scene(parts[1:], backend)
    assert loaded.scene(parts[:1], backend) is not first


def test_nothing_is_no_scene(backend, tmp_path) -> None:
    loaded = LoadedScenes()
    assert loaded.scene([], backend) is None
    none = np.zeros(0, np.int32)
    write_gaussians(tmp_path / "a.npz", IndexedGaussians(subset(tiny_gaussians(), none), none))
    empty = FramePart(tmp_path / "a.npz", np.eye(4), "empty", None)
    assert loaded.scene([empty], backend) is None


def test_a_part_that_is_flattened_is_named(parts, backend) -> None:
    flat = replace(parts[0], matrix=np.diag([1.0, 0.0, 1.0, 1.0]), name="the chair")
    with pytest.raises(CgcError, match=r"the chair: .*scale of zero"):
        LoadedScenes().scene([flat], backend)


def test_a_backend_is_opened_once() -> None:
    loaded = LoadedScenes()
    assert loaded.backend("cpu", silent) is loaded.backend("cpu", silent)
