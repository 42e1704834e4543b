# SPDX-License-Identifier: GPL-3.0-or-later
"""What views show, and segments, come back from a state as they went into it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cgc_addon.cgc.observations import Observation, observe
from cgc_addon.cgc.segmentation import find_segments
from cgc_addon.dataset.load import load_dataset
from cgc_addon.rasterize.select import select_backend
from cgc_addon.training.checkpoint import Checkpoint, load_checkpoint, write_checkpoint
from cgc_addon.training.parameters import splat_of
from cgc_addon.training.stages_by_view import Finding, Looking

from ..tiny_dataset import tiny_gaussians


def stored(state, path):
    """Return a state as the next process reads it."""
    write_checkpoint(path, Checkpoint(*state))
    found = load_checkpoint(path, torch.device("cpu"))
    return found.tensors, found.values


@pytest.fixture(scope="module")
def scene(tiny_dataset):
    backend = select_backend("cpu")[0]
    store = load_dataset(tiny_dataset).store
    views = [store.view(index) for index in range(len(store))]
    return backend, splat_of(tiny_gaussians(), backend.device), views, [
        store.masks(index) for index in range(len(store))
    ]  # fmt: skip


def looked(scene, looking, until=None) -> list[Observation]:
    backend, splat, views, maps = scene

    def note(seen) -> None:
        looking.seen.append(seen)
        if len(looking.seen) == until:
            raise KeyboardInterrupt

    return observe(backend, splat, views, maps, earlier=looking.earlier(views[0]), on_seen=note)


def test_looking_goes_on_after_the_views_that_were_looked_at(scene, tmp_path) -> None:
    whole = looked(scene, Looking(*scene[:2]))
    killed = Looking(*scene[:2])
    with pytest.raises(KeyboardInterrupt):
        looked(scene, killed, until=5)
    again = Looking(*scene[:2])
    again.restore(stored(killed.state(), tmp_path / "state.safetensors"))
    assert len(again.seen) == 5
    found = looked(scene, again)
    assert len(found) == len(whole) == 12
    for one, expected in zip(found, whole, strict=True):
        assert one.blending.products is expected.blending.products
        assert one.blending.count == expected.blending.count
        assert one.pixel_area == expected.pixel_area
        for name in ("starts", "gaussians", "weights"):
            left, right = getattr(one.blending, name), getattr(expected.blending, name)
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)
        np.testing.assert_array_equal(one.labels, expected.labels)


def test_segments_are_found_once(scene, tmp_path) -> None:
    gaussians = tiny_gaussians()
    features = np.eye(16, dtype=np.float32)[gaussians.segments]
    observations = looked(scene, Looking(*scene[:2]))
    calls = []

    def find():
        calls.append(1)
        return find_segments(observations, gaussians.means, features)

    first, second = Finding(find), Finding(find)
    second.restore(stored(first.state(), tmp_path / "nothing.safetensors"))
    assert second.found is None
    first.step(lambda: None)
    second.restore(stored(first.state(), tmp_path / "state.safetensors"))
    second.step(lambda: None)
    assert len(calls) == 1
    assert first.found is not None
    assert second.found is not None
    for part in ("lifted", "clustering", "tree"):
        left, right = getattr(first.found, part), getattr(second.found, part)
        for name, value in vars(left).items():
            np.testing.assert_array_equal(getattr(right, name), value, err_msg=name)
            assert type(getattr(right, name)) is type(value)
