# SPDX-License-Identifier: GPL-3.0-or-later
"""What every rasterizer backend offers, in the conventions of `gsplat.rasterization`.

A pixel (i, j) is sampled at (i + 0.5, j + 0.5). A Gaussian's 2D covariance is dilated by 0.3 px².
Its alpha at a pixel, α = opacity · exp(−σ), is capped at 0.999 and ignored below 1/255; a ray ends
before its transmittance would fall under 1e-4. Colour is Σ αᵢTᵢcᵢ plus T·background.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .rules import (
    ALPHA_LIMIT,
    ALPHA_MINIMUM,
    DILATION,
    NEAR_PLANE,
    TRANSMITTANCE_MINIMUM,
)

if TYPE_CHECKING:
    from torch import Tensor, device

    from ..dataset.scene import View
    from ..progress import Reporter, ShouldStop
    from .blending import BlendingMatrix

Item = TypeVar("Item")
Result = TypeVar("Result")

SSIM_SIGMA, SSIM_REACH = 1.5, 5
"""Standard deviation and half width of SSIM's Gaussian window, px: it has 11×11 taps."""
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2
"""(K L)² of Wang et al. 2004 for pictures in 0..1."""


@dataclass(frozen=True, eq=False)
class SplatTensors:
    """N Gaussians as float32 tensors on the backend's device, activations applied."""

    means: Tensor
    """(N, 3) scene units."""
    quats: Tensor
    """(N, 4) wxyz, normalised by the rasterizer."""
    scales: Tensor
    """(N, 3) standard deviations > 0, scene units."""
    opacities: Tensor
    """(N,) in 0..1."""
    sh0: Tensor
    """(N, 1, 3) constant spherical harmonic; colour = max(0, 0.5 + Σ sh · basis)."""
    shN: Tensor
    """(N, K - 1, 3) higher harmonics, K = 1, 4, 9 or 16."""


@dataclass(frozen=True, eq=False)
class Rendering:
    """One view. Every tensor but `info`'s is differentiable to the splat that was drawn."""

    rgb: Tensor
    """(H, W, 3) linear combination of colours, not clamped."""
    alpha: Tensor
    """(H, W) coverage 1 − T."""
    features: Tensor | None
    """(H, W, F) Σ αᵢTᵢfᵢ; no background, not divided by alpha."""
    depth: Tensor | None
    """(H, W) Σ αᵢTᵢzᵢ, scene units; divide by alpha for the expected depth."""
    info: dict[str, Any]
    """What gsplat's strategies read: means2d (1, N, 2) px, in the graph, so that `retain_grad`
    works; radii (1, N, 2) int32 px, 0 where not drawn; width; height; n_cameras; gaussian_ids."""


@dataclass(frozen=True, eq=False)
class SplitRendering:
    """One view, parted at a depth in each pixel. Both parts add up to the `Rendering`."""

    front_rgb: Tensor
    """(H, W, 3) Σ αᵢTᵢcᵢ over Gaussians nearer than the limit, not clamped."""
    front_alpha: Tensor
    """(H, W) Σ αᵢTᵢ over the same."""
    back_rgb: Tensor
    """(H, W, 3) the sum over all others; their Tᵢ holds what those in front take of the light."""
    back_alpha: Tensor
    """(H, W)."""


class BackendModule(Protocol):
    """What the module of a `backends.BackendDescription` has beside its class.

    Either function may raise ModuleNotFoundError: the missing package is then the obstacle.
    """

    def obstacle(
        self, report: Reporter, should_stop: ShouldStop, /, *, compile_kernels: bool
    ) -> str:
        """Return why the backend cannot be used on this computer, or "" where it can.

        Args:
            report: hears that kernels are being loaded or compiled, if that must be tried.
            should_stop: asked while they are compiled; `Interrupted` is then raised.
            compile_kernels: whether what takes minutes is tried, too; without, it is taken to work.

        Returns:
            Part of a sentence without a full stop: "PyTorch finds no NVIDIA card".
        """
        ...

    def open_backend(self, report: Reporter, /, *, compile_kernels: bool) -> Backend:
        """Return the backend; called where there is no obstacle.

        Args:
            report: hears that kernels are being compiled.
            compile_kernels: compile all kernels now, not when they are first needed.
        """
        ...


class PhotosTogether(Protocol):
    """Photos that are looked at before parameters change, at the same time where that is faster.

    What comes of it is the same, whether they are looked at at the same time or not.
    """

    @property
    def photos(self) -> int:
        """How many."""
        ...

    def each(
        self, look: Callable[[Backend, Item], Result], photos: Sequence[Item], /
    ) -> list[Result]:
        """Return what `look` gives for each of one to `photos` photos, in their order.

        Args:
            look: gets a backend that no other photo has meanwhile, and may run in another thread.
            photos: what it gets besides.
        """
        ...

    def adam_steps(
        self,
        parameter: Tensor,
        moments: tuple[Tensor, Tensor],
        gradients: Sequence[Tensor],
        rates: Sequence[float],
        betas: tuple[float, float],
        done: int,
        lengths: Tensor | None = None,
    ) -> None:
        """Do Adam's step for each gradient, in their order (Kingma and Ba 2015), in place.

        Args:
            parameter: float32, contiguous, like all others.
            moments: first and second, of its shape.
            gradients: of its shape.
            rates: step size of each step.
            betas: decays of both moments.
            done: steps before these.
            lengths: of its shape, what ways are multiplied by; None: nothing.
        """
        ...

    def lengths_by_distance(self, means: Tensor, center: Tensor, extent: float) -> Tensor:
        """Return max(1, distance / extent) of each mean (N, 3), once for each of its numbers.

        Args:
            means: (N, 3) scene units.
            center: (3,) from where it is measured, scene units.
            extent: scene units.

        Returns:
            (N, 3), which the next call may write over.
        """
        ...


