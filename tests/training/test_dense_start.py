# SPDX-License-Identifier: GPL-3.0-or-later
"""Surface points are looked for where they help, in photos of the training alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cgc_addon.dataset.load import load_dataset
from cgc_addon.dataset.scene import SurfacePoints
from cgc_addon.errors import Interrupted
from cgc_addon.reconstruction.dense.matching import Matching
from cgc_addon.training import dense_start
from cgc_addon.training.dense_start import with_surface_points
from cgc_addon.training.presets import preset

CONFIG = preset("standard")
GAINS = np.tile([1.25, 0.8], 20)


@pytest.fixture
def dataset(tiny_dataset):
    return load_dataset(tiny_dataset, test_every=4)


@pytest.fixture
def asked(monkeypatch):
    """What the matching was asked; it finds 500 points."""
    calls = []

    def find(views, photo, sparse, *, seed, **_options):
        calls.append((views, [photo(index) for index in range(len(views))], sparse, seed))
        ones = np.ones((500, 3), np.float32)
        return Matching(SurfacePoints(ones, ones.astype(np.uint8), ones), GAINS[: len(views)])

    monkeypatch.setattr(dense_start, "match_photos", find)
    return calls


def test_points_are_found_and_the_rest_stays(dataset, asked) -> None:
    found = with_surface_points(dataset, replace(CONFIG, seed=3))
    assert found.scene.surface is not None
    assert len(found.scene.surface) == 500
    assert found.store is dataset.store
    assert found.train == dataset.train
    np.testing.assert_array_equal(found.scene.points, dataset.scene.points)
    assert asked[0][3] == 3


def test_photos_of_the_training_have_their_gains_and_others_none(dataset, asked) -> None:
    gains = with_surface_points(dataset, CONFIG).scene.gains
    assert gains is not None
    np.testing.assert_allclose(gains[list(dataset.train)], GAINS[: len(dataset.train)])
    assert (gains[list(dataset.test)] == 1).all()


def test_photos_that_agree_have_no_gains(dataset, asked, monkeypatch) -> None:
    monkeypatch.setitem(globals(), "GAINS", np.ones(40))
    assert with_surface_points(dataset, CONFIG).scene.gains is None


def test_held_out_photos_have_no_part_and_photos_are_small(dataset, asked, monkeypatch) -> None:
    monkeypatch.setattr(dense_start, "photo_size", lambda count: 20 * (count == len(dataset.train)))
    with_surface_points(dataset, CONFIG)
    views, photos, _, _ = asked[0]
    names = [dataset.scene.views[index].name for index in dataset.train]
    assert [view.name for view in views] == names
    for view, photo in zip(views, photos, strict=True):
        assert photo.shape[:2] == (view.camera.height, view.camera.width)
        assert max(photo.shape) == 20


def changed(**values):
    return replace(CONFIG, geometry=replace(CONFIG.geometry, **values))


@pytest.mark.parametrize(
    "config",
    [
        changed(surface_share=0.0),
        changed(densify=replace(CONFIG.geometry.densify, cap=100)),  # sparse points are enough
        replace(CONFIG, init="given.ply"),
    ],
)
def test_it_does_not_look_where_nothing_is_wanted(dataset, asked, config) -> None:
    assert with_surface_points(dataset, config) is dataset
    assert not asked


def test_it_does_not_look_with_one_photo_or_hardly_a_sparse_point(dataset, asked) -> None:
    single = replace(dataset, train=dataset.train[:1])
    assert with_surface_points(single, CONFIG) is single
    lonely = replace(dataset, scene=replace(dataset.scene, points=dataset.scene.points[:10]))
    assert with_surface_points(lonely, CONFIG) is lonely
    assert not asked


def test_a_handful_is_none(dataset, asked, monkeypatch) -> None:
    monkeypatch.setattr(dense_start, "LEAST_FOUND", 501)
    assert with_surface_points(dataset, CONFIG) is dataset


def test_it_stops_when_asked(dataset) -> None:
    with pytest.raises(Interrupted):
        with_surface_points(dataset, CONFIG, should_stop=lambda: True)


@pytest.mark.parametrize("name", ["numba", "something_else"])
def test_without_numba_it_says_so_and_goes_on(dataset, monkeypatch, name) -> None:
    def missing(*_arguments, **_options):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(dense_start, "match_photos", missing)
    said: list[str] = []
    if name == "numba":
        assert with_surface_points(dataset, CONFIG, say=said.append) is dataset
        assert said == [dense_start.WITHOUT_NUMBA]
    else:
        with pytest.raises(ModuleNotFoundError):
            with_surface_points(dataset, CONFIG, say=said.append)
