# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores of a run on held-out views: how it looks, and how well it is separated into objects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..cgc.metrics import SegmentationScore, peak_signal_to_noise
from ..cgc.tree_scores import TreeScore
from ..dataset.framing import outlying_views
from ..dataset.load import load_dataset
from ..dataset.names import first_of
from ..files import write_json
from ..progress import Reporter, ShouldStop, never, silent, track
from ..rasterize.interface import Backend
from ..training.run_folder import RunFolder
from .ground_truth import read_ground_truth
from .renders import draw
from .sources import read_splat


@dataclass(frozen=True)
class ViewScore:
    """How one view looks."""

    name: str
    psnr: float
    """dB."""
    ssim: float


@dataclass(frozen=True)
class Evaluation:
    """All scores of a run; segmentation only where there is ground truth and there are segments."""

    run: str
    held_out: bool
    """Whether the views were kept out of training; if not, all of them are scored."""
    gaussians: int
    views: tuple[ViewScore, ...]
    segmentation: SegmentationScore | None
    ceiling: SegmentationScore | None
    """The same splat with its true objects voted onto each Gaussian: what no labels can beat."""
    tree: TreeScore | None
    """Whether clusters, tree or cut are at fault; None for a run without clusters."""
    outlying: tuple[str, ...] = ()
    """Of the scored views, the names of those whose camera is far away from all others."""

    @property
    def psnr(self) -> float:
        """Mean over views, dB."""
        return float(np.mean([view.psnr for view in self.views]))

    @property
    def ssim(self) -> float:
        """Mean over views."""
        return float(np.mean([view.ssim for view in self.views]))

    def note(self) -> str:
        """Return a sentence on scored views whose pose is probably wrong; "" without any."""
        usual = [view for view in self.views if view.name not in self.outlying]
        if not self.outlying:
            return ""
        without = "without, there would be nothing to score."
        if usual:
            psnr, ssim = np.mean([(view.psnr, view.ssim) for view in usual], axis=0)
            without = f"without, the mean is {psnr:.2f} dB, SSIM {ssim:.4f}."
        return (
            f"Scored with {first_of(self.outlying)}, far away from all other cameras, with a pose "
            f"that is probably wrong; {without}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "run": self.run,
            "held_out": self.held_out,
            "gaussians": self.gaussians,
            "psnr": self.psnr,
            "ssim": self.ssim,
            "views": [vars(view) for view in self.views],
            "outlying": list(self.outlying),
            "segmentation": self.segmentation.as_dict() if self.segmentation else None,
            "ceiling": self.ceiling.as_dict() if self.ceiling else None,
            "tree": self.tree.as_dict() if self.tree else None,
        }

    def table(self) -> str:
        """Return the scores as plain text."""
        which = "held-out" if self.held_out else "training"
        lines = [
            f"{len(self.views)} {which} views, {self.gaussians:,} Gaussians",
            f"  PSNR {self.psnr:6.2f} dB   SSIM {self.ssim:.4f}",
        ]
        if note := self.note():
            lines.append(f"  {note}")
        if self.segmentation is not None:
            lines.append(_row("segments", self.segmentation))
        if self.ceiling is not None:
            lines.append(_row("exact ids", self.ceiling))
        if self.segmentation is not None:
            lines += ["", self.segmentation.table()]
        if self.tree is not None:
            lines += ["", self.tree.table()]
        return "\n".join(lines)


def _row(name: str, score: SegmentationScore) -> str:
    return (
        f"  {name:<10} mIoU {score.mean_iou:.4f}   mBIoU {score.mean_boundary_iou:.4f}   "
        f"best mIoU {score.best_mean_iou:.4f}   ARI {score.rand_index:.4f}   "
        f"missing {score.missing} of {len(score.objects)}"
    )


def evaluate(
    folder: RunFolder,
    dataset_folder: Path,
    backend: Backend,
    *,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> Evaluation:
    """Score a run and write evaluation.json into its folder.

    Args:
        folder: run.
        dataset_folder: with the photos, and with `gt/` for segmentation scores.
        backend: rasterizer.
        report: progress.
        should_stop: asked between views.

    Raises:
        CgcError: the run or the dataset cannot be read, or they do not belong together.
        Interrupted: `should_stop` said so.
    """
    _, config = folder.read_config()
    gaussians = read_splat(folder)
    dataset = load_dataset(
        dataset_folder,
        max_size=config.max_size,
        test_every=config.test_every,
        origin=folder.read_origin(),
    )
    test = dataset.test or dataset.train
    views: list[ViewScore] = []
    drawn = draw(gaussians, [dataset.store.view(index, 0) for index in test], ("rgb",), backend)
    for index in track(test, "Comparing photos", report, should_stop):
        rgb = next(drawn).rgb
        assert rgb is not None
        photo = dataset.store.photo(index, 0).astype(np.float32) / 255.0
        shown = np.clip(rgb, 0.0, 1.0)
        views.append(
            ViewScore(
                dataset.scene.views[index].name,
                peak_signal_to_noise(shown, photo),
                backend.ssim(
                    torch.from_numpy(shown).to(backend.device),
                    torch.from_numpy(photo).to(backend.device),
                ),
            )
        )
    truth = read_ground_truth(dataset_folder, dataset, test, backend, report, should_stop)
    segmentation = ceiling = tree = None
    if truth is not None:
        ceiling = truth.ceiling(gaussians)
        if gaussians.segments is not None and np.any(gaussians.segments):
            segmentation = truth.score(gaussians, gaussians.segments)
            tree = truth.score_tree(folder, gaussians)
    scene = dataset.scene
    outlying = {scene.views[index].name for index in outlying_views(scene.views, scene.points)}
    result = Evaluation(
        run=str(folder.path),
        held_out=bool(dataset.test),
        gaussians=len(gaussians),
        views=tuple(views),
        segmentation=segmentation,
        ceiling=ceiling,
        tree=tree,
        outlying=tuple(view.name for view in views if view.name in outlying),
    )
    write_json(folder.evaluation, result.to_json())
    return result