class Backend(Protocol):
    """A rasterizer; `backends.BACKENDS` lists all of them.

    Tensors come and go on `device`. Its results must equal those of `reference` up to rounding.
    """

    name: str
    """That of its `backends.BackendDescription`."""
    device: device

    @property
    def hardware(self) -> str:
        """Name of the card or the like that it draws on; "" where that goes without saying."""
        ...

    def photos_together(self) -> PhotosTogether | None:
        """Return what looks at several photos at a time; None where one after the other is best."""
        ...

    def render(
        self,
        splat: SplatTensors,
        view: View,
        *,
        sh_degree: int = 3,
        features: Tensor | None = None,
        background: Tensor | None = None,
        depth: bool = False,
        features_move_geometry: bool = True,
        near_plane: float = NEAR_PLANE,
    ) -> Rendering:
        """Draw one view.

        Args:
            splat: the Gaussians.
            view: pinhole camera and pose; its width and height are the size of the result.
            sh_degree: harmonics up to this degree are used, 0..3.
            features: (N, F) any number of extra channels, blended like colours.
            background: (3,) colour behind everything; None is black.
            depth: also blend the depth along the camera axis.
            features_move_geometry: whether gradients of `features` reach means, quats, scales
                and opacities (as in the released CGC), or only the features.
            near_plane: scene units.
        """
        ...

    def photometric_loss(self, rgb: Tensor, target: Tensor, dssim_weight: float = 0.2) -> Tensor:
        """Return (1 − w) · L1 + w · (1 − SSIM), a scalar, differentiable to `rgb`.

        SSIM has the 11×11 Gaussian window with σ 1.5, zero padding, of 3DGS (Kerbl 2023, eq. 7).

        Args:
            rgb: (H, W, 3) rendered.
            target: (H, W, 3) photo in 0..1.
            dssim_weight: w, 0..1.
        """
        ...

    def ssim(self, a: Tensor, b: Tensor) -> float:
        """Return the mean structural similarity of two pictures; 1 is equal.

        It is the SSIM of `photometric_loss`.

        Args:
            a: (H, W, 3) in 0..1.
            b: (H, W, 3) in 0..1.
        """
        ...

    def blending_weights(
        self,
        splat: SplatTensors,
        view: View,
        pixels: Tensor,
        *,
        minimum: float = 0.0,
        near_plane: float = NEAR_PLANE,
    ) -> BlendingMatrix:
        """Return the weights αᵢTᵢ with which Gaussians make up the given pixels; no gradients.

        With frozen geometry a rendered feature map is linear in the features; this is its matrix.

        Args:
            splat: the Gaussians.
            view: pinhole camera and pose.
            pixels: (P,) int64, row · width + column, any order, no duplicates.
            minimum: weights at or below it are left out.
            near_plane: scene units.
        """
        ...

    def render_labels(
        self,
        splat: SplatTensors,
        view: View,
        labels: Tensor,
        *,
        near_plane: float = NEAR_PLANE,
    ) -> tuple[Tensor, Tensor]:
        """Blend one-hot labels and return the strongest one of each pixel; no gradients.

        What no Gaussian covers, 1 − alpha, counts as label 0; equal weights go to the smaller id.

        Args:
            splat: the Gaussians.
            view: pinhole camera and pose.
            labels: (N,) int32, 0 = unassigned.
            near_plane: scene units.

        Returns:
            labels (H, W) int32, and their weight (H, W) float32 in 0..1.
        """
        ...

    def render_split(
        self,
        splat: SplatTensors,
        view: View,
        limits: Tensor,
        *,
        sh_degree: int = 3,
        near_plane: float = NEAR_PLANE,
    ) -> SplitRendering:
        """Draw what lies before and behind a depth in each pixel; no gradients.

        A Gaussian is in front where the depth of its centre is less than the limit.

        Args:
            splat: the Gaussians.
            view: pinhole camera and pose.
            limits: (H, W) float32 along the camera axis, scene units; infinite or NaN where
                everything is in front.
            sh_degree: harmonics up to this degree are used, 0..3.
            near_plane: scene units.
        """
        ...


def degree_of(splat: SplatTensors) -> int:
    """Return the highest degree of the spherical harmonics stored, 0..3.

    Example:
        >>> import torch
        >>> one = torch.zeros(1)
        >>> degree_of(SplatTensors(one, one, one, one, torch.zeros(1, 1, 3), torch.zeros(1, 8, 3)))
        2
    """
    return round((splat.shN.shape[1] + 1) ** 0.5) - 1


__all__: Sequence[str] = (
    "ALPHA_LIMIT",
    "ALPHA_MINIMUM",
    "DILATION",
    "NEAR_PLANE",
    "SSIM_C1",
    "SSIM_C2",
    "SSIM_REACH",
    "SSIM_SIGMA",
    "TRANSMITTANCE_MINIMUM",
    "Backend",
    "BackendModule",
    "PhotosTogether",
    "Rendering",
    "SplatTensors",
    "SplitRendering",
    "degree_of",
)
