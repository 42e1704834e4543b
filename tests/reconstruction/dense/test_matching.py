# SPDX-License-Identifier: GPL-3.0-or-later
"""Points that photos agree on lie on what the photos show."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from cgc_addon.errors import Interrupted
from cgc_addon.reconstruction.dense import matching as module
from cgc_addon.reconstruction.dense import planes
from cgc_addon.reconstruction.dense.matching import match_photos

from . import plane_scene as scene


def found_in(views, **options):
    return match_photos(
        views, lambda index: scene.photo(views[index]), scene.sparse_points(), **options
    ).surface


def test_points_normals_and_colours_are_those_of_the_surface() -> None:
    views = scene.views()
    found = found_in(views)
    assert len(found) > 1000  # of 4 × 1,728 cells, each place once
    off = np.abs(found.points @ scene.NORMAL - scene.OFFSET)
    assert np.median(off) < 0.005  # at a distance of 4
    assert np.percentile(off, 95) < 0.02
    turned = np.degrees(np.arccos(np.clip(found.normals @ scene.NORMAL, -1, 1)))
    assert np.median(turned) < 5
    np.testing.assert_allclose(np.linalg.norm(found.normals, axis=1), 1, atol=1e-5)
    # The blue channel mirrors the red one.
    assert np.abs(found.colors[:, 0].astype(int) + found.colors[:, 2] - 255).max() <= 1


def test_no_place_is_told_by_every_photo_that_shows_it() -> None:
    views = scene.views()
    cells = sum(view.camera.width * view.camera.height // 4 for view in views)
    assert len(found_in(views)) < 0.6 * cells


def test_photos_may_have_different_sizes() -> None:
    found = found_in(scene.views(((96, 72), (72, 96), (96, 72), (64, 64))))
    off = np.abs(found.points @ scene.NORMAL - scene.OFFSET)
    assert len(found) > 500
    assert np.percentile(off, 95) < 0.02


def test_threads_and_repetition_change_no_bit() -> None:
    first = found_in(scene.views())
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        second = found_in(scene.views())
    finally:
        numba.set_num_threads(before)
    np.testing.assert_array_equal(first.points, second.points)
    np.testing.assert_array_equal(first.normals, second.normals)


def test_photos_of_nothing_and_noise_give_none_to_speak_of() -> None:
    views = scene.views()
    blank = np.full((72, 96, 3), 90, np.uint8)
    assert len(match_photos(views, lambda _index: blank, scene.sparse_points()).surface) == 0
    noise = np.random.default_rng(1).integers(0, 255, (4, 72, 96, 3), dtype=np.uint8)
    assert len(match_photos(views, noise.__getitem__, scene.sparse_points()).surface) < 20


def test_one_photo_or_no_points_give_none() -> None:
    assert len(found_in(scene.views()[:1])) == 0
    views = scene.views()
    nothing = np.zeros((0, 3))
    assert len(match_photos(views, lambda index: scene.photo(views[index]), nothing).surface) == 0


def test_of_many_photos_all_are_compared() -> None:
    """And each with some of them, or the time would grow with their square."""
    views = scene.beside_each_other(100)
    factors = np.where(np.arange(100) % 3 == 0, 0.7, 1.1)

    def photo(index: int) -> np.ndarray:
        return (0.6 * factors[index] * scene.photo(views[index])).round().astype(np.uint8)

    found = match_photos(views, photo, scene.sparse_points())
    off = np.abs(found.surface.points @ scene.NORMAL - scene.OFFSET)
    assert len(found.surface) > 500
    assert np.percentile(off, 95) < 0.05  # at a distance of 4, in photos of 48 px
    expected = factors / np.exp(np.log(factors).mean())
    np.testing.assert_allclose(found.gains, expected, rtol=0.03)


def test_a_call_goes_on_where_another_one_was_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    views, told = scene.views(), []
    whole = found_in(views, on_found=lambda surfaces: told.append(list(surfaces)))
    assert [len(surfaces) for surfaces in told] == [1, 2, 3, 4]
    looked_at, look = [], planes.surfaces_of

    def watched(index, *arguments):
        looked_at.append(index)
        return look(index, *arguments)

    monkeypatch.setattr(planes, "surfaces_of", watched)
    rest = found_in(views, found=told[1])
    assert looked_at == [2, 3]
    np.testing.assert_array_equal(rest.points, whole.points)
    np.testing.assert_array_equal(rest.colors, whole.colors)
    np.testing.assert_array_equal(rest.normals, whole.normals)


def test_it_reports_and_stops_when_asked() -> None:
    heard = []
    found_in(scene.views(), report=heard.append)
    stages = list(dict.fromkeys(one.stage for one in heard))
    assert stages == [module.MATCHING_PHOTOS, module.COMPARING_SURFACES]
    with pytest.raises(Interrupted):
        found_in(scene.views(), should_stop=lambda: True)
