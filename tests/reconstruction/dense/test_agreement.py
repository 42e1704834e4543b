# SPDX-License-Identifier: GPL-3.0-or-later
"""A cell becomes a point where other photos have its depth and hardly any look through it."""

from __future__ import annotations

import numpy as np

from cgc_addon.dataset.projection import project
from cgc_addon.dataset.scene import View
from cgc_addon.reconstruction.dense.agreement import agreed_cells, places
from cgc_addon.reconstruction.dense.surfaces import Surfaces
from cgc_addon.reconstruction.dense.testimony import seen_in

from . import plane_scene as scene

STRIDE = 4


def exact(view: View) -> Surfaces:
    """Return what matching would find at best: the plane's inverse depth in every cell."""
    rows, columns = view.camera.height // STRIDE, view.camera.width // STRIDE
    blank = Surfaces(
        np.zeros((rows, columns, 3), np.float32), np.full((rows, columns), 0.1, np.float32), STRIDE
    )
    x, y = blank.middles(*np.indices((rows, columns)))

    def inverse(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        points = scene.on_plane(view, x, y)
        return 1.0 / (points @ view.world_to_camera[2, :3] + view.world_to_camera[2, 3])

    here = inverse(x, y)
    blank.planes[..., 0] = here
    blank.planes[..., 1] = inverse(x + 1.0, y) - here
    blank.planes[..., 2] = inverse(x, y + 1.0) - here
    return blank


def everyone(count: int) -> list[np.ndarray]:
    return [np.array([other for other in range(count) if other != index]) for index in range(count)]


def put_before(view: View, surfaces: Surfaces, point: np.ndarray) -> tuple[int, int]:
    """Let the cell that shows a point say that it is there; return the cell."""
    placed = view.world_to_camera[:3, :3] @ point + view.world_to_camera[:3, 3]
    camera = view.camera
    x, y = placed[:2] / placed[2] * camera.fx + (camera.cx, camera.cy)
    row, column = int(y) // STRIDE, int(x) // STRIDE
    surfaces.planes[row, column] = 1.0 / placed[2], 0.0, 0.0
    return row, column


def test_cells_of_one_surface_are_its_points_each_place_once() -> None:
    views = scene.views()
    surfaces = [exact(view) for view in views]
    agreed = agreed_cells(views, surfaces, everyone(4))
    points = np.concatenate([one.points for one in agreed])
    assert np.abs(points @ scene.NORMAL - scene.OFFSET).max() < 1e-5
    assert len(agreed[0].points) > 300
    assert len(points) < 0.6 * sum(one.costs.size for one in surfaces)
    normals = np.concatenate([one.normals for one in agreed])
    np.testing.assert_allclose(normals, np.tile(scene.NORMAL, (len(normals), 1)), atol=1e-3)


def test_what_two_photos_share_by_chance_is_no_point() -> None:
    views = scene.views()
    surfaces = [exact(view) for view in views]
    before = np.array([0.0, 0.0, 2.5])
    cell = put_before(views[0], surfaces[0], before)
    put_before(views[1], surfaces[1], before)
    kept = agreed_cells(views, surfaces, everyone(4))[0]
    assert cell not in set(zip(kept.rows.tolist(), kept.columns.tolist(), strict=True))


def test_what_most_look_through_is_no_point_though_three_agree() -> None:
    views = scene.views(((96, 72),) * 9)
    before = np.array([0.0, 0.0, 2.5])
    near = [view for view in views if project(before[None], view)[2][0]]
    assert len(near) >= 6
    surfaces = [exact(view) for view in near]
    cell = put_before(near[0], surfaces[0], before)
    for index in (1, 2):
        put_before(near[index], surfaces[index], before)
    # The three cells have the depth of the point itself, as if they had found it.
    at = places(near[0], surfaces[0], np.array([cell[0]]), np.array([cell[1]]))
    told = [seen_in(at, view, one) for view, one in zip(near[1:], surfaces[1:], strict=True)]
    assert sum(int(one.agreeing[0]) for one in told) >= 1
    assert sum(int(one.contradicting[0]) for one in told) >= 3
    kept = agreed_cells(near, surfaces, everyone(len(near)))[0]
    assert cell not in set(zip(kept.rows.tolist(), kept.columns.tolist(), strict=True))


def test_of_two_photos_one_is_enough() -> None:
    views = scene.views()[:2]
    agreed = agreed_cells(views, [exact(view) for view in views], everyone(2))
    assert len(agreed[0].points) > 300


def test_a_cell_that_stands_alone_is_no_point_though_none_contradicts() -> None:
    views = scene.views()[:2]
    surfaces = [exact(view) for view in views]
    before = np.array([0.0, 0.0, 2.5])
    cells = [put_before(*one, before) for one in zip(views, surfaces, strict=True)]
    for surface, (row, column) in zip(surfaces, cells, strict=True):
        alone = surface.costs[row, column]
        surface.costs[:] = 2.0  # nothing else was found
        surface.costs[row, column] = alone
    at = places(views[0], surfaces[0], *np.array(cells[0])[:, None])
    assert seen_in(at, views[1], surfaces[1]).agreeing[0]
    assert not len(agreed_cells(views, surfaces, everyone(2))[0].points)


def test_a_photo_hidden_by_something_nearer_contradicts_nothing() -> None:
    view = scene.views()[0]
    surfaces = exact(view)
    point = scene.on_plane(view, np.array([48.0]), np.array([36.0]))
    surfaces.planes[...] = 1.0, 0.0, 0.0  # all of it at a depth of 1
    told = seen_in(point, view, surfaces)
    assert not told.agreeing[0]
    assert not told.contradicting[0]
