# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking a photo from coarse to fine against asking a plain grid: points asked, and quality.

    python tests/benchmarks/masks.py DATASET [--model NAME|PATH] [--photos 6] [--points-per-side 16]

DATASET holds images/ and gt/. Quality is that of the label map of objects: for each true object of
at least 100 px of 0.17 MP the IoU with the label that fits best, and the share of objects' pixels
that lie in a label of mostly something else. What a point was answered once is not asked again.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cgc_addon.dataset.image_files import read_grey, read_photo
from cgc_addon.dataset.resize import nearest
from cgc_addon.masks.generate import MaskSettings, label_maps
from cgc_addon.masks.models.interface import Candidates, Embedding, MaskModel
from cgc_addon.masks.models.registry import open_model
from cgc_addon.masks.proposals import Grid, ProposalSettings, grid_points, propose

SMALLEST_OBJECT = 100 / 172_800


@dataclass(frozen=True)
class Outcome:
    """One photo, one way of asking."""

    points: int
    masks: int
    best_iou: float
    misplaced: float


class Remembering:
    """A mask model that looks up what it was asked before about the same photo."""

    def __init__(self, model: MaskModel) -> None:
        self.name, self.photos_at_once = model.name, model.photos_at_once
        self.embed = model.embed
        self._model = model
        self._answers: dict[bytes, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}

    def decode(self, embedding: Embedding, points: NDArray[np.floating]) -> Candidates:
        new = np.array([p for p in points if p.tobytes() not in self._answers]).reshape(-1, 2)
        fresh = self._model.decode(embedding, new)
        for point, logits, scores in zip(new, fresh.logits, fresh.scores, strict=True):
            self._answers[point.tobytes()] = logits, scores
        answers = [self._answers[point.tobytes()] for point in points]
        return Candidates(*(np.stack(each) for each in zip(*answers, strict=True)))


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


WAYS = {
    "square grid, all points": {"skip_points": False},
    "even grid, all points": {"skip_points": False},
    "coarse to fine, objects": {"look_for_parts": False},
    "coarse to fine, objects and parts": {},
}


def compare(model: MaskModel, photo: Path, truth: Path, points_per_side: int) -> list[Outcome]:
    """Ask one photo in all ways."""
    remembering, truth_map = Remembering(model), read_grey(truth)
    embedding = model.embed(read_photo(photo))
    outcomes = []
    for name, changes in WAYS.items():
        settings = ProposalSettings(points_per_side=points_per_side, **changes)
        grid = square_grid(embedding, points_per_side) if "square" in name else None
        found = propose(remembering, embedding, settings, grid=grid)
        labels, _ = label_maps(found, embedding, MaskSettings("objects"))
        scores = quality(labels, nearest(truth_map, (labels.shape[1], labels.shape[0])))
        outcomes.append(Outcome(found.points_asked, len(found.scores), *scores))
    print(f"{photo.name} done", file=sys.stderr, flush=True)
    return outcomes


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

    def work(photo: Path) -> list[Outcome]:
        truth = options.dataset / "gt" / f"{photo.stem}.png"
        return compare(model, photo, truth, options.points_per_side)

    photo = read_photo(photos[0])
    began = time.process_time()
    embedding = model.embed(photo)
    looked = time.process_time()
    model.decode(embedding, grid_points(embedding, 8).places[:8])
    answered = (time.process_time() - looked) / 8
    print(f"processor time: a photo {looked - began:.1f} s, a point {answered:.2f} s")
    with ThreadPoolExecutor(model.photos_at_once) as pool:
        each = list(pool.map(work, photos))
    print(f"{len(photos)} photos, {model.name}")
    print("| asked | points | masks | best IoU | misplaced |\n|---|---|---|---|---|")
    for name, outcomes in zip(WAYS, zip(*each, strict=True), strict=True):
        points, masks, best, misplaced = (
            statistics.mean(getattr(one, field) for one in outcomes)
            for field in ("points", "masks", "best_iou", "misplaced")
        )
        print(f"| {name} | {points:.0f} | {masks:.0f} | {best:.3f} | {misplaced:.3f} |")


if __name__ == "__main__":
    main()
