# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores of a run on held-out views: how it looks, and how well it is separated into objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..cgc.clusters.cluster_file import read_clusters
from ..cgc.exact_labels import exact_labels
from ..cgc.metrics import IGNORED, SegmentationScore, peak_signal_to_noise, score_segmentation
from ..cgc.observations import observe
from ..cgc.segments import read_segments
from ..cgc.settings import DEFAULT_GRANULARITY
from ..cgc.tree_scores import TreeScore, score_tree
from ..dataset.load import Dataset, load_dataset
from ..errors import CgcError
from ..files import write_json
from ..progress import Reporter, ShouldStop, never, silent, track
from ..rasterize.interface import Backend
from ..splats.gaussians import Gaussians
from ..training.parameters import splat_of
from ..training.run_folder import RunFolder
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

    @property
    def psnr(self) -> float:
        """Mean over views, dB."""
        return float(np.mean([view.psnr for view in self.views]))

    @property
    def ssim(self) -> float:
        """Mean over views."""
        return float(np.mean([view.ssim for view in self.views]))

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "run": self.run,
            "held_out": self.held_out,
            "gaussians": self.gaussians,
            "psnr": self.psnr,
            "ssim": self.ssim,
            "views": [vars(view) for view in self.views],
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
    with_labels = gaussians.segments is not None and bool(np.any(gaussians.segments))
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
    truth = {
        index: ids
        for index in sorted({*dataset.train, *test})
        if (ids := dataset.store.truth(index)) is not None
    }
    scored = [index for index in test if index in truth]
    segmentation = ceiling = tree = None
    if scored and any(np.any((truth[index] > 0) & (truth[index] != IGNORED)) for index in scored):
        clicked = [index for index in dataset.train if index in truth]
        if not clicked:
            raise CgcError(
                f"{dataset_folder}/gt has no ground truth for any training view; segments are "
                "found by a click in one of these."
            )
        exact = replace(
            gaussians,
            segments=_exact(gaussians, dataset, clicked, truth, backend, report, should_stop),
        )
        ceiling = _score(exact, dataset, clicked, scored, truth, backend, report, should_stop)
        if with_labels:
            segmentation = _score(
                gaussians, dataset, clicked, scored, truth, backend, report, should_stop
            )
            tree = _score_tree(
                folder, gaussians, dataset, clicked, scored, truth, backend, report, should_stop
            )
    result = Evaluation(
        run=str(folder.path),
        held_out=bool(dataset.test),
        gaussians=len(gaussians),
        views=tuple(views),
        segmentation=segmentation,
        ceiling=ceiling,
        tree=tree,
    )
    write_json(folder.evaluation, result.to_json())
    return result


def _exact(
    gaussians: Gaussians,
    dataset: Dataset,
    indices: Sequence[int],
    truth: dict[int, NDArray[np.int32]],
    backend: Backend,
    report: Reporter,
    should_stop: ShouldStop,
) -> NDArray[np.int32]:
    observations = observe(
        backend,
        splat_of(gaussians, backend.device),
        [dataset.store.view(index, 0) for index in indices],
        [np.where(truth[index] == IGNORED, 0, truth[index]) for index in indices],
        report=report,
        should_stop=should_stop,
    )
    if not observations:
        return np.zeros(len(gaussians), np.int32)
    return exact_labels(observations)


def _score(
    gaussians: Gaussians,
    dataset: Dataset,
    clicked: Sequence[int],
    scored: Sequence[int],
    truth: dict[int, NDArray[np.int32]],
    backend: Backend,
    report: Reporter,
    should_stop: ShouldStop,
) -> SegmentationScore:
    labels = _label_maps(
        gaussians, dataset, [*clicked, *scored], backend, report, should_stop, "Comparing segments"
    )
    return score_segmentation(
        [labels[index] for index in clicked],
        [truth[index] for index in clicked],
        [labels[index] for index in scored],
        [truth[index] for index in scored],
    )


def _score_tree(
    folder: RunFolder,
    gaussians: Gaussians,
    dataset: Dataset,
    clicked: Sequence[int],
    scored: Sequence[int],
    truth: dict[int, NDArray[np.int32]],
    backend: Backend,
    report: Reporter,
    should_stop: ShouldStop,
) -> TreeScore | None:
    """Score the merge tree of a run; None where it has none, or one of another splat."""
    if not folder.clusters.is_file():
        return None
    clusters, tree = read_clusters(folder.clusters)
    if len(clusters) != len(gaussians):
        return None
    cut = read_segments(folder.segments).cut if folder.segments.is_file() else None
    shown = replace(gaussians, segments=clusters)
    maps = _label_maps(
        shown, dataset, [*clicked, *scored], backend, report, should_stop, "Comparing clusters"
    )
    return score_tree(
        tree,
        DEFAULT_GRANULARITY if cut is None else cut.granularity,
        [maps[index] for index in clicked],
        [truth[index] for index in clicked],
        [maps[index] for index in scored],
        [truth[index] for index in scored],
    )


def _label_maps(
    gaussians: Gaussians,
    dataset: Dataset,
    indices: Sequence[int],
    backend: Backend,
    report: Reporter,
    should_stop: ShouldStop,
    stage: str,
) -> dict[int, NDArray[np.int32]]:
    """Return the rendered segments (H, W) of some views; each view is drawn once."""
    indices = list(dict.fromkeys(indices))
    views = [dataset.store.view(index, 0) for index in indices]
    labels: dict[int, NDArray[np.int32]] = {}
    drawn = draw(gaussians, views, ("labels",), backend)
    for index in track(indices, stage, report, should_stop):
        rendered = next(drawn).labels
        assert rendered is not None
        labels[index] = rendered
    return labels
