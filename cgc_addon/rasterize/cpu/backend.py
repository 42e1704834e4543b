# SPDX-License-Identifier: GPL-3.0-or-later
"""The rasterizer for machines without an NVIDIA card."""

from __future__ import annotations

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...dataset.scene import View
from ...errors import CgcError
from ...progress import Reporter, ShouldStop, silent, track
from ..blending import BlendingMatrix
from ..interface import NEAR_PLANE, Rendering, SplatTensors, SplitRendering, degree_of
from .beside import CompilingBeside, on_disk
from .drawing import TILES_AT_ONCE, Drawing
from .kernels.binning import hide_rows
from .kernels.labels import draw_labels
from .kernels.layout import DEPTH, GROUP
from .kernels.split import draw_split
from .kernels.weights import list_weights
from .products import KERNEL_PRODUCTS
from .projection import Projection, camera_floats, flat
from .scratch import Scratch
from .ssim import photometric_loss, ssim
from .threads import limited_threads
from .tiles import Tiles, distribute
from .together import PHOTOS, KernelsTogether, can_draw_together
from .warm_up import stages, stages_before_the_rest


def obstacle(_report: Reporter, _should_stop: ShouldStop, /, *, compile_kernels: bool) -> str:
    """Return "": it can be used wherever this module can be imported."""
    return ""


def open_backend(report: Reporter, *, compile_kernels: bool) -> CpuBackend:
    """Return the backend, see `rasterize.interface.BackendModule`."""
    backend = CpuBackend()
    if compile_kernels:
        backend.compile_kernels(report)
    return backend


