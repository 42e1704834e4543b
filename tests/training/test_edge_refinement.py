# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from cgc_addon.cgc.edges import straddling_gaussians
from cgc_addon.cgc.exact_labels import exact_labels
from cgc_addon.cgc.observations import observe
from cgc_addon.dataset.load import load_dataset
from cgc_addon.errors import Interrupted
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.splats.initialise import first_gaussians
from cgc_addon.training import edge_refinement
from cgc_addon.training.config import EdgeSettings
from cgc_addon.training.edge_refinement import HARMONICS_EVERY, EdgeRefiner
from cgc_addon.training.parameters import splat_of
from cgc_addon.training.presets import preset
from cgc_addon.training.trainer import Trainer
from cgc_addon.training.unseen import LEAST_SHOWN, shown_pixels


@pytest.fixture(scope="module")
def scene(tiny_dataset):
    """A trained splat, its exact labels, observations of the masks, dataset and backend."""
    dataset, backend = load_dataset(tiny_dataset), CpuBackend()
    trainer = Trainer(
        dataset, backend, preset("draft", steps=60), first_gaussians(dataset.scene, None)
    )
    trainer.run()
    gaussians = trainer.gaussians()
    views = [dataset.store.view(index) for index in dataset.train]
    splat = splat_of(gaussians, backend.device)

    def look(maps):
        return observe(backend, splat, views, maps, fraction=1.0)

    truth = exact_labels(look([dataset.store.truth(index) for index in dataset.train]))
    masks = look([dataset.store.labels(index) for index in dataset.train])
    return gaussians, truth, masks, dataset, backend


def wrong_pixels(gaussians, labels, dataset, backend):
    splat, wrong = splat_of(gaussians, backend.device), 0
    for index in dataset.train:
        shown, _ = backend.render_labels(
            splat, dataset.store.view(index), torch.from_numpy(labels.astype(np.int32))
        )
        wrong += int(np.count_nonzero(shown.numpy() != dataset.store.truth(index)))
    return wrong


def refine(scene, steps, cap=1_000_000, **more):
    gaussians, labels, masks, dataset, backend = scene
    geometry = preset("draft").geometry
    geometry = replace(geometry, sh_degree=3, densify=replace(geometry.densify, cap=cap))
    refiner = EdgeRefiner(
        gaussians, labels, masks, dataset, backend, EdgeSettings(steps=steps), geometry, 0, **more
    )
    refiner.run(**more)
    return refiner.refined()


def test_edges_become_sharper(scene):
    gaussians, labels, _, dataset, backend = scene
    refined = refine(scene, 40)
    before = wrong_pixels(gaussians, labels, dataset, backend)
    after = wrong_pixels(refined.gaussians, labels[refined.origin], dataset, backend)
    assert after < 0.9 * before


def test_every_gaussian_knows_where_it_comes_from(scene):
    gaussians, _, _, dataset, backend = scene
    refined = refine(scene, 1)
    assert len(refined.origin) == len(refined.gaussians)
    shown = np.flatnonzero(shown_pixels(gaussians, dataset, backend) >= LEAST_SHOWN)
    assert len(refined.origin) >= len(shown)
    assert np.array_equal(refined.origin[: len(shown)], shown)


def test_what_no_photo_shows_is_dropped(scene):
    """Here: what lies far behind the cameras."""
    gaussians, labels, masks, dataset, backend = scene
    means = gaussians.means.copy()
    means[:5] = 1000 * np.abs(means).max()
    hidden = (replace(gaussians, means=means), labels, masks, dataset, backend)
    refined = refine(hidden, 1)
    assert not np.isin(np.arange(5), refined.origin).any()
    assert np.abs(refined.gaussians.means).max() < means.max() / 2


def test_it_ends_with_no_more_gaussians_than_the_cap(scene, monkeypatch):
    small_ones_too = partial(straddling_gaussians, minimum_weight=1.0)
    monkeypatch.setattr(edge_refinement, "straddling_gaussians", small_ones_too)
    gaussians, free = scene[0], len(refine(scene, 0).origin)
    kept = len(np.unique(refine(scene, 0).origin))
    assert free > kept + 10, "nothing is split here"
    for cap, count in ((kept + 3, kept + 3), (kept - 50, kept), (free, free)):
        refined = refine(scene, 0, cap)
        assert len(refined.gaussians) == len(refined.origin) == count
        assert np.all(np.bincount(refined.origin, minlength=len(gaussians)) <= 2)


def test_the_same_seed_gives_the_same_result(scene):
    first, second = refine(scene, 5), refine(scene, 5)
    assert np.array_equal(first.gaussians.means, second.gaussians.means)


def test_the_result_is_the_same_with_any_number_of_threads(scene):
    one, two = (refine((*scene[:4], CpuBackend(threads)), 5).gaussians.means for threads in (1, 2))
    assert np.array_equal(one, two)


def test_one_step_of_a_few_teaches_the_higher_harmonics(scene):
    after = {
        steps: refine(scene, steps).gaussians for steps in (1, HARMONICS_EVERY, HARMONICS_EVERY + 1)
    }
    assert np.array_equal(after[1].sh[:, 1:], after[HARMONICS_EVERY].sh[:, 1:])
    assert not np.array_equal(after[1].sh[:, :1], after[HARMONICS_EVERY].sh[:, :1])
    assert not np.array_equal(after[1].sh[:, 1:], after[HARMONICS_EVERY + 1].sh[:, 1:])


def test_it_can_be_stopped(scene):
    with pytest.raises(Interrupted):
        refine(scene, 5, should_stop=lambda: True)
