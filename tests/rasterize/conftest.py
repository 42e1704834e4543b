# SPDX-License-Identifier: GPL-3.0-or-later
"""Random scenes and cameras, and the pixels on which two exact renderers must agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.rasterize import reference
from cgc_addon.rasterize.interface import (
    ALPHA_LIMIT,
    ALPHA_MINIMUM,
    TRANSMITTANCE_MINIMUM,
    Backend,
    SplatTensors,
)
from cgc_addon.rasterize.select import select_backend


def _rotation(generator: np.random.Generator, largest_angle: float) -> np.ndarray:
    axis = generator.normal(size=3)
    x, y, z = axis / np.linalg.norm(axis)
    angle = generator.uniform(0, largest_angle)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


@pytest.fixture(scope="session")
def make_splat() -> Callable[..., SplatTensors]:
    """Return a function that scatters Gaussians in the cube −1..1."""

    def make(
        count: int, seed: int = 0, *, dtype: torch.dtype = torch.float64, degree: int = 3
    ) -> SplatTensors:
        generator = np.random.default_rng(seed)

        def tensor(values: np.ndarray) -> torch.Tensor:
            return torch.as_tensor(values.astype(np.float32)).to(dtype)

        size = 1.5 / max(count, 1) ** (1 / 3)
        return SplatTensors(
            means=tensor(generator.uniform(-1, 1, (count, 3))),
            quats=tensor(generator.normal(size=(count, 4))),
            scales=tensor(size * generator.uniform(0.05, 0.5, (count, 3))),
            opacities=tensor(generator.beta(0.7, 0.7, count)),
            sh0=tensor(generator.normal(0, 0.8, (count, 1, 3))),
            shN=tensor(generator.normal(0, 0.2, (count, (degree + 1) ** 2 - 1, 3))),
        )

    return make


@pytest.fixture(scope="session")
def make_view() -> Callable[..., View]:
    """Return a function that looks at the origin from a distance; `fov_scale` < 1 crops."""

    def make(
        width: int = 64,
        height: int = 48,
        seed: int = 0,
        *,
        distance: float = 3.0,
        focal: tuple[float, float] = (1.2, 1.2),
        center: tuple[float, float] = (0.5, 0.5),
    ) -> View:
        generator = np.random.default_rng(seed)
        world_to_camera = np.eye(4)
        world_to_camera[:3, :3] = _rotation(generator, np.pi)
        world_to_camera[2, 3] = distance
        camera = PinholeCamera(
            width,
            height,
            focal[0] * width,
            focal[1] * width,
            center[0] * width,
            center[1] * height,
        )
        return View("photo.png", camera, world_to_camera)

    return make


@pytest.fixture(scope="session")
def as_dtype() -> Callable[..., SplatTensors]:
    """Return a function that copies a splat in another dtype or to a device, as leaves."""

    def convert(splat: SplatTensors, *, grad: bool = True, **options: object) -> SplatTensors:
        copies = {
            field.name: getattr(splat, field.name).detach().clone().to(**options)
            for field in fields(splat)
        }
        return SplatTensors(**{name: copy.requires_grad_(grad) for name, copy in copies.items()})

    return convert


@pytest.fixture(scope="session")
def steady_pixels() -> Callable[..., torch.Tensor]:
    """Return a function that finds the pixels (H, W) where rounding cannot change a decision.

    At the others some Gaussian's alpha lies within `margin`, relatively, of the smallest that is
    blended or of the cap, or the transmittance of where the ray ends.
    """

    def find(splat: SplatTensors, view: View, margin: float = 1e-3) -> torch.Tensor:
        splat = replace(
            splat, **{f.name: getattr(splat, f.name).detach().double().cpu() for f in fields(splat)}
        )
        projection = reference.project(splat, view)
        width, height = view.camera.width, view.camera.height
        drawn = (projection.radii > 0).all(dim=-1).nonzero()[:, 0]
        drawn = drawn[projection.depths[drawn].argsort()]
        rows, columns = torch.meshgrid(
            torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij"
        )
        dx = columns[..., None] - projection.means2d[drawn, 0]
        dy = rows[..., None] - projection.means2d[drawn, 1]
        xx, xy, yy = projection.conics[drawn].unbind(-1)
        sigma = 0.5 * (xx * dx * dx + yy * dy * dy) + xy * dx * dy
        alpha = splat.opacities[drawn] * torch.exp(-sigma)
        shaky = ((alpha / ALPHA_MINIMUM - 1).abs() < margin).any(dim=-1)
        shaky |= ((alpha / ALPHA_LIMIT - 1).abs() < margin).any(dim=-1)
        alpha = torch.where(alpha < ALPHA_MINIMUM, 0.0, alpha.clamp(max=ALPHA_LIMIT))
        passing = torch.cumprod(1 - alpha, dim=-1)
        shaky |= ((passing / TRANSMITTANCE_MINIMUM - 1).abs() < margin).any(dim=-1)
        return ~shaky

    return find


@pytest.fixture
def emulated_gsplat(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[..., object]]:
    """Let gsplat run without a card; returns its operations by name."""
    from gsplat.cuda import _wrapper

    from .emulated_gsplat import OPERATIONS

    monkeypatch.setattr(_wrapper, "_make_lazy_cuda_func", OPERATIONS.__getitem__)
    monkeypatch.setattr(_wrapper, "_make_lazy_cuda_obj", lambda name: name)
    return OPERATIONS


@pytest.fixture(scope="session")
def cuda_backend() -> Backend:
    """Return the CUDA backend; no card skips the test, a card that does not work fails it."""
    if not torch.cuda.is_available():
        pytest.skip("needs an NVIDIA card")
    backend, _ = select_backend("cuda")
    return backend
