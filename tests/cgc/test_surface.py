# SPDX-License-Identifier: GPL-3.0-or-later
"""Points and normals from depth, against a plane and a ball whose depth is known exactly."""

from __future__ import annotations

import numpy as np

from cgc_addon.cgc.surface import surface_of
from cgc_addon.dataset.scene import PinholeCamera, View

CAMERA = PinholeCamera(width=80, height=60, fx=90.0, fy=85.0, cx=39.0, cy=31.0)


def turned_view() -> View:
    angle = 0.4
    pose = np.eye(4)
    pose[:3, :3] = [
        [np.cos(angle), 0, np.sin(angle)],
        [0, 1, 0],
        [-np.sin(angle), 0, np.cos(angle)],
    ]
    pose[:3, 3] = (0.3, -0.2, 1.5)
    return View("view", CAMERA, pose)


def rays() -> np.ndarray:
    x = (np.arange(80) + 0.5 - 39) / 90
    y = (np.arange(60) + 0.5 - 31) / 85
    return np.stack(np.broadcast_arrays(x, y[:, None], 1.0), axis=-1)


def world(view: View, places: np.ndarray) -> np.ndarray:
    return (places - view.world_to_camera[:3, 3]) @ view.world_to_camera[:3, :3]


def test_a_plane_is_where_it_is_and_faces_the_camera() -> None:
    view, normal = turned_view(), np.array([0.2, -0.3, -0.93])
    normal /= np.linalg.norm(normal)
    depth = (normal @ (0, 0, 4.0)) / (rays() @ normal)
    everything = np.arange(80 * 60)
    found = surface_of(depth * 0.8, np.full(depth.shape, 0.8), view, everything)
    inner = found.weights > 0
    assert inner.mean() > 0.9
    assert np.allclose(found.normals[inner], view.world_to_camera[:3, :3].T @ normal, atol=0.02)
    places = world(view, rays() * depth[..., None]).reshape(-1, 3)
    assert np.allclose(found.points, places, atol=1e-3)


def test_where_one_thing_ends_before_another_nothing_is_known() -> None:
    view = turned_view()
    depth = np.full((60, 80), 4.0)
    depth[:, 40:] = 2.0
    found = surface_of(depth, np.ones((60, 80)), view, np.arange(4800)).weights.reshape(60, 80)
    assert not found[:, 39:41].any()
    assert (found[5:-5, 5:35] > 0.8).all()


def test_what_is_hardly_covered_shows_no_surface() -> None:
    found = surface_of(np.full((60, 80), 2.0), np.full((60, 80), 0.5), turned_view(), np.arange(99))
    assert not found.weights.any()
