# SPDX-License-Identifier: GPL-3.0-or-later
"""Two processes over gloo: what one says the other hears, and both have the same Gaussians."""

from __future__ import annotations

import json
import socket
import sys
from datetime import timedelta

import pytest
import torch

from cgc_addon.errors import CgcError
from cgc_addon.training.ranks.processes import join
from cgc_addon.training.ranks.world import World

from .starting import SECONDS, ends_of, free_port, start


@pytest.fixture(scope="module")
def noted(tiny_dataset, tmp_path_factory):
    output = tmp_path_factory.mktemp("noted")
    command = ["-m", "tests.training.ranks.checked_steps", str(tiny_dataset), str(output)]
    for code, _, errors in ends_of(start(command)):
        assert code == 0, errors
    return [json.loads((output / f"{rank}.json").read_text()) for rank in range(2)]


def test_what_one_says_all_hear(noted) -> None:
    for rank, one in enumerate(noted):
        assert one["talk"] == {
            "sums": [[3.0, 3.0, 3.0], [1]],
            "gathered": ["from 0", "from 1"],
            "any": [True, False],
            "first": 0,
            "raised": ["CgcError: No room.", "Interrupted: here"],
            "place": [rank, 2, 2, 1],
        }


def test_all_have_the_same_gaussians_moments_and_counts_at_every_step(noted) -> None:
    first, second = (one["steps"] for one in noted)
    assert len(first) == 60
    assert first == second
    counts = [count for count, _ in first]
    assert len(set(counts)) >= 4  # it was refined meanwhile, at least thrice


SUMS = """
import os, sys
from cgc_addon.training.ranks.together import together
with together(os.environ) as ranks:
    import torch
    numbers = [torch.tensor([0.1, 0.2]) * (ranks.rank + 1), torch.tensor([ranks.rank + 1])]
    ranks.sum(numbers)
    print([number.tolist() for number in numbers], ranks._memory is not None)
"""


@pytest.mark.parametrize("apart", [False, True])
def test_sums_are_the_same_in_shared_memory_and_between_machines(apart) -> None:
    for code, output, errors in ends_of(start(["-c", SUMS], apart=apart)):
        assert code == 0, errors
        shared = sys.platform == "linux" and not apart
        sums = [[0.1 * 3, 0.2 * 3], [3]]
        assert output == f"{torch_rounded(sums)} {shared}\n"


FROZEN = """
import os, signal
from datetime import timedelta
from cgc_addon.training.ranks import processes
from cgc_addon.training.ranks.together import together
processes.ANSWERING = timedelta(seconds=3)
with together(os.environ) as ranks:
    ranks.any(False)
    if ranks.rank == 1:
        os.kill(os.getpid(), signal.SIGSTOP)
    ranks.any(False)
"""


def test_one_that_does_not_answer_is_not_waited_for_without_end() -> None:
    first, frozen = start(["-c", FROZEN])
    _, errors = first.communicate(timeout=SECONDS)
    frozen.kill()
    frozen.communicate()
    assert first.returncode == 1
    assert "CgcError: Another process of this training has not answered for 3 s, so" in errors


def torch_rounded(numbers: list[list[float]]) -> list[list[float]]:
    return [torch.tensor(some).tolist() for some in numbers]


def world(port: int, rank: int = 0) -> World:
    return World(rank, 2, rank, 2, "127.0.0.1", port)


def in_environment(monkeypatch, world: World) -> None:
    for name, value in (
        ("RANK", world.rank),
        ("WORLD_SIZE", world.size),
        ("MASTER_ADDR", world.address),
        ("MASTER_PORT", world.port),
    ):
        monkeypatch.setenv(name, str(value))


def test_a_port_that_is_taken_is_named(monkeypatch) -> None:
    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()
        taken = world(other.getsockname()[1])
        in_environment(monkeypatch, taken)
        with pytest.raises(CgcError, match=f"Port {taken.port} is taken by another program"):
            join(taken, cuda=False, joining=timedelta(seconds=2))


@pytest.mark.parametrize("rank", [0, 1])
def test_who_waits_for_nobody_gives_up_in_a_sentence(monkeypatch, rank) -> None:
    nobody = world(free_port(), rank)
    in_environment(monkeypatch, nobody)
    with pytest.raises(
        CgcError, match=rf"Process {rank} of 2 did not come .* within 2 s; check that"
    ):
        join(nobody, cuda=False, joining=timedelta(seconds=2))
