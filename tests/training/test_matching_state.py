# SPDX-License-Identifier: GPL-3.0-or-later
"""What comparing photos found is taken up again, if it is of these photos and whole."""

from __future__ import annotations

import os
import shutil
from itertools import count

import numpy as np
import pytest

from cgc_addon.dataset.load import load_dataset
from cgc_addon.dataset.scene import SurfacePoints
from cgc_addon.reconstruction.dense.matching import Matching
from cgc_addon.reconstruction.dense.surfaces import Surfaces
from cgc_addon.training.matching_state import MatchingState, fingerprint, keep_gains_alone

RANDOM = np.random.default_rng(0)
SURFACES = [
    Surfaces(
        RANDOM.random((3, 4, 3), np.float32), RANDOM.random((3, 4), np.float32), stride=2 + number
    )
    for number in range(3)
]
FOUND = Matching(
    SurfacePoints(
        RANDOM.random((5, 3), np.float32),
        RANDOM.integers(0, 255, (5, 3), np.uint8),
        RANDOM.random((5, 3), np.float32),
    ),
    RANDOM.random(3),
)


@pytest.fixture
def state(tmp_path):
    def opened(inputs="these", size=480, seconds=0.0, clock=None) -> MatchingState:
        path = tmp_path / "matching.safetensors"
        return MatchingState(path, inputs, size, seconds, clock or count(1.0).__next__)

    return opened


def result(state, *, of_this_run=False, gains_alone=False):
    return state.result(of_this_run=of_this_run, gains_alone=gains_alone)


def test_surfaces_of_the_photos_so_far_come_back(state) -> None:
    state().note(SURFACES[:2])
    found = state().surfaces()
    assert len(found) == 2
    for one, expected in zip(found, SURFACES, strict=False):
        np.testing.assert_array_equal(one.planes, expected.planes)
        np.testing.assert_array_equal(one.costs, expected.costs)
        assert one.stride == expected.stride
    assert result(state()) is None


def test_they_are_kept_as_seldom_as_asked_and_when_it_is_stopped(state) -> None:
    times = iter([0.0, 8.0, 16.0, 16.0, 24.0])
    kept = state(seconds=20.0, clock=lambda: next(times))
    kept.note(SURFACES[:1])  # after 8 s; one more may end after 16
    assert not state().surfaces()
    kept.note(SURFACES[:2])  # one more may end after 24
    assert len(state().surfaces()) == 2
    kept.note(SURFACES)
    assert len(state().surfaces()) == 2
    kept.keep_surfaces()
    assert len(state().surfaces()) == 3


def test_what_came_of_them_comes_back_and_they_go(state) -> None:
    state().note(SURFACES)
    state().finish(FOUND)
    found = result(state())
    assert found is not None
    for name in ("points", "colors", "normals"):
        np.testing.assert_array_equal(getattr(found.surface, name), getattr(FOUND.surface, name))
    np.testing.assert_array_equal(found.gains, FOUND.gains)
    assert found.gains.dtype == FOUND.gains.dtype
    assert not state().surfaces()


def test_of_a_complete_run_the_gains_stay(state) -> None:
    state().finish(FOUND)
    keep_gains_alone(state().path)
    assert result(state()) is None  # whoever needs points has none
    found = result(state(), gains_alone=True)
    assert found is not None
    assert len(found.surface) == 0
    np.testing.assert_array_equal(found.gains, FOUND.gains)
    state().note(SURFACES)
    keep_gains_alone(state().path)  # a run that needed none in the end
    assert not state().path.exists()


def test_what_is_of_no_use_is_not_used(state) -> None:
    state().finish(FOUND)
    assert result(state(inputs="others")) is None
    assert result(state(size=240)) is None
    assert result(state(size=240), of_this_run=True) is not None
    path = state().path
    path.write_bytes(path.read_bytes()[:40])
    assert result(state()) is None
    assert state().surfaces() == []
    path.write_bytes(b"a file of somebody else")
    assert result(state()) is None
    keep_gains_alone(path)
    assert not path.exists()


def test_nothing_is_kept_nowhere() -> None:
    state = MatchingState(None, "these", 480, 0.0)
    state.note(SURFACES)
    state.finish(FOUND)
    assert result(state) is None
    assert state.surfaces() == []


def test_a_fingerprint_tells_photos_cameras_and_seeds_apart(tiny_dataset, tmp_path) -> None:
    folder = shutil.copytree(tiny_dataset, tmp_path / "data")
    prints = [fingerprint(load_dataset(folder), 0), fingerprint(load_dataset(folder), 1)]
    assert fingerprint(load_dataset(folder, max_size=20), 0) == prints[0]
    prints.append(fingerprint(load_dataset(folder, test_every=4), 0))
    photo = sorted((folder / "images").iterdir())[3]
    os.utime(photo, ns=(1, 1))
    prints.append(fingerprint(load_dataset(folder), 0))
    assert len(set(prints)) == 4
