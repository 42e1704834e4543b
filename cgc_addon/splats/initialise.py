# SPDX-License-Identifier: GPL-3.0-or-later
"""The Gaussians that training starts from: points, and a far sphere for what lies behind them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.special import logit

from ..dataset.framing import scene_center
from ..dataset.projection import view_counts
from ..dataset.scene import Scene, SurfacePoints
from .gaussians import Gaussians
from .hiding import hidden_shares
from .rotations import turning_z_to
from .select import concatenate
from .sphere import fibonacci_sphere
from .spherical_harmonics import CONSTANT_BASIS, coefficient_count
from .thinning import thinned
from .visibility import Photo, mean_colors

INITIAL_OPACITY = 0.1
"""Opacity of each Gaussian before training (Kerbl 2023, section 5.1)."""
FAR_RADIUS = 60.0
"""Radius of the far sphere in scene extents, where nothing is known: as good as infinity."""
MINIMUM_POINTS = 100
"""With fewer sparse points than this, random ones are added."""
SURFACE_OPACITY = 0.4
"""Of Gaussians on surfaces that photos agree on: what is behind them hardly shows …"""
HIDDEN = 0.5
"""A Gaussian of the far sphere is hidden where surfaces hide so much of its surroundings from all
cameras …"""
HIDDEN_OPACITY = 0.05
"""… and hardly there, or it would be seen through them and paint them from behind."""
SURFACE_THICKNESS = 0.3
"""… and along the normal they are so much smaller than along the surface."""


def first_gaussians(
    scene: Scene,
    photo: Photo | None,
    *,
    sh_degree: int = 3,
    far_count: int = 5000,
    far_radius: float = FAR_RADIUS,
    random_count: int = 10000,
    surface_share: float = 0.0,
    limit: int | None = None,
    seed: int = 0,
) -> Gaussians:
    """Return what training starts from: sparse points, surface points, far sphere, in this order.

    Args:
        scene: views, sparse points and surface points; with fewer than `MINIMUM_POINTS` sparse
            points, random points where the cameras look are added.
        photo: gives the photos for the colours that the points do not bring, None for grey.
        sh_degree: 0 to 3; all harmonics but the constant start at zero.
        far_count: about how many Gaussians the far sphere gets, 0 for none.
        far_radius: radius of that sphere, scene extents.
        random_count: how many random points, if any are needed.
        surface_share: of the `limit`: no more surface points of the scene than this are taken.
        limit: with more than this all together, the sparse points are thinned until they are as
            many; see `far_share`. None takes all.
        seed: of the random points; nothing else is random.
    """
    points, colors = scene.points, scene.point_colors
    if len(points) < MINIMUM_POINTS:
        random, random_colors = random_points(scene, photo, count=random_count, seed=seed)
        points = np.concatenate([points, random])
        colors = np.concatenate([colors, random_colors])
    surface = _thinned_surface(scene.surface, surface_share, limit)
    if surface is None:  # what is not drawn hides nothing
        scene = replace(scene, surface=None)
    on_surfaces = 0 if surface is None else len(surface)
    if limit is not None:
        far_count = far_share(len(points) + on_surfaces, far_count, limit)
    far = None
    if far_count:
        far = far_sphere(scene, photo, count=far_count, radius=far_radius, sh_degree=sh_degree)
    if limit is not None:  # the far sphere has only about as many as it was asked for
        room = limit - on_surfaces - (0 if far is None else len(far))
        if len(points) > room:
            kept = thinned(points, max(1, room))
            points, colors = points[kept], colors[kept]
    parts = _near(points, colors, surface, sh_degree)
    return concatenate(parts if far is None else [*parts, far])


def _thinned_surface(
    surface: SurfacePoints | None, share: float, limit: int | None
) -> SurfacePoints | None:
    """Return the surface points that are taken, None where there are none."""
    if surface is None or not share:
        return None
    if limit is None:
        return surface
    kept = thinned(surface.points, int(share * limit))
    if not len(kept):
        return None
    return SurfacePoints(surface.points[kept], surface.colors[kept], surface.normals[kept])


def _near(
    points: NDArray[np.float32],
    colors: NDArray[np.uint8],
    surface: SurfacePoints | None,
    sh_degree: int,
) -> list[Gaussians]:
    """Return round Gaussians at the sparse points, and flat ones on the surfaces."""
    if surface is None:
        return [gaussians_from_points(points, colors, sh_degree=sh_degree)]
    scales = neighbour_distances(np.concatenate([points, surface.points]))
    flat = gaussians_from_points(
        surface.points,
        surface.colors,
        scales=scales[len(points) :],
        sh_degree=sh_degree,
        opacity=SURFACE_OPACITY,
    )
    log_scales = flat.log_scales + np.log([1.0, 1.0, SURFACE_THICKNESS]).astype(np.float32)
    flat = replace(flat, log_scales=log_scales, quats=turning_z_to(surface.normals))
    scales = scales[: len(points)]
    return [gaussians_from_points(points, colors, scales=scales, sh_degree=sh_degree), flat]


def far_share(points: int, far_count: int, limit: int) -> int:
    """Return how many of the `limit` Gaussians the far sphere gets: what is left, or a quarter.

    Example:
        >>> far_share(12_000, 5_000, 20_000), far_share(60_000, 5_000, 20_000)
        (5000, 5000)
        >>> far_share(2_000, 5_000, 3_000), far_share(60_000, 5_000, 3_000)
        (1000, 750)
    """
    return min(far_count, max(limit - points, limit // 4))


def gaussians_from_points(
    points: NDArray[np.float32],
    colors: NDArray[np.uint8],
    *,
    scales: NDArray[np.floating] | None = None,
    sh_degree: int = 3,
    opacity: float | NDArray[np.floating] = INITIAL_OPACITY,
) -> Gaussians:
    """Place one round Gaussian at each point.

    Args:
        points: (P, 3) scene units.
        colors: (P, 3) sRGB; they become the constant harmonic.
        scales: (P,) standard deviations, scene units; None takes `neighbour_distances`.
        sh_degree: 0 to 3.
        opacity: between 0 and 1, both excluded; one, or (P,).

    Example:
        >>> points = np.array([[0, 0, 0], [1, 0, 0]], np.float32)
        >>> gaussians = gaussians_from_points(points, np.full((2, 3), 255, np.uint8), sh_degree=1)
        >>> np.exp(gaussians.log_scales)[:, 0].tolist()  # as large as the points are far apart
        [1.0, 1.0]
        >>> (0.5 + CONSTANT_BASIS * gaussians.sh[0, 0]).round(6).tolist()
        [1.0, 1.0, 1.0]
    """
    count = len(points)
    if scales is None:
        scales = neighbour_distances(points)
    sh = np.zeros((count, coefficient_count(sh_degree), 3), dtype=np.float32)
    sh[:, 0] = (np.asarray(colors, dtype=np.float64) / 255.0 - 0.5) / CONSTANT_BASIS
    quats = np.zeros((count, 4), dtype=np.float32)
    quats[:, 0] = 1.0
    return Gaussians(
        means=np.asarray(points, dtype=np.float32),
        log_scales=np.repeat(np.log(scales)[:, None], 3, axis=1).astype(np.float32),
        quats=quats,
        logit_opacities=np.broadcast_to(logit(opacity), count).astype(np.float32),
        sh=sh,
    )


def neighbour_distances(points: NDArray[np.floating], neighbours: int = 3) -> NDArray[np.float64]:
    """Return the mean distance (P,) of each point to its nearest neighbours, scene units, > 0.

    Points at the same place count once, so copies do not shrink to nothing. The distances are kept
    between a thousandth of their median and a tenth of the cloud's radius (around its median point,
    without the farthest hundredth) or four medians, whichever is more: a stray point would
    otherwise start as a fog over everything.

    Args:
        points: (P, 3) scene units.
        neighbours: how many to average over, fewer when there are not as many places.

    Example:
        >>> square = np.array([[0, 0, 0], [3, 0, 0], [0, 3, 0], [3, 3, 0]])
        >>> neighbour_distances(square, neighbours=2).tolist()
        [3.0, 3.0, 3.0, 3.0]
    """
    if len(points) == 0:
        return np.zeros(0)
    places, place_of_point = np.unique(
        np.asarray(points, dtype=np.float64), axis=0, return_inverse=True
    )
    nearest = min(neighbours, len(places) - 1)
    if nearest == 0:
        return np.full(len(points), 0.01)
    distances, _ = KDTree(places).query(places, k=nearest + 1)
    means = distances[:, 1:].mean(axis=1)
    radius = np.percentile(np.linalg.norm(places - np.median(places, axis=0), axis=1), 99)
    median = float(np.median(means))
    limited = np.clip(means, 1e-3 * median, max(0.1 * float(radius), 4.0 * median))
    return limited[place_of_point.reshape(-1)]


def far_sphere(
    scene: Scene,
    photo: Photo | None,
    *,
    count: int = 5000,
    radius: float = FAR_RADIUS,
    sh_degree: int = 3,
    opacity: float = 0.5,
) -> Gaussians:
    """Return Gaussians for what lies at infinity: sky, horizon, the far wall.

    They stand evenly on a sphere around the mean camera centre, `radius` scene extents away, or
    farther when the sparse points reach farther, and only where some camera looks. Each has the
    mean colour of the photos that show its place, and is nearly transparent where the scene's
    surface points hide it; what else hides it there is not known yet. Their standard deviations are
    a fair part of the scene extent: a rule that removes large Gaussians would remove these first.

    Args:
        scene: views, extent, sparse points and surface points.
        photo: gives the photos; None makes the sphere grey.
        count: about how many Gaussians are wanted.
        radius: of the sphere, scene extents.
        sh_degree: 0 to 3.
        opacity: between 0 and 1; higher than that of other points, as nothing lies behind.
    """
    center = scene_center(scene.views, scene.points)
    radius = radius * scene.extent
    if len(scene.points):
        reach = np.percentile(np.linalg.norm(scene.points - center, axis=1), 99)
        radius = max(radius, 1.2 * float(reach))

    trial = center + radius * fibonacci_sphere(2000)
    share = np.mean(view_counts(trial, scene.views) > 0)
    # A camera that sees less than a tenth of the sphere does not get a tenfold dense one.
    total = round(count / max(float(share), 0.1))
    points = center + radius * fibonacci_sphere(total)
    points = points[view_counts(points, scene.views) > 0]
    spacing = radius * float(np.sqrt(4.0 * np.pi / max(total, 1)))
    opacities = np.full(len(points), opacity)
    if scene.surface is not None:
        shares = hidden_shares(points, scene.views, scene.surface.points, spacing)
        opacities[shares >= HIDDEN] = min(opacity, HIDDEN_OPACITY)
    return gaussians_from_points(
        points.astype(np.float32),
        mean_colors(points, scene.views, photo, spacing),
        # At 0.6 of the spacing neighbours overlap into an even surface and stay apart in colour.
        scales=np.full(len(points), 0.6 * spacing),
        sh_degree=sh_degree,
        opacity=opacities,
    )


def random_points(
    scene: Scene, photo: Photo | None, *, count: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return random points where many cameras look, for a capture without sparse points.

    Pixels are drawn at random, and a depth along each ray, up to four scene extents; of these the
    points stay that are seen by at least half as many views as the best tenth of them.

    Args:
        scene: views and extent.
        photo: gives the photos; None makes the points grey.
        count: how many points.
        seed: the same seed gives the same points.

    Returns:
        points (count, 3) scene units and colors (count, 3) sRGB.
    """
    generator = np.random.default_rng(seed)
    kept = np.zeros((0, 3))
    while len(kept) < count:
        candidates = _points_in_frusta(scene, 4 * count, generator)
        counts = view_counts(candidates, scene.views)
        kept = np.concatenate([kept, candidates[2 * counts >= np.percentile(counts, 90)]])
    points = kept[:count]
    return points.astype(np.float32), mean_colors(points, scene.views, photo)


def _points_in_frusta(
    scene: Scene, count: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return random points (count, 3), the same number before each camera."""
    views = generator.integers(len(scene.views), size=count)
    shares = generator.random((count, 2))
    depths = scene.extent * generator.uniform(0.2, 4.0, size=count)
    points = np.empty((count, 3))
    for index, view in enumerate(scene.views):
        mine = views == index
        camera = view.camera
        pixels = shares[mine] * (camera.width, camera.height)
        rays = (pixels - (camera.cx, camera.cy)) / (camera.fx, camera.fy)
        in_camera = np.column_stack([rays, np.ones(len(rays))]) * depths[mine, None]
        points[mine] = (in_camera - view.world_to_camera[:3, 3]) @ view.world_to_camera[:3, :3]
    return points
