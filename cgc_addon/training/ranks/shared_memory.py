# SPDX-License-Identifier: GPL-3.0-or-later
"""Sums over the processes of one machine, through memory that all of them see.

Between two processes of one machine gloo sends all numbers through a socket, which takes four times
as long as writing and reading them (docs/cluster.md). Here a socket carries one byte, which says
that they are written.
"""

from __future__ import annotations

import mmap
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import torch
from torch import Tensor

PLACE = Path("/dev/shm")
"""Where Linux keeps files in memory; other systems have no such place, and no `SharedMemory`."""
ROOM = 48_000_000
"""Bytes of the memory: containers have 64 MiB there unless they are told otherwise."""
_LINE = 64
"""Bytes of a line of the processor's cache; rows begin with one."""
_MEMORY, _SOCKET = "memory", "socket"


class Invitation:
    """A folder with memory and socket of the first process, until all others have come."""

    def __init__(self, folder: Path, listener: socket.socket) -> None:
        """Hold what `invite` made."""
        self.folder, self._listener = folder, listener

    def accept(self, count: int, patience: timedelta) -> SharedMemory:
        """Return the memory with `count` others, all of which have come."""
        others = []
        for _ in range(count):
            other, _ = self._listener.accept()
            other.settimeout(patience.total_seconds())
            others.append(other)
        return SharedMemory(_opened(self.folder), 0, count + 1, others)

    def withdraw(self) -> None:
        """Remove the folder; who has come stays."""
        self._listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def invite(count: int) -> Invitation | None:
    """Make memory and a socket for so many others; None where there is no place or no room."""
    try:
        folder = Path(tempfile.mkdtemp(prefix="cgc-", dir=PLACE))
    except OSError:
        return None
    listener = socket.socket(socket.AF_UNIX)
    invitation = Invitation(folder, listener)
    try:
        file = os.open(folder / _MEMORY, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(file, 0, ROOM)  # or writing ends the process where room lacks
        finally:
            os.close(file)
        listener.bind(str(folder / _SOCKET))
        listener.listen(count)
    except OSError:
        invitation.withdraw()
        return None
    return invitation


def come(folder: Path | None, rank: int, size: int, patience: timedelta) -> SharedMemory | None:
    """Return the memory that the first process invites to; None where it cannot be seen.

    Args:
        folder: of its invitation.
        rank: of this process, from 1.
        size: number of all.
        patience: how long to wait for the others.
    """
    if folder is None:
        return None
    first = socket.socket(socket.AF_UNIX)
    first.settimeout(patience.total_seconds())
    try:
        first.connect(str(folder / _SOCKET))
        return SharedMemory(_opened(folder), rank, size, [first])
    except OSError:
        first.close()
        return None


def _opened(folder: Path) -> mmap.mmap:
    file = os.open(folder / _MEMORY, os.O_RDWR)
    try:
        return mmap.mmap(file, ROOM)
    finally:
        os.close(file)


class SharedMemory:
    """Memory of all processes of a machine: a row for each of them, and one for their sums."""

    def __init__(
        self, memory: mmap.mmap, rank: int, size: int, others: Sequence[socket.socket]
    ) -> None:
        """Hold what all have come to.

        Args:
            memory: `ROOM` bytes.
            rank: of this process, from 0.
            size: number of all.
            others: sockets of the first process to each other one, of these to the first.
        """
        width = ROOM // (size + 1) // _LINE * _LINE
        numbers = torch.frombuffer(memory, dtype=torch.uint8, count=width * (size + 1))
        self._rows = numbers.view(size + 1, width)
        self._rank, self._size, self._others = rank, size, others

    def sum(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over all processes, added in the order of these.

        Each process adds up its share of the numbers, so that more of them do not make it longer.

        Args:
            tensors: on the processor, of the same shapes on all.

        Raises:
            ConnectionError: another process has ended.
            TimeoutError: another process does not answer.
        """
        for dtype in dict.fromkeys(tensor.dtype for tensor in tensors):
            alike = [tensor for tensor in tensors if tensor.dtype == dtype]
            dense = [tensor.contiguous() for tensor in alike]
            self._sum_alike([tensor.view(-1) for tensor in dense], self._rows.view(dtype))
            for tensor, sums in zip(alike, dense, strict=True):
                if tensor is not sums:
                    tensor.copy_(sums)

    def _sum_alike(self, tensors: Sequence[Tensor], rows: Tensor) -> None:
        """Sum tensors (n,) of one type in rows (size + 1, m) of it."""
        *told, sums = rows
        for parts in _in_rows(tensors, len(sums)):
            for place, part in parts:
                told[self._rank][place] = part
            self._meet()
            count = parts[-1][0].stop
            begin, end = (count * rank // self._size for rank in (self._rank, self._rank + 1))
            share = sums[begin:end]
            torch.add(told[0][begin:end], told[1][begin:end], out=share)
            for row in told[2:]:
                share += row[begin:end]
            # All have read what was told before anyone tells more; and so it goes with the sums.
            self._meet()
            for place, part in parts:
                part.copy_(sums[place])

    def _meet(self) -> None:
        """Wait until all others wait, too."""
        if self._rank > 0:
            self._others[0].sendall(b".")
        for other in self._others:
            if not other.recv(1):
                raise ConnectionError("another process has ended")
        if self._rank == 0:
            for other in self._others:
                other.sendall(b".")


def _in_rows(tensors: Sequence[Tensor], width: int) -> Iterator[list[tuple[slice, Tensor]]]:
    """Divide tensors (n,), one after another, into rows: places in a row and what belongs there.

    Args:
        tensors: what is to be divided.
        width: numbers that a row has room for.
    """
    row: list[tuple[slice, Tensor]] = []
    filled = 0
    for tensor in tensors:
        begin = 0
        while begin < len(tensor):
            part = tensor[begin : begin + width - filled]
            row.append((slice(filled, filled + len(part)), part))
            begin, filled = begin + len(part), filled + len(part)
            if filled == width:
                yield row
                row, filled = [], 0
    if row:
        yield row
