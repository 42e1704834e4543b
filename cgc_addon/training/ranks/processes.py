# SPDX-License-Identifier: GPL-3.0-or-later
"""`Ranks` by torch.distributed: NCCL between graphics cards, gloo between processors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.distributed_c10d import Store
from torch.distributed.rendezvous import rendezvous

from ...errors import CgcError, Interrupted
from .shared_memory import SharedMemory, come, invite
from .world import World

JOINING = timedelta(minutes=5)
"""In which all processes have to come together."""
ANSWERING = timedelta(minutes=10)
"""In which all have to finish a step that one has finished."""
WORKING = timedelta(hours=2)
"""For which the others wait while the first one works alone."""
_GLANCE = 0.005
"""Seconds between two looks at whether that work is done; signals are heard between them."""

Item = TypeVar("Item")


class Processes:
    """The processes of a `World` that have come together."""

    def __init__(self, world: World, store: Store, alone: dist.ProcessGroup) -> None:
        """Describe them; `join` brings them together.

        Args:
            world: where this process stands.
            store: what all can write into.
            alone: group for waiting while the first process works alone, and for what is no tensor.
        """
        self._world, self._store, self._alone = world, store, alone
        self._speaks: bool | None = None
        self._memory: SharedMemory | None = None

    def share_memory(self) -> None:
        """Sum up in memory that all of them see from now on, if they are on one machine.

        Where that cannot be had, sums go on through sockets.
        """
        if self.local_size != self.size:
            return
        invitation = invite(self.size - 1) if self.rank == 0 else None
        try:
            folder = self.first_does(lambda: invitation.folder if invitation else None)
            memory = come(folder, self.rank, self.size, ANSWERING) if self.rank else None
            if self.any(folder is None or (self.rank > 0 and memory is None)):
                return
            if invitation:
                memory = invitation.accept(self.size - 1, ANSWERING)
            self._memory = memory
        finally:
            if invitation:
                invitation.withdraw()

    @property
    def rank(self) -> int:
        return self._world.rank

    @property
    def size(self) -> int:
        return self._world.size

    @property
    def local_size(self) -> int:
        return self._world.local_size

    def sum(self, tensors: Sequence[Tensor], /) -> None:
        with _answered(ANSWERING):
            if self._memory:
                self._memory.sum(tensors)
                return
            for work in [dist.all_reduce(tensor, async_op=True) for tensor in tensors]:
                cast(dist.Work, work).wait()

    def any(self, flag: bool, /) -> bool:
        said = torch.tensor([int(flag)])
        self.sum([said])
        return bool(said)

    def first_does(self, work: Callable[[], Item], /) -> Item:
        outcome: list[object] = [None, None]
        if self.rank == 0:
            try:
                outcome[0] = work()
            except (CgcError, Interrupted) as error:
                if isinstance(error, CgcError):
                    self.speaks()  # before another one can
                outcome[1] = error
        self._meet()
        with _answered(WORKING):
            dist.broadcast_object_list(outcome, src=0, group=self._alone)
        result, error = outcome
        if isinstance(error, Exception):
            raise error
        return cast(Item, result)

    def gather(self, value: Item, /) -> list[Item]:
        values: list[object] = [None] * self.size
        self._meet()
        with _answered(WORKING):
            dist.all_gather_object(values, value, group=self._alone)
        return cast(list[Item], values)

    def speaks(self) -> bool:
        """Return whether this process says why the training fails: the first to ask does."""
        if self._speaks is None:
            try:
                self._speaks = self._store.add("cgc/failures", 1) == 1
            except RuntimeError:
                # The store went with the first process, or with torchrun on its machine.
                self._speaks = self.rank <= 1
        return self._speaks

    def leave(self) -> None:
        """Take leave of the others; this is the last that is called."""
        with suppress(RuntimeError):
            dist.destroy_process_group()
        # Its thread ends with the last reference. One that lives on may give back a tensor when
        # Python is no longer there, which ends the process by SIGABRT after all its work.
        del self._alone

    def _meet(self) -> None:
        """Wait for all others; unlike torch's own waiting, signals end this one."""
        with _answered(WORKING):
            work = dist.all_reduce(torch.zeros(1), group=self._alone, async_op=True)
            work = cast(dist.Work, work)
            while not work.is_completed():
                time.sleep(_GLANCE)
            work.wait()


def join(world: World, *, cuda: bool, joining: timedelta = JOINING) -> Processes:
    """Come together with the other processes, and take the graphics card that is this one's.

    Args:
        world: where this process stands.
        cuda: whether graphics cards may be used.
        joining: how long to wait for the others.

    Raises:
        CgcError: they do not come, the port is taken, or there are too few cards.
    """
    cuda = cuda and torch.cuda.is_available()
    if cuda:
        _take_card(world)
    place = f"{world.address}:{world.port}"
    try:
        store, rank, size = next(rendezvous("env://", timeout=joining))
        store.set_timeout(joining)
        backend = "cpu:gloo,cuda:nccl" if cuda and dist.is_nccl_available() else "gloo"
        dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=ANSWERING)
        alone = dist.new_group(backend="gloo", timeout=WORKING)
    except RuntimeError as error:
        raise CgcError(_why_not(world, place, str(error), joining)) from error
    assert isinstance(alone, dist.ProcessGroup)
    processes = Processes(world, store, alone)
    if not cuda:
        processes.share_memory()
    return processes


def _take_card(world: World) -> None:
    cards = torch.cuda.device_count()
    if world.local_size > cards:
        raise CgcError(
            f"{world.local_size} processes on this machine want a graphics card each, but there "
            f"are {cards}; start {cards} here, or add --backend cpu."
        )
    torch.cuda.set_device(world.local_rank)


def _why_not(world: World, place: str, error: str, joining: timedelta) -> str:
    if "EADDRINUSE" in error or "address already in use" in error.lower():
        return (
            f"Port {world.port} is taken by another program; start with another one "
            "(torchrun --master-port, or MASTER_PORT)."
        )
    return (
        f"Process {world.rank} of {world.size} did not come together with the others at {place} "
        f"within {joining.total_seconds():.0f} s; check that all are started, that MASTER_ADDR "
        "and MASTER_PORT are the same for all, and that nothing between them blocks the port."
    )


@contextmanager
def _answered(patience: timedelta) -> Iterator[None]:
    """Say in a sentence that others are gone."""
    try:
        yield
    except (RuntimeError, ConnectionError, TimeoutError) as error:
        silent = "timed out" in str(error).lower()
        happened = (
            f"has not answered for {patience.total_seconds():.0f} s" if silent else "has ended"
        )
        raise CgcError(
            f"Another process of this training {happened}, so that all end; what was done since "
            "the last checkpoint is lost. Go on with --resume, with any number of processes."
        ) from error
