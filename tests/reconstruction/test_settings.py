# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from cgc_addon.errors import CgcError
from cgc_addon.reconstruction.settings import MOST_THREADS, SolveSettings


@pytest.mark.parametrize("wrong", [
    {"matching": "vocabulary"}, {"frames": 2}, {"max_size": 10}, {"max_features": 0}, {"seed": -1},
    {"threads": 0},
])  # fmt: skip
def test_wrong_values_are_refused(wrong):
    with pytest.raises(CgcError):
        SolveSettings(**wrong)


def test_all_pairs_are_tried_of_few_photos_and_never_of_a_video_unless_asked_for():
    assert SolveSettings().is_exhaustive(100, video=False)
    assert not SolveSettings().is_exhaustive(101, video=False)
    assert not SolveSettings().is_exhaustive(20, video=True)
    assert SolveSettings(matching="exhaustive").is_exhaustive(500, video=True)
    assert not SolveSettings(matching="sequential").is_exhaustive(5, video=False)


def test_threads_are_bounded_and_change_no_record():
    assert 1 <= SolveSettings().thread_count() <= MOST_THREADS
    assert SolveSettings(threads=1000).thread_count() == MOST_THREADS
    assert SolveSettings(threads=1, overwrite=True).to_record() == SolveSettings().to_record()
