# SPDX-License-Identifier: GPL-3.0-or-later
"""Each labelled photo says what its pixels should show, however many are read at a time."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from cgc_addon.cgc.edges import UNKNOWN, segment_targets
from cgc_addon.dataset.load import load_dataset
from cgc_addon.errors import Interrupted
from cgc_addon.progress import never, silent
from cgc_addon.ranks import ALONE
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.training.edge_targets import READING_EDGES, edge_targets
from cgc_addon.training.parameters import splat_of

from ..tiny_dataset import tiny_gaussians


class OneAtATime(CpuBackend):
    def photos_together(self):
        return None


def read(dataset, backend, report=silent, should_stop=never):
    gaussians = tiny_gaussians()
    labels = torch.from_numpy(gaussians.segments.astype(np.int32))
    return edge_targets(
        gaussians, labels, dataset, backend, None, lambda _index: None, ALONE, report, should_stop
    )


def test_two_photos_at_a_time_say_what_they_say_one_by_one(tiny_dataset) -> None:
    dataset, messages = load_dataset(tiny_dataset), []
    targets, touching = read(dataset, CpuBackend(), messages.append)
    one_by_one, touching_then = read(dataset, OneAtATime())
    assert sorted(targets) == sorted(one_by_one) == list(dataset.train)
    for index in targets:
        assert torch.equal(targets[index], one_by_one[index])
    np.testing.assert_array_equal(touching, touching_then)
    assert (touching == touching.T).all()
    assert {(one.stage, one.total) for one in messages} == {(READING_EDGES, len(dataset.train))}


def test_they_are_what_masks_stand_for_and_photos_without_masks_have_none(
    tiny_dataset, tmp_path
) -> None:
    copy = shutil.copytree(tiny_dataset, tmp_path / "dataset")
    without = sorted((copy / "masks").glob("*.png"))[1]
    without.unlink()
    dataset, backend, gaussians = load_dataset(copy), CpuBackend(), tiny_gaussians()
    targets, _ = read(dataset, backend)
    labels = torch.from_numpy(gaussians.segments.astype(np.int32))
    splat = splat_of(gaussians, backend.device)
    assert sorted(targets) == [index for index in dataset.train if index != 1]
    for index in targets:
        shown, _ = backend.render_labels(splat, dataset.store.view(index), labels)
        expected = segment_targets(shown.numpy(), dataset.store.masks(index))
        np.testing.assert_array_equal(targets[index].numpy(), expected.reshape(-1))
        assert (expected != UNKNOWN).any()


def test_it_stops_between_photos(tiny_dataset) -> None:
    with pytest.raises(Interrupted):
        read(load_dataset(tiny_dataset), CpuBackend(), should_stop=lambda: True)
