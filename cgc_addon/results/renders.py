# SPDX-License-Identifier: GPL-3.0-or-later
"""A run drawn from any cameras: pictures, label maps, features, depth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..dataset.cameras_json import read_cameras_json
from ..dataset.load import load_dataset
from ..dataset.scene import View
from ..errors import CgcError
from ..progress import Reporter, ShouldStop, never, silent, track
from ..rasterize.interface import Backend
from ..splats.gaussians import Gaussians
from ..splats.ply import read_ply
from ..training.parameters import splat_of
from ..training.run_folder import RunFolder
from .feature_colors import fit_feature_colors
from .pictures import save_array, save_png, to_bytes

KINDS = ("rgb", "labels", "features", "depth")
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


def read_splat(folder: RunFolder) -> Gaussians:
    """Read the splat of a run.

    Raises:
        CgcError: the run has none yet, or it is damaged.
    """
    folder.read_config()
    if not folder.splat.is_file():
        raise CgcError(
            f"{folder.splat} is missing: the run did not get that far; go on with train --resume."
        )
    return read_ply(folder.splat).gaussians


def cameras_of(folder: RunFolder, cameras: Path | None) -> tuple[View, ...]:
    """Return the views to draw.

    Args:
        folder: run.
        cameras: a cameras.json, a dataset folder, or None for the dataset of the run, at the size
            that it was trained at.

    Raises:
        CgcError: there are no such cameras.
    """
    if cameras is not None and cameras.is_file():
        return read_cameras_json(cameras)
    dataset, config = folder.read_config()
    return load_dataset(cameras or dataset, max_size=config.max_size).scene.views


def draw(
    gaussians: Gaussians, views: Sequence[View], what: Sequence[str], backend: Backend
) -> Iterator[RenderedView]:
    """Draw views one by one.

    Args:
        gaussians: the splat; needs segments for "labels" and features for "features".
        views: at the size wanted.
        what: of `KINDS`.
        backend: rasterizer.

    Raises:
        CgcError: the splat has no segments or features, and they were asked for.
    """
    if "labels" in what and gaussians.segments is None:
        raise CgcError(
            "This splat has no segments to render as labels; its photos had no masks. "
            "Render rgb or depth instead, or train with masks."
        )
    if "features" in what and gaussians.features is None:
        raise CgcError("This splat has no features to render; its photos had no masks.")
    splat = splat_of(gaussians, backend.device)

    def tensor(array: NDArray[np.generic]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(backend.device)

    features = tensor(gaussians.features) if "features" in what else None  # pyright: ignore[reportArgumentType]
    segments = tensor(gaussians.segments) if "labels" in what else None  # pyright: ignore[reportArgumentType]
    for view in views:
        rgb = labels = drawn_features = depth = None
        with torch.no_grad():
            if segments is not None:
                labels = backend.render_labels(splat, view, segments)[0].cpu().numpy()
            if set(what) & {"rgb", "features", "depth"}:
                rendering = backend.render(
                    splat,
                    view,
                    sh_degree=gaussians.sh_degree,
                    features=features,
                    depth="depth" in what,
                )
                rgb = rendering.rgb.cpu().numpy() if "rgb" in what else None
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
    folder: RunFolder,
    views: Sequence[View],
    what: Sequence[str],
    output: Path,
    backend: Backend,
    *,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> None:
    """Draw views of a run into `output`/KIND/STEM.png.

    Labels are uint16 with the ids of segments.json. Features are shown by their three principal
    directions and kept as float16 (H, W, 16) in STEM.npy; depth is kept as float32 (H, W) in
    STEM.npy, scene units, and shown with near things bright.

    Raises:
        CgcError: something asked for is not there, or `output` cannot be written.
        Interrupted: `should_stop` said so; whole files stay.
    """
    gaussians = read_splat(folder)
    to_colors = None
    if "features" in what and gaussians.features is not None:
        opacities = 1.0 / (1.0 + np.exp(-gaussians.logit_opacities))
        to_colors = fit_feature_colors(gaussians.features, opacities)
    drawn = draw(gaussians, views, what, backend)
    for view in track(views, "Rendering", report, should_stop):
        rendered = next(drawn)
        if rendered.rgb is not None:
            save_png(output / "rgb" / f"{view.stem}.png", to_bytes(rendered.rgb))
        if rendered.labels is not None:
            labels = rendered.labels.astype(np.uint16)
            save_png(output / "labels" / f"{view.stem}.png", labels)
        if rendered.features is not None and to_colors is not None:
            base = output / "features" / view.stem
            save_png(base.with_name(base.name + ".png"), to_colors(rendered.features))
            save_array(base.with_name(base.name + ".npy"), rendered.features.astype(np.float16))
        if rendered.depth is not None:
            base = output / "depth" / view.stem
            save_png(base.with_name(base.name + ".png"), depth_picture(rendered.depth))
            save_array(base.with_name(base.name + ".npy"), rendered.depth)


def depth_picture(depth: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return depth (H, W) as grey to look at: near is bright, nothing is black."""
    seen = depth > 0.0
    if not seen.any():
        return np.zeros(depth.shape, np.uint8)
    inverse = np.where(seen, 1.0 / np.where(seen, depth, 1.0), 0.0)
    low, high = np.percentile(inverse[seen], (1, 99))
    shown = np.clip((inverse - low) / max(high - low, 1e-12), 0.0, 1.0) * 0.9 + 0.1
    return np.round(np.where(seen, shown, 0.0) * 255.0).astype(np.uint8)
