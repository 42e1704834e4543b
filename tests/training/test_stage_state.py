# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage goes on from its own state, and from no other."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cgc_addon.errors import Interrupted
from cgc_addon.training.stage_state import StageState, fingerprint

from ..tiny_dataset import tiny_gaussians


class Counter:
    """Counts to 10, as trainings do steps."""

    def __init__(self) -> None:
        self.count, self.began = 0, 0

    def state(self):
        return {"count": torch.tensor([self.count])}, {"step": self.count}

    def restore(self, state) -> None:
        tensors, values = state
        assert tensors["count"].item() == values["step"]
        self.count = self.began = values["step"]

    def run(self, pause, until=10, error=None) -> None:
        while self.count < until:
            self.count += 1
            pause()
        if error is not None:
            raise error


@pytest.fixture
def kept(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    return StageState(tmp_path / "state.safetensors", "inputs", 0.0)


def begin(kept, until, error) -> None:
    counter = Counter()
    with pytest.raises(type(error)):
        kept.run(counter, lambda pause: counter.run(pause, until, error))


@pytest.mark.parametrize("error", [Interrupted("x"), RuntimeError("as by a kill")])
def test_it_goes_on_where_it_was_left(kept, error):
    begin(kept, 4, error)
    counter = Counter()
    kept.run(counter, counter.run)
    assert (counter.began, counter.count) == (4, 10)


def test_a_stage_that_is_over_is_not_done_again(kept):
    counter = Counter()
    kept.run(counter, counter.run)
    again = Counter()
    kept.run(again, again.run)
    assert again.began == 10


def test_it_is_kept_as_seldom_as_asked_but_always_when_it_is_stopped(kept):
    begin(replace(kept, seconds=1e9), 4, RuntimeError("as by a kill"))
    assert not kept.path.exists()
    begin(replace(kept, seconds=1e9), 4, Interrupted("x"))
    assert kept.path.exists()


@pytest.mark.parametrize("damage", ["other inputs", "half a file"])
def test_what_is_of_no_use_is_not_used(kept, damage):
    begin(kept, 4, Interrupted("x"))
    if damage == "half a file":
        kept.path.write_bytes(kept.path.read_bytes()[:20])
    else:
        kept = replace(kept, inputs="others")
    counter = Counter()
    kept.run(counter, counter.run)
    assert (counter.began, counter.count) == (0, 10)


def test_a_fingerprint_tells_splats_and_segments_apart():
    gaussians = tiny_gaussians()
    labels = np.zeros(len(gaussians), np.int32)
    moved = replace(gaussians, means=gaussians.means + np.float32(1e-3))
    prints = [
        fingerprint(gaussians, []),
        fingerprint(moved, []),
        fingerprint(gaussians, [], labels),
        fingerprint(gaussians, [], labels + 1),
    ]
    assert len(set(prints)) == 4
    assert fingerprint(tiny_gaussians(), []) == prints[0]
