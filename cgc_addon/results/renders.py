# SPDX-License-Identifier: GPL-3.0-or-later
"""A splat drawn from any cameras: pictures, label maps, features, depth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..dataset.scene import View
from ..errors import CgcError
from ..progress import Reporter, ShouldStop, never, silent, track
from ..rasterize.interface import Backend
from ..splats.gaussians import Gaussians
from ..training.parameters import splat_of
from .feature_colors import fit_feature_colors
from .pictures import save_array, save_palette_png, save_png, to_bytes
from .render_folder import DEPTH, FEATURES, LABELS, PALETTE, RGB, RenderFolder

HIGHEST_ID = 65_535
"""Of a segment: label maps have 16 bits."""
COVERED = 0.5
"""Where less of a pixel is covered, no depth is given."""


@dataclass(frozen=True, eq=False)
class RenderedView:
    """What was asked for of one view; the rest is None."""

    view: View
    rgb: NDArray[np.float32] | None = None
    """(H, W, 3) not clamped."""
    labels: NDArray[np.int32] | None = None
    """(H, W) segment ids, 0 = nothing there."""
    features: NDArray[np.float32] | None = None
    """(H, W, 16)."""
    depth: NDArray[np.float32] | None = None
    """(H, W) expected distance along the camera axis, scene units, 0 where little is covered."""


def draw(
    gaussians: Gaussians, views: Sequence[View], what: Sequence[str], backend: Backend
) -> Iterator[RenderedView]:
    """Draw views one by one.

    Args:
        gaussians: the splat; needs segments for "labels" and features for "features".
        views: at the size wanted.
        what: of `render_folder.KINDS`.
        backend: rasterizer.

    Raises:
        CgcError: the splat has no segments or features, or ids too high, and they were asked for.
    """
    if LABELS in what:
        if gaussians.segments is None:
            raise CgcError(
                "This splat has no segments to render as labels; its photos had no masks. "
                "Render rgb or depth instead, or train with masks."
            )
        highest = int(gaussians.segments.max(initial=0))
        if highest > HIGHEST_ID:
            raise CgcError(
                f"This splat has the segment {highest}; label maps keep ids up to {HIGHEST_ID}: "
                "number its segments anew."
            )
    if FEATURES in what and gaussians.features is None:
        raise CgcError("This splat has no features to render; its photos had no masks.")
    splat = splat_of(gaussians, backend.device)

    def tensor(array: NDArray[np.generic]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(backend.device)

    features = tensor(gaussians.features) if FEATURES in what else None  # pyright: ignore[reportArgumentType]
    segments = tensor(gaussians.segments) if LABELS in what else None  # pyright: ignore[reportArgumentType]
    for view in views:
        rgb = labels = drawn_features = depth = None
        with torch.no_grad():
            if segments is not None:
                labels = backend.render_labels(splat, view, segments)[0].cpu().numpy()
            if set(what) & {RGB, FEATURES, DEPTH}:
                rendering = backend.render(
                    splat,
                    view,
                    sh_degree=gaussians.sh_degree,
                    features=features,
                    depth=DEPTH in what,
                )
                rgb = rendering.rgb.cpu().numpy() if RGB in what else None
                if rendering.features is not None:
                    drawn_features = rendering.features.cpu().numpy()
                if rendering.depth is not None:
                    alpha = rendering.alpha.cpu().numpy()
                    accumulated = rendering.depth.cpu().numpy()
                    depth = np.where(
                        alpha >= COVERED, accumulated / np.maximum(alpha, COVERED), 0.0
                    ).astype(np.float32)
        yield RenderedView(view, rgb, labels, drawn_features, depth)


def render_views(
    gaussians: Gaussians,
    views: Sequence[View],
    what: Sequence[str],
    output: Path,
    backend: Backend,
    *,
    palette: NDArray[np.uint8] | None = None,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> None:
    """Draw views of a splat into `output`/KIND/STEM.png.

    Labels are uint16 with the ids of segments.json. Features are shown by their three principal
    directions and kept as float16 (H, W, 16) in STEM.npy; depth is kept as float32 (H, W) in
    STEM.npy, scene units, and shown with near things bright.

    Args:
        gaussians: the splat; needs segments for "labels" and features for "features".
        views: at the size wanted.
        what: of `render_folder.KINDS`.
        output: folder.
        backend: rasterizer.
        palette: (highest id + 1, 3) sRGB colours of segments, to paint labels into
            `output`/palette/STEM.png; None paints none.
        report: progress.
        should_stop: asked between views.

    Raises:
        CgcError: something asked for is not there, or `output` cannot be written.
        Interrupted: `should_stop` said so; whole files stay.
    """
    to_colors = None
    if FEATURES in what and gaussians.features is not None:
        opacities = 1.0 / (1.0 + np.exp(-gaussians.logit_opacities))
        to_colors = fit_feature_colors(gaussians.features, opacities)
    needed = {*what, LABELS} if palette is not None else set(what)
    folder = RenderFolder(output)
    drawn = draw(gaussians, views, tuple(needed), backend)
    for view in track(views, "Rendering", report, should_stop):
        rendered = next(drawn)
        if rendered.rgb is not None:
            save_png(folder.picture(RGB, view.stem), to_bytes(rendered.rgb))
        if rendered.labels is not None and LABELS in what:
            labels = rendered.labels.astype(np.uint16)
            save_png(folder.picture(LABELS, view.stem), labels)
        if rendered.labels is not None and palette is not None:
            save_palette_png(folder.picture(PALETTE, view.stem), rendered.labels, palette)
        if rendered.features is not None and to_colors is not None:
            save_png(folder.picture(FEATURES, view.stem), to_colors(rendered.features))
            save_array(folder.array(FEATURES, view.stem), rendered.features.astype(np.float16))
        if rendered.depth is not None:
            save_png(folder.picture(DEPTH, view.stem), depth_picture(rendered.depth))
            save_array(folder.array(DEPTH, view.stem), rendered.depth)


def depth_picture(depth: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return depth (H, W) as grey to look at: near is bright, nothing is black."""
    seen = depth > 0.0
    if not seen.any():
        return np.zeros(depth.shape, np.uint8)
    inverse = np.where(seen, 1.0 / np.where(seen, depth, 1.0), 0.0)
    low, high = np.percentile(inverse[seen], (1, 99))
    shown = np.clip((inverse - low) / max(high - low, 1e-12), 0.0, 1.0) * 0.9 + 0.1
    return np.round(np.where(seen, shown, 0.0) * 255.0).astype(np.uint8)
