# SPDX-License-Identifier: GPL-3.0-or-later
"""How well objects are found in several datasets, and where they are lost: one table.

    python tests/benchmarks/objects.py DATASET [DATASET …] [--seeds 0 1 2] [--test-every 8]
        [--preset standard] [--evidence answers maps] [--objects] [--keep FOLDER]

Each dataset needs photos, cameras, label maps and ground truth in `gt/`, which may be there for
some of the photos only. Each is trained once a seed. *cut* is what users see first: mIoU of the
click protocol on held-out views. *best cut* is the best single granularity, *node* the best node of
the tree for each object, *clusters* the best that any choice of whole clusters makes of it,
*ceiling* true objects voted onto each Gaussian. `--evidence answers` takes all answers of
the mask model. `--objects` adds a table of the objects of each run.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from cgc_addon.cgc.settings import EVIDENCE  # noqa: E402
from cgc_addon.choices import names  # noqa: E402
from cgc_addon.rasterize.cpu import CpuBackend  # noqa: E402
from cgc_addon.results.evaluation import Evaluation, evaluate  # noqa: E402
from cgc_addon.training.pipeline import train  # noqa: E402
from cgc_addon.training.presets import configure  # noqa: E402
from cgc_addon.training.run_folder import RunFolder  # noqa: E402

COLUMNS = ("cut", "mBIoU", "best cut", "at", "node", "clusters", "ceiling", "segments", "PSNR")


def main() -> None:
    """Train, score, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("datasets", type=Path, nargs="+")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--test-every", type=int, default=8)
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--evidence", nargs="+", default=["maps"], choices=names(EVIDENCE))
    parser.add_argument("--objects", action="store_true")
    parser.add_argument("--keep", type=Path, help="folder for the runs; those there are not redone")
    options = parser.parse_args()
    backend = CpuBackend()
    print(f"| dataset | seed | {' | '.join(COLUMNS)} | s |\n{'|---' * (len(COLUMNS) + 3)}|")
    details = []
    with tempfile.TemporaryDirectory() as temporary:
        place = options.keep or Path(temporary)
        for dataset, evidence in itertools.product(options.datasets, options.evidence):
            rows, title = [], f"{dataset.resolve().name}, {evidence}"
            for seed in options.seeds:
                folder = RunFolder(place / f"{dataset.resolve().name}-{evidence}-{seed}")
                began = time.perf_counter()
                if not folder.splat.is_file():
                    config = configure(
                        options.preset, seed=seed, test_every=options.test_every, evidence=evidence
                    )
                    train(dataset, folder.path, config, overwrite=True)
                seconds = time.perf_counter() - began
                scores = evaluate(folder, dataset, backend)
                rows.append([*_numbers(scores), seconds])
                _print(title, str(seed), rows[-1])
                if scores.tree is not None:
                    details.append(f"{title}, seed {seed}\n{scores.tree.table()}")
            if len(rows) > 1:
                _print(title, "mean", np.mean(rows, axis=0).tolist())
    if options.objects:
        print("\n" + "\n\n".join(details))


def _numbers(scores: Evaluation) -> list[float]:
    found, tree, ceiling = scores.segmentation, scores.tree, scores.ceiling
    nothing = float("nan")
    return [
        found.mean_iou if found else nothing,
        found.mean_boundary_iou if found else nothing,
        tree.best_cut_iou if tree else nothing,
        tree.best_granularity if tree else nothing,
        tree.mean_node_iou if tree else nothing,
        tree.mean_clusters_iou if tree else nothing,
        ceiling.mean_iou if ceiling else nothing,
        float(found.segments) if found else nothing,
        scores.psnr,
    ]


def _print(name: str, seed: str, numbers: list[float]) -> None:
    *scores, segments, psnr, seconds = numbers
    words = [f"{score:.3f}" for score in scores]
    words[3] = f"{scores[3]:.2f}"
    words += [f"{segments:.0f}", f"{psnr:.1f}", f"{seconds:.0f}"]
    print(f"| {name} | {seed} | {' | '.join(words)} |", flush=True)


if __name__ == "__main__":
    main()
