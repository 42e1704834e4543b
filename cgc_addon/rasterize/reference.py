# SPDX-License-Identifier: GPL-3.0-or-later
"""A slow renderer in plain PyTorch that states the rules of `interface`, for tests.

Every Gaussian is evaluated at every pixel (or at every pixel of the tiles that it touches), in the
dtype of the splat, and autograd does the rest. It follows 3D Gaussian Splatting (Kerbl et al.
2023) with the conventions of gsplat 1.5, and serves as the oracle of the fast backends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, pi, sqrt

import torch
from torch import Tensor

from ..dataset.scene import View
from .interface import (
    ALPHA_LIMIT,
    ALPHA_MINIMUM,
    DILATION,
    NEAR_PLANE,
    TRANSMITTANCE_MINIMUM,
    Rendering,
    SplatTensors,
    SplitRendering,
    degree_of,
)
from .rules import SLOPE_MARGIN

BOX_LIMIT = 3.33
"""Half the side of a Gaussian's bounding box is never more than this many standard deviations."""


@dataclass(frozen=True, eq=False)
class Projection:
    """N Gaussians on the image plane of one view."""

    means2d: Tensor
    """(N, 2) px."""
    conics: Tensor
    """(N, 3) inverse of the dilated covariance: its xx, xy and yy entry, px⁻²."""
    depths: Tensor
    """(N,) along the camera axis, scene units."""
    radii: Tensor
    """(N, 2) int32, half width and half height of the bounding box in px, 0 where not drawn."""


def project(splat: SplatTensors, view: View, near_plane: float = NEAR_PLANE) -> Projection:
    """Project Gaussians by the local affine approximation (Zwicker et al. 2001; Kerbl 2023, eq. 5).

    Args:
        splat: N Gaussians of any float dtype.
        view: pinhole camera and pose.
        near_plane: Gaussians nearer than this are not drawn, scene units.

    Example:
        >>> import numpy as np
        >>> from cgc_addon.dataset.scene import PinholeCamera
        >>> view = View("a.png", PinholeCamera(17, 17, 16.0, 16.0, 8.5, 8.5), np.eye(4))
        >>> means, quats = torch.tensor([[0.0, 0, 2]]), torch.tensor([[1.0, 0, 0, 0]])
        >>> scales, opacities = torch.full((1, 3), 0.5), torch.tensor([0.75])
        >>> grey = torch.zeros(1, 1, 3)
        >>> splat = SplatTensors(means, quats, scales, opacities, grey, grey[:, 1:])
        >>> projection = project(splat, view)  # 0.5 units are 4 px there
        >>> projection.means2d.tolist(), projection.depths.tolist()
        ([[8.5, 8.5]], [2.0])
        >>> round(1 / projection.conics[0, 0].item(), 3)  # 4² px², and 0.3 px² of dilation
        16.3
    """
    camera = view.camera
    pose = torch.as_tensor(view.world_to_camera).to(splat.means)
    rotation, translation = pose[:3, :3], pose[:3, 3]

    points = splat.means @ rotation.T + translation
    in_front = points[:, 2] >= near_plane
    x, y = points[:, 0], points[:, 1]
    # Behind the camera any depth will do, as long as nothing becomes infinite.
    z = torch.where(in_front, points[:, 2], torch.ones_like(points[:, 2]))
    slope_x, slope_y = x / z, y / z
    means2d = torch.stack(
        [camera.fx * slope_x + camera.cx, camera.fy * slope_y + camera.cy], dim=-1
    )

    margin_x = SLOPE_MARGIN * camera.width / camera.fx
    margin_y = SLOPE_MARGIN * camera.height / camera.fy
    slope_x = slope_x.clamp(
        -camera.cx / camera.fx - margin_x, (camera.width - camera.cx) / camera.fx + margin_x
    )
    slope_y = slope_y.clamp(
        -camera.cy / camera.fy - margin_y, (camera.height - camera.cy) / camera.fy + margin_y
    )
    zero = torch.zeros_like(z)
    along_x = torch.stack([camera.fx / z, zero, -camera.fx * slope_x / z], dim=-1)
    along_y = torch.stack([zero, camera.fy / z, -camera.fy * slope_y / z], dim=-1)
    jacobian = torch.stack([along_x, along_y], dim=1)
    half = jacobian @ rotation @ (rotation_matrices(splat.quats) * splat.scales[:, None, :])
    covariance = half @ half.transpose(1, 2)
    xx = covariance[:, 0, 0] + DILATION
    xy = covariance[:, 0, 1]
    yy = covariance[:, 1, 1] + DILATION
    determinant = xx * yy - xy * xy
    invertible = determinant > 0
    determinant = torch.where(invertible, determinant, torch.ones_like(determinant))
    conics = torch.stack([yy, -xy, xx], dim=-1) / determinant[:, None]

    with torch.no_grad():
        # alpha >= ALPHA_MINIMUM holds inside an ellipse of this many standard deviations.
        reach = (2 * (splat.opacities / ALPHA_MINIMUM).clamp(min=1).log()).sqrt()
        reach = reach.clamp(max=BOX_LIMIT)[:, None]
        boxes = (reach * torch.stack([xx, yy], dim=-1).sqrt()).ceil()
        size = boxes.new_tensor([camera.width, camera.height])
        on_picture = ((means2d + boxes > 0) & (means2d - boxes < size)).all(dim=-1)
        drawn = in_front & invertible & (splat.opacities >= ALPHA_MINIMUM) & on_picture
        radii = torch.where(drawn[:, None], boxes, torch.zeros_like(boxes)).to(torch.int32)
    return Projection(means2d, conics, points[:, 2], radii)


