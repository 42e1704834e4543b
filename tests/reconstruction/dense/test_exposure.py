# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos that were made brighter are found to be."""

from __future__ import annotations

import numpy as np
import pytest

from cgc_addon.reconstruction.dense.matching import match_photos

from . import plane_scene as scene

FACTORS = np.array([1.0, 0.75, 1.2, 1.0])


def gains_of(factors) -> np.ndarray:
    views = scene.views()

    def photo(index: int) -> np.ndarray:
        # Dim, so that nothing is cut off.
        return (0.6 * factors[index] * scene.photo(views[index])).round().astype(np.uint8)

    return match_photos(views, photo, scene.sparse_points()).gains


def test_gains_are_found_up_to_their_mean() -> None:
    expected = FACTORS / np.exp(np.log(FACTORS).mean())
    np.testing.assert_allclose(gains_of(FACTORS), expected, rtol=0.02)


def test_photos_that_agree_have_none() -> None:
    assert (gains_of(np.ones(4)) == 1).all()


def test_highlights_move_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = scene.photo

    def with_highlight(view):
        picture = plain(view).copy()
        middle = 10 + 15 * int(view.name[0])
        picture[20:40, middle : middle + 15] = 255  # somewhere else in each photo
        return picture

    monkeypatch.setattr(scene, "photo", with_highlight)
    assert (gains_of(np.ones(4)) == 1).all()


def test_a_photo_that_shares_nothing_stays_as_it_is() -> None:
    views = scene.views()
    blank = np.full((72, 96, 3), 40, np.uint8)

    def photo(index: int) -> np.ndarray:
        return blank if index == 3 else scene.photo(views[index])

    gains = match_photos(views, photo, scene.sparse_points()).gains
    assert (gains == 1).all()


def test_shine_that_moves_with_the_camera_is_no_exposure(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = scene.photo

    def with_shine(view):
        x = np.linspace(0, 2 * np.pi, view.camera.width) + 1.5 * int(view.name[0])
        return (plain(view) * (1 + 0.25 * np.sin(x))[None, :, None]).clip(0, 255).astype(np.uint8)

    monkeypatch.setattr(scene, "photo", with_shine)
    assert (gains_of(np.ones(4)) == 1).all()
