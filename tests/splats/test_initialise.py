# SPDX-License-Identifier: GPL-3.0-or-later
"""Training starts from Gaussians that are finite, repeatable and coloured like the photos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from cgc_addon.dataset.projection import project, view_counts
from cgc_addon.dataset.scene import PinholeCamera, SurfacePoints
from cgc_addon.splats import initialise
from cgc_addon.splats.rotations import matrices
from cgc_addon.splats.select import subset
from cgc_addon.splats.sphere import fibonacci_sphere
from cgc_addon.splats.spherical_harmonics import basis
from cgc_addon.splats.visibility import mean_colors

FLAT = np.array([200, 100, 50], dtype=np.uint8)


def flat_photo(_index: int) -> np.ndarray:
    return np.broadcast_to(FLAT, (48, 64, 3)).copy()


def colors_of(gaussians) -> np.ndarray:
    constant = basis(np.array([[0.0, 0.0, 1.0]]), 0)[0, 0]
    return (gaussians.sh[:, 0] * constant + 0.5) * 255


def assert_sound(gaussians) -> None:
    for values in (gaussians.means, gaussians.log_scales, gaussians.quats, gaussians.sh):
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
    assert np.isfinite(gaussians.logit_opacities).all()


def test_distances_are_the_mean_of_the_three_nearest() -> None:
    points = np.random.default_rng(0).uniform(size=(300, 3))
    distances, _ = NearestNeighbors(n_neighbors=4, algorithm="brute").fit(points).kneighbors(points)
    # Even spacing in a cube stays between the limits, so none of them is clipped.
    np.testing.assert_allclose(
        initialise.neighbour_distances(points), distances[:, 1:].mean(axis=1), rtol=1e-9
    )


def test_copies_of_a_point_count_once() -> None:
    points = np.random.default_rng(1).uniform(size=(50, 3))
    copies = np.concatenate([points, points, points[:10]])
    single = initialise.neighbour_distances(points)
    np.testing.assert_allclose(
        initialise.neighbour_distances(copies), np.concatenate([single, single, single[:10]])
    )


def test_a_stray_point_is_not_a_fog_over_everything() -> None:
    points = np.random.default_rng(2).uniform(size=(500, 3))
    points[0] = 1000.0
    assert initialise.neighbour_distances(points)[0] < 1.0


@settings(max_examples=40, deadline=None)
@given(
    places=st.lists(st.tuples(*[st.floats(-1e3, 1e3, width=32)] * 3), min_size=1, max_size=8),
    copies=st.integers(1, 3),
)
def test_any_points_give_finite_gaussians(places, copies) -> None:
    points = np.array(places * copies, dtype=np.float32)
    colors = np.zeros((len(points), 3), dtype=np.uint8)
    assert_sound(initialise.gaussians_from_points(points, colors))


def test_no_points_give_no_gaussians() -> None:
    empty = initialise.gaussians_from_points(
        np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint8)
    )
    assert len(empty) == 0
    assert empty.sh.shape == (0, 16, 3)


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_points_keep_their_colour_and_start_thin(make_scene, degree) -> None:
    scene = make_scene()
    gaussians = initialise.gaussians_from_points(scene.points, scene.point_colors, sh_degree=degree)
    assert gaussians.sh_degree == degree
    np.testing.assert_allclose(colors_of(gaussians), scene.point_colors, atol=1e-3)
    assert not gaussians.sh[:, 1:].any()
    np.testing.assert_allclose(1 / (1 + np.exp(-gaussians.logit_opacities)), 0.1, rtol=1e-6)
    np.testing.assert_array_equal(gaussians.quats, np.tile([1, 0, 0, 0], (len(gaussians), 1)))
    assert (np.ptp(gaussians.log_scales, axis=1) == 0).all()


def test_projection_agrees_with_the_camera_matrix(make_scene) -> None:
    scene = make_scene()
    view = scene.views[1]
    points = scene.points.astype(np.float64)
    pixels, depths, seen = project(points, view)
    homogeneous = np.column_stack([points, np.ones(len(points))]) @ view.world_to_camera.T
    expected = homogeneous[:, :3] @ view.camera.matrix().T
    np.testing.assert_allclose(pixels, expected[:, :2] / expected[:, 2:], rtol=1e-9)
    np.testing.assert_allclose(depths, expected[:, 2])
    assert seen.any()
    behind = view.center() - (points - view.center())
    assert not project(behind[seen], view)[2].any()


def test_far_sphere_stands_where_cameras_look_and_shows_the_photos(make_scene) -> None:
    scene = make_scene()
    gaussians = initialise.far_sphere(scene, flat_photo, count=1000)
    assert_sound(gaussians)
    assert 800 < len(gaussians) < 1200
    center = np.mean([view.center() for view in scene.views], axis=0)
    np.testing.assert_allclose(
        np.linalg.norm(gaussians.means - center, axis=1),
        initialise.FAR_RADIUS * scene.extent,
        rtol=1e-5,
    )
    assert (view_counts(gaussians.means.astype(np.float64), scene.views) > 0).all()
    np.testing.assert_allclose(colors_of(gaussians), np.tile(FLAT, (len(gaussians), 1)), atol=1e-3)


def test_far_sphere_leaves_no_hole_larger_than_its_spacing(make_scene) -> None:
    scene = make_scene()
    gaussians = initialise.far_sphere(scene, flat_photo, count=1000)
    center = np.mean([view.center() for view in scene.views], axis=0)
    probes = center + initialise.FAR_RADIUS * scene.extent * fibonacci_sphere(20000)
    probes = probes[view_counts(probes, scene.views) == len(scene.views) // 3]
    nearest = NearestNeighbors(n_neighbors=1).fit(gaussians.means).kneighbors(probes)[0]
    assert nearest.max() < 2.5 * np.exp(gaussians.log_scales[0, 0])


def test_far_sphere_lies_behind_the_points_of_a_deep_scene(make_scene) -> None:
    scene = replace(make_scene(), extent=0.01)
    gaussians = initialise.far_sphere(scene, None, count=200)
    center = np.mean([view.center() for view in scene.views], axis=0)
    farthest = np.linalg.norm(scene.points - center, axis=1).max()
    assert np.linalg.norm(gaussians.means - center, axis=1).min() > 0.9 * farthest


def test_far_sphere_of_one_narrow_camera_is_not_endless(make_scene) -> None:
    scene = make_scene(views=1)
    view = replace(scene.views[0], camera=PinholeCamera(64, 48, 2000.0, 2000.0, 32.0, 24.0))
    gaussians = initialise.far_sphere(replace(scene, views=(view,)), None, count=1000)
    assert len(gaussians) <= 1000


def test_far_sphere_is_hardly_there_behind_surfaces_that_are_drawn(make_scene) -> None:
    scene = make_scene(views=1)
    view = scene.views[0]
    camera = view.camera
    x, y = np.meshgrid(np.arange(0, camera.width / 2, 0.2), np.arange(0, camera.height, 0.2))
    rays = np.stack([(x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, np.ones_like(x)], -1)
    depth = scene.extent
    points = (rays.reshape(-1, 3) * depth - view.world_to_camera[:3, 3]) @ view.world_to_camera[
        :3, :3
    ]
    surface = SurfacePoints(
        points.astype(np.float32),
        np.zeros((len(points), 3), np.uint8),
        np.tile(-view.world_to_camera[2, :3], (len(points), 1)).astype(np.float32),
    )
    scene = replace(scene, surface=surface)

    def opacities_of_sphere(share: float) -> tuple[np.ndarray, np.ndarray]:
        made = initialise.first_gaussians(scene, None, far_count=1000, surface_share=share)
        far = np.linalg.norm(made.means - view.center(), axis=1) > 10 * scene.extent
        columns = project(made.means[far].astype(np.float64), view)[0][:, 0] / camera.width
        return columns, 1 / (1 + np.exp(-made.logit_opacities[far]))

    columns, opacities = opacities_of_sphere(0.5)
    assert (columns < 0.45).sum() > 100
    np.testing.assert_allclose(opacities[columns < 0.45], initialise.HIDDEN_OPACITY, rtol=1e-5)
    np.testing.assert_allclose(opacities[columns > 0.55], 0.5, rtol=1e-5)
    _, undrawn = opacities_of_sphere(0.0)
    np.testing.assert_allclose(undrawn, 0.5, rtol=1e-5)


def test_mean_colour_is_taken_over_the_views_that_see_the_point(make_scene) -> None:
    scene = make_scene(views=2)
    shades = [10, 40]
    between, behind_the_first, nowhere = np.zeros(3), scene.views[0].center() * 1.2, [0, 0, 1e4]
    colors = mean_colors(
        np.stack([between, behind_the_first, nowhere]),
        scene.views,
        lambda index: np.full((24, 32, 3), shades[index], dtype=np.uint8),
    )
    np.testing.assert_array_equal(colors, np.repeat([[25], [40], [128]], 3, axis=1))


def test_photos_of_another_size_are_sampled_at_the_same_place(make_scene) -> None:
    scene = make_scene(views=1)
    left_red = np.zeros((96, 128, 3), dtype=np.uint8)
    left_red[:, :64, 0] = 255
    camera = scene.views[0].camera
    pixels, _, seen = project(scene.points.astype(np.float64), scene.views[0])
    colors = mean_colors(scene.points[seen].astype(np.float64), scene.views, lambda _: left_red)
    np.testing.assert_array_equal(colors[:, 0] == 255, pixels[seen, 0] < camera.width / 2)


def test_without_points_random_ones_stand_where_the_cameras_look(make_scene) -> None:
    scene = replace(
        make_scene(), points=np.zeros((0, 3), np.float32), point_colors=np.zeros((0, 3), np.uint8)
    )
    gaussians = initialise.first_gaussians(scene, flat_photo, far_count=0, random_count=500, seed=3)
    assert_sound(gaussians)
    assert len(gaussians) == 500
    counts = view_counts(gaussians.means.astype(np.float64), scene.views)
    assert counts.min() >= 2
    np.testing.assert_allclose(colors_of(gaussians), np.tile(FLAT, (500, 1)), atol=1e-3)


def test_the_same_seed_gives_the_same_gaussians(make_scene) -> None:
    scene = make_scene(points=10)
    first, second, other = (
        initialise.first_gaussians(scene, flat_photo, far_count=100, random_count=200, seed=seed)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.means, second.means)
    np.testing.assert_array_equal(first.sh, second.sh)
    assert not np.array_equal(first.means, other.means)
    np.testing.assert_array_equal(first.means[:10], scene.points)


def test_one_camera_alone_is_enough(make_scene) -> None:
    scene = make_scene(views=1, points=0)
    assert_sound(initialise.first_gaussians(scene, None, far_count=50, random_count=100))


@pytest.mark.parametrize("far_count", [0, 400])
@pytest.mark.parametrize("limit", [50, 400, 1_000])
def test_more_points_than_the_limit_are_thinned_until_all_are_as_many(
    make_scene, limit, far_count
) -> None:
    scene = make_scene(points=3_000)
    gaussians = initialise.first_gaussians(scene, flat_photo, far_count=far_count, limit=limit)
    assert len(gaussians) == limit
    given = {tuple(point) for point in scene.points}
    near = [tuple(mean) in given for mean in gaussians.means]
    assert sum(near) >= 0.6 * limit
    # Wider apart, they are larger, so that they cover what they stand for.
    whole = initialise.first_gaussians(scene, flat_photo, far_count=0)
    assert np.median(gaussians.log_scales[near]) > np.median(whole.log_scales) + 0.2


@pytest.mark.parametrize("points", [300, 790, 800, 810, 999])
def test_a_far_sphere_of_about_as_many_as_asked_keeps_to_the_limit(make_scene, points) -> None:
    scene = make_scene(points=points)
    for far_count in range(180, 220, 5):
        made = initialise.first_gaussians(scene, flat_photo, far_count=far_count, limit=1_000)
        assert len(made) <= 1_000
        assert len(made) >= min(1_000, points + 0.9 * far_count)


def test_points_fewer_than_the_limit_start_as_without_one(make_scene) -> None:
    scene = make_scene(points=700)
    free = initialise.first_gaussians(scene, flat_photo, far_count=200)
    limited = initialise.first_gaussians(scene, flat_photo, far_count=200, limit=1_000)
    assert np.array_equal(free.means, limited.means)
    assert np.array_equal(free.log_scales, limited.log_scales)


def test_a_far_sphere_larger_than_the_limit_becomes_smaller(make_scene) -> None:
    gaussians = initialise.first_gaussians(
        make_scene(points=500), flat_photo, far_count=5_000, limit=1_000
    )
    assert len(gaussians) <= 1_000


def surface_of(count: int) -> SurfacePoints:
    """Points of a slanted plane, on a grid."""
    x, y = np.meshgrid(np.arange(count) / 10, np.arange(count) / 10)
    points = np.column_stack([x.ravel(), y.ravel(), 5 - 0.5 * x.ravel()])
    normal = np.array([-0.5, 0.0, -1.0]) / np.sqrt(1.25)
    return SurfacePoints(
        points.astype(np.float32),
        np.full((count * count, 3), (10, 20, 30), np.uint8),
        np.repeat(normal[None], count * count, axis=0).astype(np.float32),
    )


def test_gaussians_on_surfaces_are_flat_and_lie_in_them(make_scene) -> None:
    capture = make_scene()
    surface = surface_of(20)
    scene = replace(capture, surface=surface)
    made = initialise.first_gaussians(scene, None, far_count=0, surface_share=0.5)
    without = initialise.first_gaussians(capture, None, far_count=0)
    assert_sound(made)
    flat = subset(made, np.arange(len(without), len(made)))
    np.testing.assert_array_equal(flat.means, surface.points)
    np.testing.assert_allclose(colors_of(flat), np.full((400, 3), (10, 20, 30)), atol=1e-3)
    thin = matrices(flat.quats)[:, :, 2]
    np.testing.assert_allclose(thin, surface.normals, atol=1e-5)
    ratio = np.exp(flat.log_scales[:, 2] - flat.log_scales[:, 0])
    np.testing.assert_allclose(ratio, initialise.SURFACE_THICKNESS, rtol=1e-5)


@pytest.mark.parametrize("share", [0.1, 0.25])
def test_surfaces_take_their_share_of_the_limit_and_no_more(make_scene, share) -> None:
    capture = make_scene()
    scene = replace(capture, surface=surface_of(60))
    limit = 2000
    made = initialise.first_gaussians(scene, None, far_count=100, surface_share=share, limit=limit)
    on_plane = np.abs(made.means[:, 2] - 5 + 0.5 * made.means[:, 0]) < 1e-5
    assert share * limit - 5 <= np.count_nonzero(on_plane) <= share * limit + 5
    assert len(made) <= limit


def test_no_share_takes_none(make_scene) -> None:
    capture = make_scene()
    scene = replace(capture, surface=surface_of(20))
    made = initialise.first_gaussians(scene, None, far_count=0)
    assert len(made) == len(initialise.first_gaussians(capture, None, far_count=0))
