# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the segments of true objects reach beyond their bodies, and what reaches so far.

    python tests/benchmarks/clean_objects.py RUN DATASET [RUN DATASET …]

DATASET has ground truth in gt/; RUN was trained on it. Each true object stands beside the segment
that `evaluate` finds for it by a click. `ratio` is the diagonal of the bounding box of its means
over that of the box between their 5 % and 95 % quantiles on each axis: 1.1 to 1.5 for a body, 10
and more where Gaussians float apart. `far` are those beyond the second box by more than a half of
its diagonal; of them the median opacity, how many training views show them at all, and how many
frustums they are in. `views` in the last column is what the others have.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cgc_addon.cgc.metrics import ObjectScore
from cgc_addon.cgc.observations import observe
from cgc_addon.dataset.load import Dataset, load_dataset
from cgc_addon.dataset.projection import view_counts
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.results.evaluation import evaluate
from cgc_addon.results.sources import read_splat
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.training.parameters import splat_of
from cgc_addon.training.run_folder import RunFolder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN DATASET")
    options = parser.parse_args()
    if len(options.runs) % 2:
        parser.error("each RUN needs its DATASET")
    for run, dataset in zip(options.runs[::2], options.runs[1::2], strict=True):
        _measure(run, dataset)


def _measure(run: Path, dataset_folder: Path) -> None:
    backend = CpuBackend()
    with tempfile.TemporaryDirectory() as place:  # evaluating writes into the run
        copy = RunFolder(Path(place) / "run")
        shutil.copytree(run, copy.path)
        score = evaluate(copy, dataset_folder, backend).segmentation
    if score is None:
        sys.exit(f"{dataset_folder} has no ground truth, or {run} no segments.")
    gaussians = read_splat(RunFolder(run))
    _, config = RunFolder(run).read_config()
    dataset = load_dataset(dataset_folder, max_size=config.max_size, test_every=config.test_every)
    shown = _showing_views(gaussians, dataset, backend)
    inside = view_counts(
        gaussians.means.astype(np.float64), [dataset.store.view(i, 0) for i in dataset.train]
    )
    assert gaussians.segments is not None
    unassigned = (gaussians.segments == 0).mean()
    print(
        f"\n{run}: {len(dataset.train)} training views, mIoU {score.mean_iou:.4f}, "
        f"mBIoU {score.mean_boundary_iou:.4f}, {unassigned:.1%} unassigned"
    )
    print(
        f"{'object':>6} {'segment':>7} {'IoU':>6} {'count':>6} {'ratio':>7} {'far':>6} "
        f"{'opacity':>7} {'views':>5} {'frustums':>8}   others: {'views':>5}"
    )
    for one in score.objects:
        _print(one, gaussians, shown, inside)


def _print(
    one: ObjectScore, gaussians: Gaussians, shown: NDArray[np.int64], inside: NDArray[np.int64]
) -> None:
    members = np.flatnonzero(gaussians.segments == one.clicked_id)
    if not one.clicked_id or not len(members):
        print(f"{one.truth_id:>6} {'-':>7}")
        return
    means = gaussians.means[members].astype(np.float64)
    low, high = np.quantile(means, (0.05, 0.95), axis=0)
    body = float(np.linalg.norm(high - low))
    whole = float(np.linalg.norm(np.ptp(means, axis=0)))
    beyond = np.maximum(np.maximum(low - means, means - high), 0)
    far = np.linalg.norm(beyond, axis=1) > body / 2
    line = (
        f"{one.truth_id:>6} {one.clicked_id:>7} {one.iou:>6.3f} {len(members):>6} "
        f"{whole / max(body, 1e-30):>7.2f} {far.mean():>6.2%} "
    )
    if far.any():
        opacity = 1 / (1 + np.exp(-np.median(gaussians.logit_opacities[members[far]])))
        line += (
            f"{opacity:>7.2f} {np.median(shown[members[far]]):>5.0f} "
            f"{np.median(inside[members[far]]):>8.0f}"
        )
    else:
        line += f"{'-':>7} {'-':>5} {'-':>8}"
    print(f"{line}   {np.median(shown[members[~far]]):>13.0f}")


def _showing_views(
    gaussians: Gaussians, dataset: Dataset, backend: CpuBackend
) -> NDArray[np.int64]:
    """Return in how many training views each Gaussian (N,) makes up part of a pixel."""
    views = [dataset.store.view(index, 0) for index in dataset.train]
    everywhere = [np.ones((v.camera.height, v.camera.width), np.int32) for v in views]
    counts = np.zeros(len(gaussians), np.int64)
    for observation in observe(backend, splat_of(gaussians, backend.device), views, everywhere):
        counts[np.unique(observation.blending.gaussians)] += 1
    return counts


if __name__ == "__main__":
    main()