class CpuBackend:
    """Implements `rasterize.interface.Backend`. Use one object from one Python thread at a time."""

    name = "cpu"
    hardware = ""

    def __init__(self, threads: int | None = None) -> None:
        """Prepare to draw.

        Args:
            threads: how many to use, at least 1; None uses all that Numba was allowed.

        Raises:
            CgcError: `threads` is less than 1 or more than Numba was started with.
        """
        limit = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
        if threads is not None and not 1 <= threads <= limit:
            raise CgcError(
                f"The CPU rasterizer cannot use {threads} threads; choose 1 to {limit}, "
                "or raise NUMBA_NUM_THREADS before starting."
            )
        self.device = torch.device("cpu")
        self.threads = threads or limit
        self._scratch = Scratch()
        self._beside: CompilingBeside | None = None

    def photos_together(self) -> KernelsTogether:
        """Return what looks at two photos; see `rasterize.interface.Backend`."""
        backends = [self]
        if can_draw_together(self.threads):
            backends = [CpuBackend(self.threads // PHOTOS) for _ in range(PHOTOS)]
        return KernelsTogether(backends, self.threads)

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
        """Draw one view; see `rasterize.interface.Backend.render`."""
        width, height = view.camera.width, view.camera.height
        with limited_threads(self.threads):
            means2d, records, depths, radii = _project(splat, view, sh_degree, near_plane)
            extras = _extra_channels(features, records if depth else None, len(splat.means))
            groups = extras.shape[1] // GROUP
            moving = groups if features_move_geometry else int(depth)
            if groups:
                hide_rows(flat(extras), extras.shape[1], flat(depths), flat(radii))
            tiles = distribute(flat(records), flat(depths), width, height, self._scratch)
            if background is None:
                background = torch.zeros(3)
            rgb, alpha, extra_image = Drawing.apply(
                means2d, records, extras, background, width, height, moving, tiles, self._scratch
            )
        feature_image = None
        if features is not None:
            first = GROUP if depth else 0
            feature_image = extra_image[..., first : first + features.shape[1]]
        return Rendering(
            rgb=rgb,
            alpha=alpha,
            features=feature_image,
            depth=extra_image[..., 0] if depth else None,
            info={
                "means2d": means2d,
                "radii": radii,
                "width": width,
                "height": height,
                "n_cameras": 1,
                "gaussian_ids": None,
            },
        )

    def photometric_loss(self, rgb: Tensor, target: Tensor, dssim_weight: float = 0.2) -> Tensor:
        """Return (1 − w) · L1 + w · (1 − SSIM); see `rasterize.interface.Backend`."""
        with limited_threads(self.threads):
            return photometric_loss(rgb, target, dssim_weight)

    def ssim(self, a: Tensor, b: Tensor) -> float:
        """Return the mean structural similarity; see `rasterize.interface.Backend.ssim`."""
        with limited_threads(self.threads):
            return ssim(a, b)

    def blending_weights(
        self,
        splat: SplatTensors,
        view: View,
        pixels: Tensor,
        *,
        minimum: float = 0.0,
        near_plane: float = NEAR_PLANE,
    ) -> BlendingMatrix:
        """Return the weights that make up chosen pixels; see `rasterize.interface.Backend`.

        Raises:
            CgcError: a pixel lies outside the image or is named twice.
        """
        width, height = view.camera.width, view.camera.height
        pixel_rows = _rows_of_pixels(pixels, width * height)
        # Python's comparison would be with the float64; the kernel's weights are float32.
        smallest = np.float32(max(minimum, 0.0))
        with limited_threads(self.threads), numba.parallel_chunksize(TILES_AT_ONCE):
            records, tiles = self._tiles(splat, view, near_plane)
            walk = (flat(records), tiles.starts, tiles.gaussians, tiles.across, width, height)
            starts = np.zeros(len(pixels) + 1, np.int64)
            no_entries = (np.empty(0, np.int32), np.empty(0, np.float32))
            list_weights(*walk, pixel_rows, smallest, starts[1:], *no_entries)
            np.cumsum(starts, out=starts)
            gaussians = np.empty(starts[-1], np.int32)
            weights = np.empty(starts[-1], np.float32)
            if len(weights):
                list_weights(*walk, pixel_rows, smallest, starts[:-1].copy(), gaussians, weights)
        return BlendingMatrix(starts, gaussians, weights, len(splat.means), KERNEL_PRODUCTS)

    def render_labels(
        self,
        splat: SplatTensors,
        view: View,
        labels: Tensor,
        *,
        near_plane: float = NEAR_PLANE,
    ) -> tuple[Tensor, Tensor]:
        """Return each pixel's strongest label and its weight; see `rasterize.interface.Backend`.

        Raises:
            CgcError: there is not one int32 label ≥ 0 per Gaussian.
        """
        if tuple(labels.shape) != (len(splat.means),) or labels.dtype != torch.int32:
            raise CgcError(
                f"The CPU rasterizer was given labels of shape {tuple(labels.shape)} and type "
                f"{labels.dtype} for {len(splat.means)} Gaussians; give one int32 for each."
            )
        if len(labels) and int(labels.min()) < 0:
            raise CgcError("The CPU rasterizer was given a negative label; use 0 for unassigned.")
        names, dense = _dense_labels(labels.numpy())
        width, height = view.camera.width, view.camera.height
        strongest = torch.empty(height, width, dtype=torch.int32)
        weights = torch.empty(height, width)
        with limited_threads(self.threads), numba.parallel_chunksize(TILES_AT_ONCE):
            records, tiles = self._tiles(splat, view, near_plane)
            draw_labels(
                flat(records), dense, len(names), tiles.starts, tiles.gaussians, tiles.across,
                width, height, flat(strongest), flat(weights),
            )  # fmt: skip
        return torch.from_numpy(names)[strongest.long()], weights

    @torch.no_grad()
    def render_split(
        self,
        splat: SplatTensors,
        view: View,
        limits: Tensor,
        *,
        sh_degree: int = 3,
        near_plane: float = NEAR_PLANE,
    ) -> SplitRendering:
        """Draw what lies before and behind a depth; see `rasterize.interface.Backend`.

        Raises:
            CgcError: there is not one float32 limit per pixel.
        """
        width, height = view.camera.width, view.camera.height
        limits = _checked("limits of depth", limits, (height, width))
        farthest = torch.finfo(torch.float32).max
        limits = limits.nan_to_num(nan=farthest, posinf=farthest).clamp_(min=0.0)
        front_rgb, back_rgb = torch.empty(2, height, width, 3)
        front_alpha, back_alpha = torch.empty(2, height, width)
        with limited_threads(self.threads), numba.parallel_chunksize(TILES_AT_ONCE):
            _means2d, records, depths, _radii = _project(splat, view, sh_degree, near_plane)
            tiles = distribute(flat(records), flat(depths), width, height, self._scratch)
            draw_split(
                flat(records), tiles.starts, tiles.gaussians, tiles.across, width, height,
                flat(limits), flat(front_rgb), flat(front_alpha), flat(back_rgb), flat(back_alpha),
            )  # fmt: skip
        return SplitRendering(front_rgb, front_alpha, back_rgb, back_alpha)

    def compile_kernels(self, report: Reporter = silent) -> None:
        """Compile all that training and rendering need; near-instant when it is on disk already.

        With a second thread, what only comes after training is compiled meanwhile, in a process of
        its own.

        Args:
            report: told before each stage and after the last.
        """
        if self.threads == 1 or on_disk():
            compiling = stages(self)
        else:
            # It goes on while this process trains, and ends with it.
            self._beside = CompilingBeside()
            compiling = stages_before_the_rest(self, self._beside.wait_for)
        for stage in track(compiling, "Compiling kernels", report):
            stage()

    def _tiles(self, splat: SplatTensors, view: View, near_plane: float) -> tuple[Tensor, Tiles]:
        """Return the records (N, 16) of a splat whose colours do not matter, and its tiles."""
        with torch.no_grad():
            _means2d, records, depths, _radii = _project(splat, view, 0, near_plane)
        camera = view.camera
        tiles = distribute(flat(records), flat(depths), camera.width, camera.height, self._scratch)
        return records, tiles


def _project(
    splat: SplatTensors, view: View, sh_degree: int, near_plane: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    count = len(splat.means)
    shapes = {
        "means": (count, 3),
        "quats": (count, 4),
        "scales": (count, 3),
        "opacities": (count,),
        "sh0": (count, 1, 3),
        "shN": (count, splat.shN.shape[1] if splat.shN.ndim == 3 else 0, 3),
    }
    tensors = [_checked(name, getattr(splat, name), shape) for name, shape in shapes.items()]
    return Projection.apply(
        *tensors,
        camera_floats(view, near_plane),
        view.camera.width,
        view.camera.height,
        min(sh_degree, degree_of(splat)),
    )


def _checked(name: str, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return the tensor, contiguous; refuse what the kernels would misread."""
    if tensor.dtype != torch.float32 or tensor.device.type != "cpu":
        raise CgcError(
            f"The CPU rasterizer was given {name} as {tensor.dtype} on {tensor.device}; "
            "convert it to torch.float32 on the CPU."
        )
    if tuple(tensor.shape) != shape:
        raise CgcError(
            f"The CPU rasterizer was given {name} of shape {tuple(tensor.shape)}; "
            f"it must be {shape}."
        )
    return tensor.contiguous()


def _extra_channels(features: Tensor | None, records: Tensor | None, count: int) -> Tensor:
    """Return the channels beyond RGB (N, G · 8): depth and seven zeros, features and zeros."""
    parts = []
    if records is not None:
        parts.append(torch.nn.functional.pad(records[:, DEPTH : DEPTH + 1], (0, GROUP - 1)))
    if features is not None:
        shape = (count, features.shape[1] if features.ndim == 2 else 0)
        features = _checked("features", features, shape)
        missing = -features.shape[1] % GROUP
        parts.append(torch.nn.functional.pad(features, (0, missing)) if missing else features)
    if not parts:
        return torch.empty(count, 0)
    return torch.cat(parts, 1) if len(parts) > 1 else parts[0].contiguous()


def _rows_of_pixels(pixels: Tensor, count: int) -> NDArray[np.int32]:
    """Return for each pixel of the image its place in `pixels`, −1 where it is not among them."""
    chosen = pixels.numpy()
    if len(chosen) and not (chosen.min() >= 0 and chosen.max() < count):
        raise CgcError(
            f"Blending weights were asked for pixels {chosen.min()} to {chosen.max()} of an image "
            f"of {count}; number pixels as row · width + column."
        )
    rows = np.full(count, -1, np.int32)
    rows[chosen] = np.arange(len(chosen), dtype=np.int32)
    if np.count_nonzero(rows >= 0) != len(chosen):
        raise CgcError("Blending weights were asked for the same pixel twice; name each once.")
    return rows


def _dense_labels(labels: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the labels in ascending order, 0 always first, and each Gaussian's place there."""
    highest = int(labels.max(initial=0))
    if highest < 4 * len(labels) + 256:
        there = np.zeros(highest + 1, bool)
        there[0] = True
        there[labels] = True
        names = np.flatnonzero(there).astype(np.int32)
        places = np.zeros(highest + 1, np.int32)
        places[names] = np.arange(len(names), dtype=np.int32)
        return names, places[labels]
    names = np.union1d(labels, np.zeros(1, np.int32))
    return names, np.searchsorted(names, labels).astype(np.int32)
