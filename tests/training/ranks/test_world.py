# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os

import pytest

from cgc_addon.errors import CgcError
from cgc_addon.training.ranks.world import World, divide_threads, is_follower, read_world

SECOND = {
    "RANK": "5",
    "WORLD_SIZE": "8",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "4",
    "MASTER_ADDR": "node0",
    "MASTER_PORT": "29500",
}


def test_what_torchrun_says_is_read() -> None:
    assert read_world(SECOND) == World(5, 8, 1, 4, "node0", 29500)


@pytest.mark.parametrize("environment", [{}, {"WORLD_SIZE": "1"}, {"RANK": "3"}])
def test_one_process_is_as_usual(environment) -> None:
    assert read_world(environment) is None
    assert not is_follower(environment)


@pytest.mark.parametrize("name", [name for name in SECOND if name != "WORLD_SIZE"])
@pytest.mark.parametrize("value", [None, "", " "])
def test_what_is_missing_is_named(name, value) -> None:
    environment = {key: text for key, text in SECOND.items() if key != name}
    if value is not None:
        environment[name] = value
    with pytest.raises(CgcError, match=f"8 processes train together, but {name} is not set"):
        read_world(environment)
    assert not is_follower(environment)  # all say so: none of them knows who should


@pytest.mark.parametrize(
    ("name", "value", "range_"),
    [
        ("RANK", "8", "from 0 to 7"),
        ("RANK", "-1", "from 0 to 7"),
        ("WORLD_SIZE", "two", "from 1 or more"),
        ("WORLD_SIZE", "0", "from 1 or more"),
        ("LOCAL_RANK", "4", "from 0 to 3"),
        ("LOCAL_WORLD_SIZE", "9", "from 1 to 8"),
        ("MASTER_PORT", "70000", "from 1 to 65535"),
        ("MASTER_PORT", "1e3", "from 1 to 65535"),
    ],
)
def test_what_makes_no_sense_is_named(name, value, range_) -> None:
    with pytest.raises(CgcError, match=f"{name} must be a number {range_}, not '{value}'"):
        read_world({**SECOND, name: value})


def test_all_but_the_first_are_spoken_for() -> None:
    assert is_follower(SECOND)
    assert not is_follower({**SECOND, "RANK": "0"})


def threads(monkeypatch, cores: int, bound: int, **environment: str) -> tuple[str, str]:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(bound)), raising=False)
    found = dict(environment)
    divide_threads(World(5, 8, 1, 4, "node0", 29500), found)
    return found["OMP_NUM_THREADS"], found["NUMBA_NUM_THREADS"]


def test_processes_of_a_machine_divide_its_processor(monkeypatch) -> None:
    torchrun = {"TORCHELASTIC_RUN_ID": "none", "OMP_NUM_THREADS": "1"}
    assert threads(monkeypatch, 16, 16) == ("4", "4")
    assert threads(monkeypatch, 16, 16, **torchrun) == ("4", "4")
    assert threads(monkeypatch, 2, 2) == ("1", "1")
    assert threads(monkeypatch, 16, 4) == ("4", "4"), "a cluster has bound each to its own"
    assert threads(monkeypatch, 16, 8, **torchrun) == ("2", "2"), "torchrun and all of its own"


def test_threads_that_were_chosen_stay(monkeypatch) -> None:
    assert threads(monkeypatch, 16, 16, OMP_NUM_THREADS="3") == ("3", "3")
    assert threads(monkeypatch, 16, 16, NUMBA_NUM_THREADS="2") == ("2", "2")
    assert threads(monkeypatch, 16, 16, OMP_NUM_THREADS="3", NUMBA_NUM_THREADS="2") == ("3", "2")
