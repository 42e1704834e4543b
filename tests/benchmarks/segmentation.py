# SPDX-License-Identifier: GPL-3.0-or-later
"""What each part of the method is worth: one table of segmentation scores on held-out views.

    python tests/benchmarks/segmentation.py [DATASET] [--seeds 0 1 2] [--only NAME …]

The geometry of preset `standard` is trained once a seed; every row that differs only in features
learns them on that geometry. `ceiling` is the same splat with its true objects voted onto each
Gaussian. The rows `paper` train everything anew, jointly; `--paper-steps` says how long, and
`--paper-gaussians` how many Gaussians they may have, those of `standard` unless told otherwise.
The preset has nothing for what lies at infinity; where a capture has windows or a sky, as the
household one, `--paper-far-points` puts Gaussians there, as `standard` does.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "sample_scene")]

from cgc_addon.cgc.settings import FrozenFeatureSettings  # noqa: E402
from cgc_addon.progress import Progress  # noqa: E402
from cgc_addon.rasterize.cpu import CpuBackend  # noqa: E402
from cgc_addon.results.evaluation import Evaluation, evaluate  # noqa: E402
from cgc_addon.training.config import TrainingConfig  # noqa: E402
from cgc_addon.training.pipeline import train  # noqa: E402
from cgc_addon.training.presets import preset  # noqa: E402
from cgc_addon.training.run_folder import RunFolder  # noqa: E402

Change = Callable[[FrozenFeatureSettings], FrozenFeatureSettings]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    features: Change | None = None
    """Features on the geometry that all such rows share."""
    preset: str | None = None
    """Or a whole training of its own."""
    joint_spatial: str | None = None
    """Its spatial loss, if not that of the preset."""
    mask_level: float | None = None
    """Masks made from the ground truth, this inconsistent; None = those of the dataset."""


ROWS = (
    Row("standard", features=lambda settings: settings),
    Row("contrastive off (spectral)", features=lambda s: replace(s, steps=0, spectral_start=True)),
    Row("reduction mean (as printed)", features=lambda s: replace(s, reduction="mean")),
    Row("reduction square-root", features=lambda s: replace(s, reduction="square-root")),
    Row("spatial released", features=lambda s: replace(s, spatial="released")),
    Row("spatial true neighbours", features=lambda s: replace(s, spatial="true-neighbours")),
    Row("no lift", features=lambda s: replace(s, lift=False)),
    Row("no lift, spatial true neigh.", features=lambda s: replace(
        s, lift=False, spatial="true-neighbours")),
    Row("masks exact, ids shuffled", features=lambda s: s, mask_level=0.0),
    Row("masks like SAM's", features=lambda s: s, mask_level=1.0),
    Row("masks twice as bad", features=lambda s: s, mask_level=2.0),
    Row("preset draft", preset="draft"),
    Row("preset paper", preset="paper"),
    Row("preset paper, spatial off", preset="paper", joint_spatial="off"),
    Row("preset paper, true neighbours", preset="paper", joint_spatial="true-neighbours"),
)  # fmt: skip


def main() -> None:
    """Run the rows and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path, nargs="?", default=ROOT / "cgc_addon" / "sample")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+", help="rows whose name starts so")
    parser.add_argument("--paper-steps", type=int, default=7_000)
    parser.add_argument("--paper-gaussians", type=int, default=60_000)
    parser.add_argument("--paper-far-points", type=int, default=0)
    options = parser.parse_args()
    rows = [
        row
        for row in ROWS
        if not options.only or any(row.name.startswith(name) for name in options.only)
    ]
    backend = CpuBackend()
    print(f"{options.dataset.name}, seeds {options.seeds}")
    print(f"{'row':<30} {'mIoU':>7} {'mBIoU':>7} {'ceiling':>8} {'ARI':>6} {'PSNR':>6} {'s':>6}")
    with tempfile.TemporaryDirectory() as place:
        for row in rows:
            scores, seconds = [], []
            for seed in options.seeds:
                began = time.perf_counter()
                score = _score(row, seed, Path(place), options, backend)
                scores.append(score)
                seconds.append(time.perf_counter() - began)
            _print(row.name, scores, seconds)
            if len(scores) > 1:
                for seed, score, took in zip(options.seeds, scores, seconds, strict=True):
                    _print(f"  seed {seed}", [score], [took])


def _score(
    row: Row, seed: int, place: Path, options: argparse.Namespace, backend: CpuBackend
) -> Evaluation:
    dataset: Path = options.dataset
    if row.preset is not None:
        config = preset(row.preset, steps=options.paper_steps if row.preset == "paper" else None)
        if row.preset == "paper":
            densify = replace(config.geometry.densify, cap=options.paper_gaussians)
            far = options.paper_far_points
            if far:  # what is far away is large, too
                densify = replace(densify, prune_scale=1e9)
            geometry = replace(config.geometry, densify=densify, far_points=far, far_steps=far > 0)
            config = replace(config, geometry=geometry)
        if row.joint_spatial is not None:
            config = replace(config, features=replace(config.features, spatial=row.joint_spatial))
        folder = RunFolder(place / f"{row.name}-{seed}")
        _train(dataset, folder, replace(config, seed=seed))
        return evaluate(folder, dataset, backend)
    assert row.features is not None
    geometry = _shared_geometry(dataset, seed, place)
    masked = dataset if row.mask_level is None else _with_masks(dataset, row.mask_level, place)
    config = preset("standard")
    config = replace(
        config, seed=seed, init=str(geometry.splat), features=row.features(config.features)
    )
    folder = RunFolder(place / "features")
    _train(masked, folder, config)
    return evaluate(folder, dataset, backend)


def _shared_geometry(dataset: Path, seed: int, place: Path) -> RunFolder:
    folder = RunFolder(place / f"geometry-{seed}")
    if not folder.splat.exists():
        _train(dataset, folder, replace(preset("standard", features="off"), seed=seed))
    return folder


def _with_masks(dataset: Path, level: float, place: Path) -> Path:
    from inconsistent_masks import spoil_dataset

    copy = place / f"masks-{level}"
    if not copy.exists():
        shutil.copytree(dataset, copy, ignore=shutil.ignore_patterns("masks"))
        spoil_dataset(copy, level)
    return copy


def _train(dataset: Path, folder: RunFolder, config: TrainingConfig) -> None:
    def report(progress: Progress, /) -> None:
        if sys.stderr.isatty():
            print(
                f"\r{progress.stage:<24} {progress.done}/{progress.total}", end="", file=sys.stderr
            )

    train(dataset, folder.path, replace(config, test_every=8), overwrite=True, report=report)


def _print(name: str, scores: list[Evaluation], seconds: list[float]) -> None:
    found = [score.segmentation for score in scores]
    ceilings = [score.ceiling for score in scores if score.ceiling]

    def mean(values: list[float]) -> float:
        return statistics.fmean(values) if values else float("nan")

    ious = [one.mean_iou if one else 0.0 for one in found]
    spread = f"  (worst {min(ious):.3f})" if len(ious) > 1 else ""
    print(
        f"{name:<30} {mean(ious):7.4f} "
        f"{mean([one.mean_boundary_iou if one else 0.0 for one in found]):7.4f} "
        f"{mean([one.mean_iou for one in ceilings]):8.4f} "
        f"{mean([one.rand_index if one else 0.0 for one in found]):6.3f} "
        f"{mean([score.psnr for score in scores]):6.2f} {mean(seconds):6.0f}{spread}",
        flush=True,
    )


if __name__ == "__main__":
    main()
