# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of how many processes this is, as torchrun says it in the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

from ...errors import CgcError

STARTED_BY_TORCHRUN = "TORCHELASTIC_RUN_ID"
"""Environment variable that its processes have besides those of `World`."""
THREADS, KERNEL_THREADS = "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"
"""Environment variables; libraries read them when they are loaded."""
_CURE = "start with torchrun, which sets it, or set it as docs/cluster.md says"


@dataclass(frozen=True)
class World:
    """Where a process stands among those that were started together."""

    rank: int
    """Of this process among all, from 0."""
    size: int
    """Number of all."""
    local_rank: int
    """Of this process among those of this machine, from 0: also its graphics card."""
    local_size: int
    """Number of those on this machine."""
    address: str
    """Of the machine where the first one waits for the others."""
    port: int


def read_world(environment: Mapping[str, str]) -> World | None:
    """Return what the environment says; None where there is one process, as usual.

    Raises:
        CgcError: something is missing or makes no sense.
    """
    if environment.get("WORLD_SIZE", "1") == "1":
        return None
    size = _number(environment, "WORLD_SIZE", 1, None)
    if size == 1:
        return None
    local_size = _number(environment, "LOCAL_WORLD_SIZE", 1, size)
    return World(
        _number(environment, "RANK", 0, size - 1),
        size,
        _number(environment, "LOCAL_RANK", 0, local_size - 1),
        local_size,
        _text(environment, "MASTER_ADDR"),
        _number(environment, "MASTER_PORT", 1, 65535),
    )


def is_follower(environment: Mapping[str, str]) -> bool:
    """Return whether this is a process that another one speaks and writes for."""
    try:
        world = read_world(environment)
    except CgcError:  # is told when training begins
        return False
    return world is not None and world.rank > 0


def divide_threads(world: World, environment: MutableMapping[str, str]) -> None:
    """Give each process of this machine its share of the processor; before torch is loaded.

    Numbers that the user has set stay. torchrun sets one thread where nothing is set, so that one
    does not count.
    """
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if STARTED_BY_TORCHRUN in environment or mine == os.cpu_count():
        mine //= world.local_size  # else a cluster has divided the processor already
    threads = environment.get(THREADS, "1")
    chosen = threads if threads != "1" else environment.get(KERNEL_THREADS) or str(max(1, mine))
    environment[THREADS] = chosen
    environment.setdefault(KERNEL_THREADS, chosen)


def _text(environment: Mapping[str, str], name: str) -> str:
    if not (text := environment.get(name, "").strip()):
        raise CgcError(
            f"WORLD_SIZE says that {environment['WORLD_SIZE']} processes train together, but "
            f"{name} is not set; {_CURE}."
        )
    return text


def _number(environment: Mapping[str, str], name: str, least: int, most: int | None) -> int:
    text = _text(environment, name)
    upper = f" to {most}" if most is not None else " or more"
    if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
        raise CgcError(f"{name} must be a number from {least}{upper}, not {text[:40]!r}; {_CURE}.")
    return int(text)
