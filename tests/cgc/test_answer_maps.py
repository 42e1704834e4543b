# SPDX-License-Identifier: GPL-3.0-or-later
"""A tomato on a board, where the best answer to the board is the pile: it stays a tomato."""

from __future__ import annotations

import numpy as np

from cgc_addon.cgc.answer_maps import object_map
from cgc_addon.dataset.mask_answers import MaskAnswers, pack_masks

SIDE = 20
BOARD, TOMATO, KNIFE = 1, 2, 3


def block(rows: slice, columns: slice) -> np.ndarray:
    found = np.zeros((SIDE, SIDE), bool)
    found[rows, columns] = True
    return found


PILE = block(slice(2, 18), slice(2, 18))
ON_IT = block(slice(6, 10), slice(6, 10))
BESIDE = block(slice(12, 15), slice(17, 20))
"""A knife that reaches over the edge of the board, a third of it."""


def shown() -> np.ndarray:
    """Return what a splat shows: the board lacks its last row, the tomato is right."""
    found = np.zeros((SIDE, SIDE), np.int32)
    found[PILE] = BOARD
    found[17] = 0
    found[ON_IT] = TOMATO
    found[BESIDE] = KNIFE
    return found


def answers(*masks: np.ndarray) -> MaskAnswers:
    return pack_masks(np.stack(masks), np.full(len(masks), 0.9), np.full(len(masks), 0.9))


def object_maps(known: MaskAnswers) -> np.ndarray:
    cells = np.arange(SIDE * SIDE, dtype=np.int32)
    painted = np.ones(SIDE * SIDE, np.int32)
    return object_map(shown().reshape(-1), painted, known, cells).reshape(SIDE, SIDE)


def test_what_lies_in_the_answer_to_another_object_keeps_what_is_shown() -> None:
    found = object_maps(answers(PILE))
    assert (found[ON_IT] == TOMATO).all()
    assert (found[PILE & ~ON_IT] == BOARD).all()


def test_an_answer_of_its_own_gives_it_its_outline() -> None:
    better = block(slice(6, 10), slice(6, 11))
    found = object_maps(answers(PILE, better))
    assert (found[better] == TOMATO).all()
    assert (found[PILE & ~better] == BOARD).all()


def test_what_only_reaches_into_an_answer_is_cut_at_its_outline() -> None:
    found = object_maps(answers(PILE))
    assert (found[BESIDE & PILE] == BOARD).all()
    assert (found[BESIDE & ~PILE] == KNIFE).all()


def test_pixels_that_show_nothing_are_known_in_an_answer_alone() -> None:
    found = object_maps(answers(PILE))
    assert (found[17, 2:17] == BOARD).all()
    assert (found[19] == 0).all()


def test_without_a_fitting_answer_what_is_shown_stays() -> None:
    found = object_maps(answers(block(slice(0, 3), slice(0, 3))))
    assert (found == shown()).all()
