# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats drawn by the book, every Gaussian at every pixel in double precision: the oracle.

It shares nothing with the shaders but the constants of `rasterize.interface`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cgc_addon.blender.drawing.shown import Appearance, StoredSplat, Viewpoint
from cgc_addon.rasterize.rules import SLOPE_MARGIN
from cgc_addon.splats import rotations
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.spherical_harmonics import basis
from cgc_addon.splats.transform import transform


def random_gaussians(count: int, degree: int = 3, seed: int = 0) -> Gaussians:
    """Return a cloud about the origin, one unit wide."""
    random = np.random.default_rng(seed)

    def normal(*shape: int) -> NDArray[np.float32]:
        return random.normal(size=shape).astype(np.float32)

    quats = normal(count, 4)
    return Gaussians(
        means=0.5 * normal(count, 3),
        log_scales=0.7 * normal(count, 3) - 2.5,
        quats=quats / np.linalg.norm(quats, axis=1, keepdims=True),
        logit_opacities=2.0 * normal(count),
        sh=0.3 * normal(count, (degree + 1) ** 2, 3),
    )


def random_appearance(count: int = 300, degree: int = 3, seed: int = 0) -> Appearance:
    """Return a cloud that stands where it was made."""
    return Appearance(StoredSplat(random_gaussians(count, degree, seed)), np.eye(4))


def looking_at_origin(
    distance: float = 4.0, width: int = 64, height: int = 48, *, orthographic: bool = False
) -> Viewpoint:
    """Return a viewpoint beside the z axis, its picture's middle moved a little."""
    turn = rotations.matrices(np.array([[0.95, 0.2, -0.15, 0.1]]))[0]
    pose = np.eye(4)
    pose[:3, :3], pose[2, 3] = turn, -distance
    near, far = 0.1, 100.0
    projection = np.zeros((4, 4))
    if orthographic:
        projection[0, 0], projection[1, 1] = 0.5, 0.5 * width / height
        projection[0, 3], projection[1, 3] = 0.1, -0.05
        projection[2, 2] = -2.0 / (far - near)
        projection[2, 3] = -(far + near) / (far - near)
        projection[3, 3] = 1.0
    else:
        projection[0, 0], projection[1, 1] = 2.0, 2.0 * width / height
        projection[0, 2], projection[1, 2] = 0.1, -0.05
        projection[2, 2] = -(far + near) / (far - near)
        projection[2, 3] = -2.0 * far * near / (far - near)
        projection[3, 2] = -1.0
    return Viewpoint(pose, projection, width, height)


def slow_picture(
    appearances: Sequence[Appearance],
    viewpoint: Viewpoint,
    *,
    size: float = 1.0,
    colors: Sequence[NDArray[np.floating]] | None = None,
    nearest: NDArray[np.floating] | None = None,
) -> NDArray[np.float64]:
    """Return a picture (H, W, 4), premultiplied, its first row at the bottom.

    Args:
        appearances: what is shown.
        viewpoint: from where.
        size: factor on all standard deviations.
        colors: (N, 3) of each appearance, instead of those of the harmonics.
        nearest: (H, W) depths, as a depth buffer holds them, of what hides splats.
    """
    width, height = viewpoint.width, viewpoint.height
    xs, ys = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    layers = []
    for number, appearance in enumerate(appearances):
        own = None if colors is None else colors[number]
        layers += _layers(appearance, viewpoint, xs, ys, size, own)
    picture, through = np.zeros((height, width, 4)), np.ones((height, width))
    for _, buffer_depth, whole, color in sorted(layers, key=lambda layer: layer[0]):
        alpha = whole if nearest is None else np.where(buffer_depth <= nearest, whole, 0.0)
        picture += (through * alpha)[..., None] * [*color, 1.0]
        through *= 1.0 - alpha
    return picture


def _layers(appearance, viewpoint, xs, ys, size, colors):
    """Yield depth, depth in the buffer, alpha (H, W) and colour of each Gaussian."""
    moved = transform(appearance.splat.gaussians, viewpoint.world_to_view @ appearance.matrix)
    projection, width, height = viewpoint.projection, viewpoint.width, viewpoint.height
    half = rotations.matrices(moved.quats) * (size * np.exp(moved.log_scales))[:, None, :]
    for index, mean in enumerate(moved.means.astype(np.float64)):
        clip = projection @ [*mean, 1.0]
        perspective = projection[3, 3] == 0.0
        if perspective and -mean[2] < 0.01:
            continue

        def to_pixel(point, clip_of=projection, size_of=(width, height)):
            place = clip_of @ [*point, 1.0]
            return (place[:2] / place[3] + 1.0) * np.array(size_of) / 2

        # The Jacobian by central differences, which do not know the formula; where the middle lies
        # far beside the picture, that of a place at its margin.
        place = mean.copy()
        if perspective:
            ndc = np.clip(clip[:2] / clip[3], -1.0 - 2.0 * SLOPE_MARGIN, 1.0 + 2.0 * SLOPE_MARGIN)
            lens = np.array([projection[0, 0], projection[1, 1]])
            place[:2] = -mean[2] * (ndc + projection[:2, 2]) / lens
        step = 1e-5
        jacobian = np.stack(
            [
                (to_pixel(place + step * a) - to_pixel(place - step * a)) / (2 * step)
                for a in np.eye(3)
            ],
            axis=1,
        )
        part = jacobian @ half[index]
        inverse = np.linalg.inv(part @ part.T + 0.3 * np.eye(2))
        dx, dy = xs - to_pixel(mean)[0], ys - to_pixel(mean)[1]
        power = inverse[0, 0] * dx * dx + 2 * inverse[0, 1] * dx * dy + inverse[1, 1] * dy * dy
        opacity = 1.0 / (1.0 + np.exp(-float(moved.logit_opacities[index])))
        alpha = np.minimum(opacity * np.exp(-0.5 * power), 0.999)
        alpha = np.where(alpha < 1.0 / 255.0, 0.0, alpha)
        if colors is None:
            degree = moved.sh_degree
            towards = mean / np.linalg.norm(mean) if perspective else np.array([0.0, 0.0, -1.0])
            weights = basis(towards[None], degree)[0]
            color = np.maximum(0.5 + weights @ moved.sh[index], 0.0)
        else:
            color = colors[index]
        yield -mean[2], 0.5 * clip[2] / clip[3] + 0.5, alpha, color