def rotation_matrices(quats: Tensor) -> Tensor:
    """Return the rotations (N, 3, 3) of quaternions wxyz (N, 4) of any length > 0.

    Example:
        >>> rotation_matrices(torch.tensor([[0.0, 0.0, 0.0, 2.0]])).tolist()  # half a turn around z
        [[[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]]]
    """
    w, x, y, z = torch.nn.functional.normalize(quats, dim=-1).unbind(-1)
    entries = [
        *(1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        *(2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        *(2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    ]
    return torch.stack(entries, dim=-1).reshape(-1, 3, 3)


def harmonics_basis(degree: int, directions: Tensor) -> Tensor:
    """Return real spherical harmonics in 3DGS's order and signs.

    Args:
        degree: highest degree, 0..3.
        directions: (N, 3) unit vectors.

    Returns:
        (N, (degree + 1)²).
    """
    x, y, z = directions.unbind(-1)
    basis = [torch.full_like(x, sqrt(1 / (4 * pi)))]
    if degree >= 1:
        c = sqrt(3 / (4 * pi))
        basis += [-c * y, c * z, -c * x]
    if degree >= 2:
        c = sqrt(15 / (4 * pi))
        basis += [
            c * x * y,
            -c * y * z,
            sqrt(5 / (16 * pi)) * (3 * z * z - 1),
            -c * x * z,
            c / 2 * (x * x - y * y),
        ]
    if degree >= 3:
        outer, inner = sqrt(35 / (32 * pi)), sqrt(21 / (32 * pi))
        c = sqrt(105 / (4 * pi))
        basis += [
            -outer * y * (3 * x * x - y * y),
            c * x * y * z,
            -inner * y * (5 * z * z - 1),
            sqrt(7 / (16 * pi)) * z * (5 * z * z - 3),
            -inner * x * (5 * z * z - 1),
            c / 2 * z * (x * x - y * y),
            -outer * x * (x * x - 3 * y * y),
        ]
    return torch.stack(basis, dim=-1)


def colors_toward(splat: SplatTensors, view: View, sh_degree: int = 3) -> Tensor:
    """Return the colours max(0, 0.5 + Σ sh · basis) (N, 3) that Gaussians show to the camera.

    Degrees above the one that `splat` stores count as zero.
    """
    degree = min(sh_degree, degree_of(splat))
    center = torch.as_tensor(view.center()).to(splat.means)
    directions = torch.nn.functional.normalize(splat.means - center, dim=-1)
    coefficients = torch.cat([splat.sh0, splat.shN], dim=1)[:, : (degree + 1) ** 2]
    basis = harmonics_basis(degree, directions)
    return (0.5 + (basis[:, :, None] * coefficients).sum(dim=1)).clamp(min=0)


def render(
    splat: SplatTensors,
    view: View,
    *,
    sh_degree: int = 3,
    features: Tensor | None = None,
    background: Tensor | None = None,
    depth: bool = False,
    features_move_geometry: bool = True,
    near_plane: float = NEAR_PLANE,
    tile_size: int | None = None,
) -> Rendering:
    """Draw one view; see `interface.Backend.render` for the arguments.

    Needs memory for every pair of a Gaussian and a pixel, or of a tile's Gaussians and pixels.

    Args:
        splat: the Gaussians, in any float dtype, which is also that of the result.
        view: pinhole camera and pose.
        sh_degree: harmonics up to this degree are used, 0..3.
        features: (N, F) extra channels.
        background: (3,) colour behind everything; None is black.
        depth: also blend the depth.
        features_move_geometry: whether gradients of `features` reach the geometry.
        near_plane: scene units.
        tile_size: draw squares of so many pixels one by one; None draws the picture at once. The
            result is the same.

    Example:
        >>> import numpy as np
        >>> from cgc_addon.dataset.scene import PinholeCamera
        >>> view = View("a.png", PinholeCamera(17, 17, 16.0, 16.0, 8.5, 8.5), np.eye(4))
        >>> means, quats = torch.tensor([[0.0, 0, 2]]), torch.tensor([[1.0, 0, 0, 0]])
        >>> scales, opacities = torch.full((1, 3), 0.5), torch.tensor([0.75])
        >>> grey = torch.zeros(1, 1, 3)
        >>> splat = SplatTensors(means, quats, scales, opacities, grey, grey[:, 1:])
        >>> drawn = render(splat, view, background=torch.tensor([0.0, 0.0, 1.0]))
        >>> drawn.alpha[8, 8].item()
        0.75
        >>> drawn.rgb[8, 8].tolist()  # three quarters of grey before a quarter of blue
        [0.375, 0.375, 0.625]
    """
    width, height = view.camera.width, view.camera.height
    projection = project(splat, view, near_plane)
    means2d = projection.means2d[None]  # what strategies read must lie on the way to the pixels
    projection = Projection(means2d[0], projection.conics, projection.depths, projection.radii)
    values = colors_toward(splat, view, sh_degree)
    if depth:
        values = torch.cat([values, projection.depths[:, None]], dim=-1)

    pixels, images, feature_images, transmittances = [], [], [], []
    for indices, gaussians in _tiles(projection, width, height, tile_size):
        weights, transmittance = _blend(projection, splat.opacities, gaussians, indices, width)
        pixels.append(indices)
        images.append(weights @ values[gaussians])
        transmittances.append(transmittance)
        if features is not None:
            kept = weights if features_move_geometry else weights.detach()
            feature_images.append(kept @ features[gaussians])

    in_rows = torch.cat(pixels).argsort()
    image = torch.cat(images)[in_rows].reshape(height, width, -1)
    transmittance = torch.cat(transmittances)[in_rows].reshape(height, width)
    rgb = image[..., :3]
    if background is not None:
        rgb = rgb + transmittance[..., None] * background.to(rgb)
    feature_image = None
    if features is not None:
        feature_image = torch.cat(feature_images)[in_rows].reshape(height, width, -1)
    info = {
        "means2d": means2d,
        "radii": projection.radii[None],
        "width": width,
        "height": height,
        "n_cameras": 1,
        "gaussian_ids": None,
    }
    depth_image = image[..., 3] if depth else None
    return Rendering(rgb, 1 - transmittance, feature_image, depth_image, info)


@torch.no_grad()
def blending_weights(splat: SplatTensors, view: View, near_plane: float = NEAR_PLANE) -> Tensor:
    """Return the dense matrix (H · W, N) of the weights αᵢTᵢ."""
    width, height = view.camera.width, view.camera.height
    projection = project(splat, view, near_plane)
    dense = splat.means.new_zeros(height * width, len(splat.means))
    for indices, gaussians in _tiles(projection, width, height, None):
        dense[:, gaussians], _ = _blend(projection, splat.opacities, gaussians, indices, width)
    return dense


@torch.no_grad()
def label_map(
    splat: SplatTensors, view: View, labels: Tensor, near_plane: float = NEAR_PLANE
) -> tuple[Tensor, Tensor]:
    """Return each pixel's strongest label; see `interface.Backend.render_labels`.

    Args:
        splat: N Gaussians.
        view: pinhole camera and pose.
        labels: (N,) int32, 0 = unassigned.
        near_plane: scene units.

    Returns:
        labels (H, W) int32 and their weights (H, W).
    """
    shape = view.camera.height, view.camera.width
    weights = blending_weights(splat, view, near_plane)
    ids = torch.unique(torch.cat([labels, labels.new_zeros(1)]))  # ascending
    shares = weights @ (labels[:, None] == ids).to(weights)
    shares[:, ids == 0] += 1 - weights.sum(dim=1, keepdim=True)
    share, winner = shares.max(dim=1)  # the first, so the smallest id, of equals
    return ids[winner].to(torch.int32).reshape(shape), share.reshape(shape)


@torch.no_grad()
def render_split(
    splat: SplatTensors,
    view: View,
    limits: Tensor,
    *,
    sh_degree: int = 3,
    near_plane: float = NEAR_PLANE,
) -> SplitRendering:
    """Draw what lies before and behind a depth; see `interface.Backend.render_split`."""
    shape = view.camera.height, view.camera.width
    weights = blending_weights(splat, view, near_plane)
    in_front = ~(project(splat, view, near_plane).depths >= limits.to(weights).reshape(-1, 1))
    colors = colors_toward(splat, view, sh_degree)
    parts = []
    for part in (weights * in_front, weights * ~in_front):
        parts += [(part @ colors).reshape(*shape, 3), part.sum(dim=1).reshape(shape)]
    return SplitRendering(*parts)


def _tiles(
    projection: Projection, width: int, height: int, tile_size: int | None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield each tile's pixels (P,), as row · width + column, and its Gaussians (G,) by depth."""
    drawn = (projection.radii > 0).all(dim=-1).nonzero()[:, 0]
    by_depth = drawn[projection.depths.detach()[drawn].argsort(stable=True)]
    picture = torch.arange(height * width, device=drawn.device).reshape(height, width)
    if tile_size is None:
        yield picture.flatten(), by_depth
        return
    means2d = projection.means2d.detach()[by_depth]
    first, last = means2d - projection.radii[by_depth], means2d + projection.radii[by_depth]
    for row in range(ceil(height / tile_size)):
        for column in range(ceil(width / tile_size)):
            start = means2d.new_tensor([column * tile_size, row * tile_size])
            touches = ((last > start) & (first < start + tile_size)).all(dim=-1)
            tile = picture[
                row * tile_size : (row + 1) * tile_size,
                column * tile_size : (column + 1) * tile_size,
            ]
            yield tile.flatten(), by_depth[touches]


def _blend(
    projection: Projection, opacities: Tensor, gaussians: Tensor, pixels: Tensor, width: int
) -> tuple[Tensor, Tensor]:
    """Return the weights (P, G) of G Gaussians, front to back, and what light (P,) passes them."""
    centers = torch.stack([pixels % width, pixels // width], dim=-1) + 0.5
    offsets = centers.to(opacities)[:, None] - projection.means2d[gaussians]
    dx, dy = offsets.unbind(-1)
    xx, xy, yy = projection.conics[gaussians].unbind(-1)
    sigma = 0.5 * (xx * dx * dx + yy * dy * dy) + xy * dx * dy
    alpha = (opacities[gaussians] * torch.exp(-sigma)).clamp(max=ALPHA_LIMIT)
    alpha = torch.where((alpha >= ALPHA_MINIMUM) & (sigma >= 0), alpha, torch.zeros_like(alpha))

    # Transmittance only falls, so the ray has not ended exactly where the product is still large.
    passing = torch.cumprod(1 - alpha, dim=1)
    alpha = torch.where(passing >= TRANSMITTANCE_MINIMUM, alpha, torch.zeros_like(alpha))
    passing = torch.cumprod(1 - alpha, dim=1)
    before = torch.cat([alpha.new_ones(len(alpha), 1), passing], dim=1)
    return alpha * before[:, :-1], before[:, -1]
