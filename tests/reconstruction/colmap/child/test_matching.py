# SPDX-License-Identifier: GPL-3.0-or-later
"""Matches of small photos, found by the child process."""

from __future__ import annotations

from ..conftest import features, match


def test_what_is_there_is_not_done_again(copy, photos):
    assert features(copy, photos) == {"extracted": 0}
    assert match(copy, [(i, j) for i in range(4) for j in range(i + 1, 4)]) == {"matched": 3}
    assert match(copy, [(0, 3)]) == {"matched": 0}
