# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking a photo from coarse to fine against asking a plain grid: points, seconds, quality.

    python tests/benchmarks/masks.py DATASET [--model NAME|PATH] [--photos 6] [--points-per-side 16]

DATASET holds images/ and gt/. Quality is that of the label map of objects: for each true object of
at least 100 px of 0.17 MP the IoU with the label that fits best, and the share of objects' pixels
that lie in a label of mostly something else.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cgc_addon.dataset.image_files import read_grey, read_photo
from cgc_addon.dataset.resize import nearest
from cgc_addon.masks.generate import MaskSettings, label_maps
from cgc_addon.masks.interface import Embedding
from cgc_addon.masks.models import open_model
from cgc_addon.masks.proposals import Grid, ProposalSettings, grid_points, propose

SMALLEST_OBJECT = 100 / 172_800


@dataclass(frozen=True)
class Outcome:
    """One photo, one way of asking."""

    points: int
    seconds: float
    masks: int
    best_iou: float
    impure: float


def quality(labels: NDArray[np.uint16], truth: NDArray) -> tuple[float, float]:
    """Return the mean IoU of the best label of each object, and the share of misplaced pixels."""
    ious = []
    for thing in np.unique(truth[truth > 0]):
        inside = truth == thing
        if inside.sum() < SMALLEST_OBJECT * truth.size:
            continue
        fits = [
            (inside & (labels == label)).sum() / (inside | (labels == label)).sum()
            for label in np.unique(labels[inside])
            if label > 0
        ]
        ious.append(max(fits, default=0.0))
    misplaced = 0
    for label in np.unique(labels[labels > 0]):
        inside = truth[labels == label]
        mostly = np.bincount(inside).argmax()
        misplaced += ((inside > 0) & (inside != mostly)).sum()
    return float(np.mean(ious)), float(misplaced / max(1, (truth > 0).sum()))


def square_grid(embedding: Embedding, points_per_side: int) -> Grid:
    """Lay as many points along the shorter side as along the longer, as is usual."""
    side = max(embedding.width, embedding.height)
    even = grid_points(Embedding(side, side, None), points_per_side)
    size = np.array([embedding.width, embedding.height])
    small = np.array(embedding.logit_size)
    places = even.places * size / side
    cells = np.minimum((places / size * small).astype(np.int64), small - 1)
    return replace(even, places=places, cells=cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--model", default="mobilesam")
    parser.add_argument("--photos", type=int, default=6)
    parser.add_argument("--points-per-side", type=int, default=16)
    options = parser.parse_args()
    photos = sorted(path for path in (options.dataset / "images").iterdir() if path.is_file())
    photos = photos[:: max(1, len(photos) // options.photos)][: options.photos]
    model = open_model(options.model)
    ways = {
        "square grid, all points": {"skip_points": False},
        "even grid, all points": {"skip_points": False},
        "coarse to fine, objects": {"look_for_parts": False},
        "coarse to fine, objects and parts": {},
    }
    outcomes: dict[str, list[Outcome]] = {name: [] for name in ways}
    looking = []
    for path in photos:
        photo, truth = read_photo(path), read_grey(options.dataset / "gt" / f"{path.stem}.png")
        began = time.perf_counter()
        embedding = model.embed(photo)
        looking.append(time.perf_counter() - began)
        for name, changes in ways.items():
            settings = ProposalSettings(points_per_side=options.points_per_side, **changes)
            began = time.perf_counter()
            grid = square_grid(embedding, options.points_per_side) if "square" in name else None
            found = propose(model, embedding, settings, grid=grid)
            seconds = time.perf_counter() - began
            labels, _ = label_maps(found, embedding, MaskSettings("objects"))
            scores = quality(labels, nearest(truth, (labels.shape[1], labels.shape[0])))
            outcomes[name].append(Outcome(found.points_asked, seconds, len(found.scores), *scores))
        print(f"{path.name} done", file=sys.stderr, flush=True)
    print(f"{len(photos)} photos, {model.name}; looking at one: {statistics.median(looking):.1f} s")
    print("| asked | points | seconds | masks | best IoU | misplaced |")
    print("|---|---|---|---|---|---|")
    for name, each in outcomes.items():
        print(
            f"| {name} | {statistics.mean(o.points for o in each):.0f} "
            f"| {statistics.median(o.seconds for o in each):.1f} "
            f"| {statistics.mean(o.masks for o in each):.0f} "
            f"| {statistics.mean(o.best_iou for o in each):.3f} "
            f"| {statistics.mean(o.impure for o in each):.3f} |"
        )


if __name__ == "__main__":
    main()
