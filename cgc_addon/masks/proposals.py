# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a mask model about a photo, point by point, until every part of it is explained.

A plain grid asks the same question again and again: most of its points lie in masks that are known
already. Here the grid is asked from coarse to fine, some points at a time, and a point is left out
where kept masks explain what lies under it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..dataset.mask_answers import MaskAnswers, pack_masks
from .models.interface import Embedding, MaskModel
from .overlaps import different, more_shared

SAME_ANSWER = 0.9
"""IoU above which two answers are one; that of masks is lower, but small differences of evidence
mean something."""
ANSWER_SCORE, ANSWER_STABILITY = 0.5, 0.3
"""Answers below are noise. Those of loose things, as a plant, are right and hardly stable."""
ANSWER_CELLS = 20
"""Smaller answers say little at the decoder's size."""
LOGIT_MARGIN = 1.0
"""A mask is stable when raising and lowering its threshold by so much changes it little."""


@dataclass(frozen=True)
class ProposalSettings:
    """How thoroughly a photo is searched, and which answers are believed."""

    points_per_side: int = 16
    """Of the finest grid, along the longer side of the photo."""
    points_at_once: int = 8
    """Points that the decoder answers together; what they explain is known after that."""
    minimum_score: float = 0.8
    """The model's own estimate of a mask's IoU."""
    minimum_stability: float = 0.85
    """IoU of the mask with itself under the two moved thresholds."""
    minimum_share: float = 4e-4
    """Smaller masks are left out, share of the photo."""
    large_share: float = 0.1
    """Masks larger than this are surroundings as often as not: they explain only points between
    the points of a grid of half as many a side, so that small things on them are found."""
    look_for_parts: bool = True
    """Ask coarse points that lie in known objects, too: they find what those are made of."""
    skip_points: bool = True
    """False asks every point of the grid, for comparison."""


@dataclass(frozen=True, eq=False)
class Proposals:
    """Masks found in one photo, different ones, the best first."""

    logits: NDArray[np.float16]
    """(M, h, w) > 0 inside; see `Embedding.logit_size`."""
    scores: NDArray[np.float32]
    """(M,) estimated IoU."""
    best_of_point: NDArray[np.bool_]
    """(M,) whether it was the best answer to some point."""
    points_asked: int
    """Calls of the decoder, counted in points."""
    answers: MaskAnswers
    """All answers that may mean something, nested ones too; no two are the same."""

    def masks(self) -> NDArray[np.bool_]:
        """Return the masks (M, h, w) at the decoder's size."""
        return self.logits > 0


def propose(
    model: MaskModel,
    embedding: Embedding,
    settings: ProposalSettings | None = None,
    *,
    grid: Grid | None = None,
    pause: Callable[[], None] = lambda: None,
) -> Proposals:
    """Search a photo for masks.

    Args:
        model: answers points.
        embedding: of the photo.
        settings: see there; defaults if None.
        grid: points to choose from; that of the settings if None.
        pause: called between calls of the decoder; what it raises ends the search.
    """
    settings = settings or ProposalSettings()
    grid = grid or grid_points(embedding, settings.points_per_side)
    kept = _Kept(embedding.logit_size)
    answered = _Answered()
    asked = np.zeros(len(grid.places), np.bool_)
    while True:
        pause()
        ask = ~asked
        if settings.skip_points:
            ask &= ~_explained(grid, kept, settings)
        now = np.nonzero(ask)[0][: settings.points_at_once]
        if not len(now):
            return kept.proposals(int(asked.sum()), answered.answers(embedding.logit_size))
        found = model.decode(embedding, grid.places[now])
        asked[now] = True
        stability = stabilities(found.logits)
        kept.add(found.logits, found.scores, stability, settings)
        answered.add(found.logits, found.scores, stability)


@dataclass(frozen=True, eq=False)
class Grid:
    """Points to ask, coarse ones first."""

    places: NDArray[np.float64]
    """(P, 2) x, y in px of the photo."""
    cells: NDArray[np.int64]
    """(P, 2) column and row of the decoder's masks that each lies in."""
    coarse: NDArray[np.bool_]
    """(P,) whether it belongs to the grid of half as many points a side."""


def grid_points(embedding: Embedding, points_per_side: int) -> Grid:
    """Lay a grid over a photo, the same distance apart along both sides, coarse points first."""
    width, height = embedding.width, embedding.height
    step = max(width, height) / max(1, points_per_side)
    across, down = max(1, round(width / step)), max(1, round(height / step))
    rows, columns = np.divmod(np.arange(across * down), across)
    # How often both numbers can be halved: the coarser the grid a point belongs to, the earlier.
    depth = np.minimum(_halvings(columns), _halvings(rows))
    order = np.argsort(-depth, kind="stable")
    rows, columns, depth = rows[order], columns[order], depth[order]
    places = np.stack([(columns + 0.5) * width / across, (rows + 0.5) * height / down], axis=1)
    size = np.array(embedding.logit_size)
    cells = np.minimum((places / (width, height) * size).astype(np.int64), size - 1)
    return Grid(places, cells, depth >= 1)


