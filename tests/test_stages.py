# SPDX-License-Identifier: GPL-3.0-or-later
"""The share of a job of several stages, and how long it will still take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgc_addon.progress import Progress
from cgc_addon.stages import Stage, StagedProgress

STAGES = (
    Stage("solve", 2.0, {"Matching": (0.0, 0.5), "Solving": (0.5, 1.0)}),
    Stage("train", 3.0, {"Training": (0.2, 0.8)}),
)


class Recorded:
    def __init__(self, stages=STAGES):
        self.seconds = 0.0
        self.told: list[Progress] = []
        self.progress = StagedProgress(stages, self.told.append, lambda: self.seconds)

    @property
    def shares(self):
        return [progress.overall for progress in self.told]


def test_stages_count_by_their_weight_and_parts_by_their_place():
    job = Recorded()
    report = job.progress.begin("solve")
    report(Progress("Matching", 0, 10))
    report(Progress("Matching", 5, 10))
    report(Progress("Solving", 1, 2))
    report = job.progress.begin("train")
    report(Progress("Loading", 1, 2))
    report(Progress("Training", 50, 100, {"loss": 0.5}))
    job.progress.finish()
    assert job.shares == pytest.approx([0.0, 0.1, 0.3, 0.4, 0.7])
    assert job.progress.overall == 1.0
    assert job.told[-1].stage == "Training"
    assert job.told[-1].numbers == {"loss": 0.5}


def test_a_stage_that_knows_its_own_share_is_believed():
    job = Recorded()
    job.progress.begin("solve")(Progress("Anything", 1, 100, overall=0.75))
    assert job.shares == pytest.approx([0.3])


def test_what_is_left_follows_the_pace_so_far():
    job = Recorded()
    report = job.progress.begin("solve")
    report(Progress("Matching", 0, 10))
    assert "seconds_left" not in job.told[-1].numbers
    job.seconds = 9.0
    report(Progress("Matching", 1, 100))  # one per cent of the whole says little
    assert "seconds_left" not in job.told[-1].numbers
    job.seconds = 10.0
    report(Progress("Matching", 10, 10, {"seconds_left": 1.0}))
    # 10 s for a fifth of the whole
    assert job.told[-1].numbers["seconds_left"] == pytest.approx(40.0)


def test_stages_done_before_and_work_resumed_say_nothing_of_the_pace():
    job = Recorded()
    job.progress.begin("solve")(Progress("Solving", 2, 2))
    job.seconds = 0.5
    report = job.progress.begin("train")
    job.seconds = 5.0  # loading
    report(Progress("Training", 50, 100))
    assert job.shares[-1] == pytest.approx(0.7)
    assert "seconds_left" not in job.told[-1].numbers
    job.seconds = 15.0
    report(Progress("Training", 75, 100))
    # 10 s for 0.6 * 0.15 = 0.09 of the whole; 0.21 are left
    assert job.told[-1].numbers["seconds_left"] == pytest.approx(10.0 / 0.09 * 0.21)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Matching", "Solving", "Training", "Unknown"]),
            st.integers(0, 30),
            st.integers(0, 20),
            st.none() | st.floats(0.0, 1.5),
            st.booleans(),
        ),
        max_size=30,
    )
)
def test_it_never_goes_back_and_stays_between_none_and_all(messages):
    job = Recorded()
    report = job.progress.begin("solve")
    for stage, done, total, own, on in messages:
        if on:
            report = job.progress.begin("train")
        job.seconds += 1.0
        report(Progress(stage, done, total, overall=own))
    job.progress.finish()
    shares = [*job.shares, job.progress.overall]
    assert shares == sorted(shares)
    assert all(0.0 <= share <= 1.0 for share in shares)
    left = [p.numbers["seconds_left"] for p in job.told if "seconds_left" in p.numbers]
    assert all(seconds >= 0.0 for seconds in left)
