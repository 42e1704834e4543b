# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest

from cgc_addon.masks.models.padding import SQUARE, shown_tokens

SIZES = [(SQUARE, side) for side in range(1, SQUARE + 1)]
SIZES += [(side, SQUARE) for side in range(1, SQUARE)]


@pytest.mark.parametrize("size", SIZES)
def test_all_of_the_photo_is_looked_at_and_what_pads_it_counts_as_much_as_it_is(size) -> None:
    rows, columns = size
    shown = shown_tokens(rows, columns)
    row, column = np.divmod(shown.places, SQUARE)
    of_photo = rows * columns
    np.testing.assert_array_equal(
        shown.places[:of_photo],
        np.arange(SQUARE**2).reshape(SQUARE, SQUARE)[:rows, :columns].ravel(),
    )
    assert not ((row < rows) & (column < columns))[of_photo:].any()
    assert len(np.unique(shown.places)) == len(shown.places)
    assert (shown.shares[:of_photo] == 0).all()
    assert np.exp(shown.shares.astype(float)).sum() == pytest.approx(SQUARE**2, rel=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_each_token_is_found_where_the_encoder_looked_and_else_in_grey(size) -> None:
    shown = shown_tokens(*size)
    seen = shown.seen_rows, shown.seen_columns
    row, column = np.divmod(shown.places, SQUARE)
    # A table whose entries say where they come from: the encoder's, then the grey square.
    encoded = np.stack(np.unravel_index(np.arange(np.prod(seen)), seen), axis=1)
    grey = np.stack(np.unravel_index(np.arange(SQUARE**2), (SQUARE, SQUARE)), axis=1)
    found = np.concatenate([encoded, grey])[shown.sources]
    beyond = (row >= seen[0]) | (column >= seen[1])
    np.testing.assert_array_equal(found, np.stack([row, column], axis=1))
    assert (shown.sources[beyond] >= np.prod(seen)).all()