def _halvings(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how often each of 0, 1, 2, … can be halved; 0 as often as any of them."""
    counts = np.zeros(len(numbers), np.int64)
    for power in range(1, 8):
        counts += numbers % (1 << power) == 0
    return counts


def _explained(grid: Grid, kept: _Kept, settings: ProposalSettings) -> NDArray[np.bool_]:
    """Return which points (P,) lie in masks that tell what they are."""
    columns, rows = grid.cells.T
    inside = kept.explained[rows, columns] | kept.surrounded[rows, columns]
    known = np.zeros_like(inside) if settings.look_for_parts else kept.explained[rows, columns]
    return np.where(grid.coarse, known, inside)


class _Kept:
    """Masks kept so far, and what they explain."""

    def __init__(self, size: tuple[int, int]) -> None:
        columns, rows = size
        self._logits = np.zeros((0, rows, columns), np.float16)
        self._inside = np.zeros((0, rows * columns), np.bool_)
        self._shared = np.zeros((0, 0), np.float32)
        """Cells that each two masks have in common."""
        self._scores = np.zeros(0, np.float32)
        self._best = np.zeros(0, np.bool_)
        self._smallest = np.zeros(0, np.bool_)
        self.explained = np.zeros((rows, columns), np.bool_)
        """Where masks lie that were the smallest answer to a point, and are not large: what a point
        in there would be answered is known, down to its part."""
        self.surrounded = np.zeros((rows, columns), np.bool_)
        """Where large ones lie."""

    def add(
        self,
        logits: NDArray[np.float32],
        scores: NDArray[np.float32],
        stability: NDArray[np.float32],
        settings: ProposalSettings,
    ) -> None:
        """Take in answers (B, 3, h, w) with scores (B, 3): believable ones, no mask twice."""
        whole = self.explained.size
        believed = (scores >= settings.minimum_score) & (stability >= settings.minimum_stability)
        areas = cells_inside(logits)
        believed &= areas >= settings.minimum_share * whole
        best = _one_of_each(np.where(believed, scores, -1)) & believed
        smallest = _one_of_each(np.where(believed, -areas, -whole - 1)) & believed
        fresh = np.nonzero(believed)
        new_logits = logits[fresh].astype(np.float16)
        new_inside = (new_logits > 0).reshape(-1, whole)
        shared = more_shared(self._shared, self._inside, new_inside)
        all_scores = np.concatenate([self._scores, scores[fresh]])
        all_best = np.concatenate([self._best, best[fresh]])
        all_smallest = np.concatenate([self._smallest, smallest[fresh]])
        chosen, joined = different(shared, all_scores)
        for flags in (all_best, all_smallest):
            np.logical_or.at(flags, joined, flags.copy())
        self._logits = np.concatenate([self._logits, new_logits])[chosen]
        self._inside = np.concatenate([self._inside, new_inside])[chosen]
        self._shared = shared[np.ix_(chosen, chosen)]
        self._scores, self._best = all_scores[chosen], all_best[chosen]
        self._smallest = all_smallest[chosen]
        large = np.diagonal(self._shared) > settings.large_share * whole
        shape = self.explained.shape
        self.explained = self._inside[self._smallest & ~large].any(axis=0).reshape(shape)
        self.surrounded = self._inside[large].any(axis=0).reshape(shape)

    def proposals(self, asked: int, answers: MaskAnswers) -> Proposals:
        """Return what was found."""
        return Proposals(self._logits, self._scores, self._best, asked, answers)


class _Answered:
    """All answers so far that may mean something."""

    def __init__(self) -> None:
        self._masks: list[NDArray[np.bool_]] = []
        self._scores: list[NDArray[np.float32]] = []
        self._stabilities: list[NDArray[np.float32]] = []

    def add(
        self,
        logits: NDArray[np.float32],
        scores: NDArray[np.float32],
        stability: NDArray[np.float32],
    ) -> None:
        """Take in answers (B, 3, h, w) with scores and stabilities (B, 3)."""
        means = (scores >= ANSWER_SCORE) & (stability >= ANSWER_STABILITY)
        means &= cells_inside(logits) > ANSWER_CELLS
        self._masks.append(logits[means] > 0)
        self._scores.append(scores[means])
        self._stabilities.append(stability[means])

    def answers(self, size: tuple[int, int]) -> MaskAnswers:
        """Return different ones, the best first.

        Args:
            size: of the decoder's masks, (columns, rows).
        """
        columns, rows = size
        masks = np.concatenate([np.zeros((0, rows, columns), np.bool_), *self._masks])
        scores = np.concatenate([np.zeros(0, np.float32), *self._scores])
        stability = np.concatenate([np.zeros(0, np.float32), *self._stabilities])
        flat = masks.reshape(len(masks), rows * columns).astype(np.float32)
        chosen, _ = different(flat @ flat.T, scores, SAME_ANSWER)
        return pack_masks(masks[chosen], scores[chosen], stability[chosen])


def _one_of_each(values: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return which entry (B, 3) is the highest of its row, the first of equal ones."""
    chosen = np.zeros(values.shape, np.bool_)
    chosen[np.arange(len(values)), values.argmax(axis=1)] = True
    return chosen


def stabilities(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how little masks (…, h, w) change with the threshold: IoU (…), 0 where empty."""
    narrow, wide = cells_inside(logits, LOGIT_MARGIN), cells_inside(logits, -LOGIT_MARGIN)
    return (narrow / np.maximum(wide, 1)).astype(np.float32)


def cells_inside(logits: NDArray[np.float32], threshold: float = 0) -> NDArray[np.int64]:
    """Return of how many cells of each mask (…, h, w) the logit is above a threshold: (…)."""
    flat = logits.reshape(-1, logits.shape[-2] * logits.shape[-1])
    # Counting one mask at a time is several times as fast as along axes of all of them.
    counts = [np.count_nonzero(mask > threshold) for mask in flat]
    return np.array(counts, np.int64).reshape(logits.shape[:-2])
