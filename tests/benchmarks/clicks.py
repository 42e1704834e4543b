# SPDX-License-Identifier: GPL-3.0-or-later
"""One click for each true object: what the mask model makes of it, beside the tree's best node.

    python tests/benchmarks/clicks.py RUN DATASET [--model NAME] [--only ID …]

The click is at the deepest pixel of the object in the training view that shows it largest; each IoU
is a mean over held-out views. RUN was trained on DATASET, which has `gt/`, with `--test-every`.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from cgc_addon.cgc.asked.asking import Asking
from cgc_addon.cgc.asked.prompting import deep_points
from cgc_addon.cgc.clusters.cluster_file import read_clusters
from cgc_addon.cgc.metrics import IGNORED, MINIMUM_COVER
from cgc_addon.cgc.tree_scores import score_tree
from cgc_addon.dataset.load import load_dataset
from cgc_addon.errors import CgcError
from cgc_addon.masks.models.interface import Prompt
from cgc_addon.masks.models.registry import open_model
from cgc_addon.rasterize.select import select_backend
from cgc_addon.splats.ply import read_ply
from cgc_addon.training.parameters import splat_of
from cgc_addon.training.run_folder import RunFolder


def main() -> None:
    """Ask for each object and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--model", default="mobilesam")
    parser.add_argument("--only", type=int, nargs="+")
    options = parser.parse_args()
    folder = RunFolder(options.run)
    _, config = folder.read_config()
    gaussians = read_ply(folder.splat).gaussians
    dataset = load_dataset(
        options.dataset,
        max_size=config.max_size,
        test_every=config.test_every,
        origin=folder.read_origin(),
    )
    store, backend = dataset.store, select_backend("auto")[0]
    splat = splat_of(gaussians, backend.device)
    truth = {i: ids for i in range(len(store)) if (ids := store.truth(i)) is not None}
    train = [index for index in dataset.train if index in truth]
    test = [index for index in dataset.test if index in truth]

    def drawn(index: int, labels: np.ndarray) -> np.ndarray:
        ids = torch.from_numpy(labels).to(backend.device)
        return backend.render_labels(splat, store.view(index), ids)[0].cpu().numpy()

    clusters, tree = read_clusters(folder.clusters)
    maps = [[drawn(index, clusters) for index in part] for part in (train, test)]
    truths = [[truth[index] for index in part] for part in (train, test)]
    score = score_tree(tree, 0.5, maps[0], truths[0], maps[1], truths[1])
    asking = Asking(
        gaussians,
        splat,
        [store.view(index) for index in dataset.train],
        lambda number: store.photo(dataset.train[number]),
        open_model(options.model),
        backend,
    )

    def added(thing: int) -> float | None:
        view = max(train, key=lambda index: int((truth[index] == thing).sum()))
        place = deep_points(truth[view] == thing, 1)
        if not len(place):
            return None
        try:
            prompt = Prompt(place, np.ones(1, bool))
            found = asking.find({dataset.train.index(view): prompt})
        except CgcError:
            return 0.0
        labels, ious = np.where(found, 1, 2).astype(np.int32), []
        for index in test:
            true = truth[index] == thing
            if true.sum() >= MINIMUM_COVER * true.size:
                shown = (drawn(index, labels) == 1) & (truth[index] != IGNORED)
                ious.append((shown & true).sum() / (shown | true).sum())
        return float(np.mean(ious))

    began, rows = time.process_time(), []
    for one in score.objects:
        if options.only and one.truth_id not in options.only:
            continue
        iou = added(one.truth_id)
        if iou is None:
            print(f"{one.truth_id:>8} is in no labelled training view")
            continue
        rows.append((one.iou, one.node_iou, iou))
        print(f"{one.truth_id:>8} cut {one.iou:.3f} node {one.node_iou:.3f} added {iou:.3f}")
    cut, node, mean = np.mean(rows, axis=0)
    print(f"    mean cut {cut:.3f} node {node:.3f} added {mean:.3f}")
    print(f"{time.process_time() - began:.0f} processor seconds for {len(rows)} clicks")


if __name__ == "__main__":
    main()
