# SPDX-License-Identifier: GPL-3.0-or-later
"""How the pieces of a scene lie in the masks of each view, which may overlap.

Everything that is asked of masks afterwards, how far two pieces belong together and how far a group
of pieces is a thing, is a sum over these tables; pixels are not looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..observations import Observation
from .mask_differences import differences
from .merging import CoOccurrence

MINIMUM_SCORE, MINIMUM_STABILITY = 0.7, 0.6
"""Of answers that are evidence: less than of masks that are painted, for the masks of loose things
are right and not stable."""
FEWEST_PIXELS = 4
"""Sampled ones; a piece that shows fewer in a view is not compared there."""


MAIN_SHARE = 0.5
"""Of a piece's pixels: a mask with more of them holds the piece."""


@dataclass(frozen=True, eq=False)
class MaskTable:
    """One view: U pieces and M masks."""

    pieces: NDArray[np.int64]
    """(U,) pieces in view, 1..K."""
    pixels: NDArray[np.float32]
    """(U,) sampled pixels of each."""
    inside: NDArray[np.float32]
    """(U, M) how many of them lie in each mask."""
    sizes: NDArray[np.float32]
    """(M,) sampled pixels of each mask, whatever they show."""
    total: int
    """Sampled pixels of the view."""


def mask_tables(
    observations: Iterable[Observation], shown: Iterable[NDArray[np.int32]]
) -> list[MaskTable]:
    """Count the masks of every view; those of its label maps where no answers are known.

    What is left of an answer without others that lie in it is a mask, too.

    Args:
        observations: of all labelled views.
        shown: for each, the piece (P,) that each sampled pixel shows, 0 = none.
    """
    return [_table(one, pieces) for one, pieces in zip(observations, shown, strict=True)]


def _table(observation: Observation, shown: NDArray[np.int32]) -> MaskTable:
    from scipy.sparse import csr_matrix

    if observation.answers is not None and observation.cells is not None:
        answers, cells = observation.answers, observation.cells
        good = (answers.scores >= MINIMUM_SCORE) & (answers.stabilities >= MINIMUM_STABILITY)
        masks = answers.masks().reshape(len(answers), -1)[good].T.astype(np.float32)
        known = cells >= 0
    else:
        cells, masks = _painted(observation)
        known = np.ones(len(shown), np.bool_)
    usable = known & (shown > 0)
    pieces, row = np.unique(shown[usable], return_inverse=True)
    counts = csr_matrix(
        (np.ones(len(row), np.float32), (row, cells[usable])), (len(pieces), len(masks))
    )
    everything = np.bincount(cells[known], minlength=len(masks)).astype(np.float32)
    inside, sizes = np.asarray(counts @ masks, np.float32), everything @ masks
    if observation.answers is not None:
        more_inside, more_sizes = differences(
            inside, sizes, (masks * everything[:, None]).T @ masks
        )
        inside = np.concatenate([inside, more_inside], axis=1)
        sizes = np.concatenate([sizes, more_sizes])
    return MaskTable(
        pieces.astype(np.int64),
        np.asarray(counts.sum(axis=1), np.float32).reshape(-1),
        inside,
        sizes,
        int(known.sum()),
    )


def _painted(observation: Observation) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the masks of label maps as cells (P,) and what each cell is in (cells, M)."""
    columns = []
    for labels in (observation.labels, observation.parts):
        if labels is not None:
            ids = np.unique(labels[labels > 0])
            columns.append(labels[:, None] == ids)
    masks = np.concatenate(columns, axis=1)
    return np.arange(len(masks)), masks.astype(np.float32)


def overlapping_co_occurrence(tables: Sequence[MaskTable], count: int) -> CoOccurrence:
    """Compare in every view which of its masks, which overlap, pieces lie in.

    As `merging.co_occurrence`, but a piece may lie in several masks. Two pieces agree by the share
    of the masks with either of them that hold both (Jaccard), so that a mask of one thing tells it
    from its pile however many masks show the pile, or the table under it. What lies in no mask
    agrees with nothing.

    Args:
        tables: of all views.
        count: K pieces.
    """
    agreement, evidence = np.zeros((count, count)), np.zeros((count, count))
    for table in tables:
        compared = (table.pixels >= FEWEST_PIXELS) & (table.inside.sum(axis=1) > 0)
        inside, pixels = table.inside[compared], table.pixels[compared]
        held = (inside > MAIN_SHARE * pixels[:, None]).astype(np.float32)
        both = held @ held.T
        single = held.sum(axis=1)
        either = single[:, None] + single[None, :] - both
        weight = np.sqrt(np.minimum(pixels[:, None], pixels[None, :]))
        place = np.ix_(table.pieces[compared] - 1, table.pieces[compared] - 1)
        agreement[place] += weight * both / np.maximum(either, 1)
        evidence[place] += weight
    return CoOccurrence(agreement, evidence)
