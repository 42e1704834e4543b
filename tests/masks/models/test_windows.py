# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgc_addon.masks.models.windows import PARTS, STAGES, input_name, stage_places, window_places


@given(st.sampled_from(STAGES), st.integers(1, 40), st.integers(1, 40))
def test_what_is_fetched_is_what_cutting_into_windows_gives(stage, rows, columns) -> None:
    side, heads = stage.window, stage.heads
    count = rows * columns
    # Each entry of the table says which token, head and part it is; the last token fills up.
    table = np.stack(np.unravel_index(np.arange((count + 1) * heads * 3), (count + 1, heads, 3)), 1)
    *parts, back = stage_places(stage, rows, columns)
    padded = np.full((-(-rows // side) * side, -(-columns // side) * side), count)
    padded[:rows, :columns] = np.arange(count).reshape(rows, columns)
    cut = [
        padded[y : y + side, x : x + side].reshape(-1)
        for y in range(0, len(padded), side)
        for x in range(0, padded.shape[1], side)
    ]
    for number, places in enumerate(parts):
        token, head, part = np.moveaxis(table[places], -1, 0)
        np.testing.assert_array_equal(token, np.repeat(np.array(cut)[:, None], heads, axis=1))
        assert (head == np.arange(heads)[:, None]).all()
        assert (part == number).all()
    # What was fetched as queries comes back in the order of tokens and heads.
    fetched = table[parts[0]].reshape(-1, 3)[back]
    np.testing.assert_array_equal(fetched, table.reshape(-1, 3, 3)[: count * heads, 0])


@pytest.mark.parametrize("size", [(1, 1), (43, 64), (64, 17)])
def test_each_stage_gets_lists_for_its_own_tokens(size) -> None:
    rows, columns = size
    places = window_places(rows, columns)
    assert len(places) == len(STAGES) * len(PARTS)
    for stage in STAGES:
        tokens = rows * columns * stage.scale**2
        back = places[input_name(stage, "back")]
        assert back.shape == (tokens * stage.heads,)
        assert len(np.unique(back)) == len(back)
