# SPDX-License-Identifier: GPL-3.0-or-later
"""Sums over processes of one machine; threads stand in for the processes, as memory is shared."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import torch
from torch import Tensor

from cgc_addon.training.ranks import shared_memory
from cgc_addon.training.ranks.shared_memory import SharedMemory, come, invite

PATIENCE = timedelta(seconds=20)

pytestmark = pytest.mark.skipif(
    not shared_memory.PLACE.is_dir(), reason="Linux alone has a place for files in memory"
)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return a folder in place of /dev/shm, short enough for a socket's name."""
    monkeypatch.setattr(shared_memory, "ROOM", 64_000)
    monkeypatch.setattr(shared_memory, "PLACE", tmp_path)
    return tmp_path


def memories(size: int) -> list[SharedMemory]:
    """Return what so many processes have when they have come together."""
    invitation = invite(size - 1)
    assert invitation is not None
    others = [come(invitation.folder, rank, size, PATIENCE) for rank in range(1, size)]
    first = invitation.accept(size - 1, PATIENCE)
    invitation.withdraw()
    return [first, *(other for other in others if other is not None)]


def all_do(work: Callable[[int], object], size: int) -> list[object]:
    with ThreadPoolExecutor(size) as pool:
        return list(pool.map(work, range(size)))


@pytest.mark.parametrize("size", [2, 3, 5])
@pytest.mark.parametrize(
    "shapes",
    [
        [(7,)],
        [(1,), (0,), (3, 5)],
        [(200, 3), (200, 15, 3), (200,)],  # longer than a row of five, which has room for 2,656
        [(5_000,), (1,), (4_000, 2)],
    ],
)
def test_all_have_the_sum_added_in_their_order(place, size, shapes) -> None:
    given = [
        [torch.randn(shape, generator=torch.Generator().manual_seed(rank)) for shape in shapes]
        for rank in range(size)
    ]
    expected: list[Tensor] = []
    for of_all in zip(*given, strict=True):
        total = of_all[0].clone()
        for one in of_all[1:]:
            total = total + one
        expected.append(total)
    all_memories = memories(size)
    all_do(lambda rank: all_memories[rank].sum(given[rank]), size)
    for found in given:
        for one, other in zip(found, expected, strict=True):
            assert torch.equal(one, other)  # to the bit


def test_types_may_be_mixed_and_tensors_not_contiguous(place) -> None:
    given = [
        [
            torch.full((4, 6), 0.5 + rank).T,
            torch.tensor([1.0 / 3.0, rank], dtype=torch.float64),
            torch.tensor([rank, 1 << 40]),
            torch.full((2, 8), 2.0)[:, ::2],
        ]
        for rank in range(2)
    ]
    both = memories(2)
    all_do(lambda rank: both[rank].sum(given[rank]), 2)
    for transposed, wide, whole, strided in given:
        assert torch.equal(transposed, torch.full((6, 4), 2.0))
        assert wide.tolist() == [2.0 / 3.0, 1.0]
        assert whole.tolist() == [1, 1 << 41]
        assert torch.equal(strided, torch.full((2, 4), 4.0))


def test_sums_one_after_another_do_not_mix(place) -> None:
    three = memories(3)

    def sums(rank: int) -> list[float]:
        found = []
        for turn in range(200):
            number = torch.full((2_000,), float(rank + turn))
            three[rank].sum([number])
            assert (number == number[0]).all()
            found.append(number[0].item())
        return found

    expected = [float(3 * turn + 3) for turn in range(200)]
    assert all_do(sums, 3) == [expected] * 3


def test_nothing_is_left_once_all_have_come(place) -> None:
    kept = memories(2)
    assert list(place.iterdir()) == []
    assert len(kept) == 2


def test_one_that_ends_is_noticed(place) -> None:
    first, second = memories(2)
    for other in second._others:
        other.close()
    with pytest.raises(ConnectionError):
        first.sum([torch.zeros(3)])


def test_one_that_does_not_answer_is_noticed(place) -> None:
    invitation = invite(1)
    assert invitation is not None
    silent = come(invitation.folder, 1, 2, PATIENCE)
    first = invitation.accept(1, timedelta(seconds=0.1))
    invitation.withdraw()
    with pytest.raises(TimeoutError):
        first.sum([torch.zeros(3)])
    assert silent is not None


def test_without_room_there_is_none(place, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    assert invite(1) is None
    assert list(place.iterdir()) == []


def test_without_a_place_there_is_none(place, monkeypatch) -> None:
    monkeypatch.setattr(shared_memory, "PLACE", place / "missing")
    assert invite(1) is None


def test_who_does_not_see_the_folder_has_none(place) -> None:
    assert come(None, 1, 2, PATIENCE) is None
    assert come(place / "elsewhere", 1, 2, PATIENCE) is None
