# SPDX-License-Identifier: GPL-3.0-or-later
"""Two photos at the same time, and the steps that follow; see `interface.PhotosTogether`.

Threads that draw one photo wait for each other dozens of times, and all of them for what Python and
PyTorch do between the kernels. Where each half has a photo of its own, they meet once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch
from numba import get_num_threads
from numba.np.ufunc.parallel import threading_layer
from torch import Tensor

from ..interface import Backend
from .kernels.adam import adam_steps, lengths_by_distance
from .projection import flat
from .scratch import Scratch
from .threads import limited_threads

Item = TypeVar("Item")
Result = TypeVar("Result")

PHOTOS = 2
"""The second one is looked at with parameters that do not know the first."""
ONE_CALLER = "workqueue"
"""Numba's own threads, taken where there is no OpenMP: two callers at a time end the program."""


def can_draw_together(threads: int) -> bool:
    """Return whether two Python threads may run kernels at the same time, on half of `threads`."""
    get_num_threads()  # the layer is chosen when it is first used
    return threads >= PHOTOS and threading_layer() != ONE_CALLER


class KernelsTogether:
    """Looks at photos with one backend each, or one after the other with a single one."""

    photos = PHOTOS

    def __init__(self, backends: Sequence[Backend], threads: int) -> None:
        """Prepare to look.

        Args:
            backends: one for each photo, or one for all.
            threads: that there are, which the backends share.
        """
        self._backends, self._threads = backends, threads
        self._scratch = Scratch()
        self._others: ThreadPoolExecutor | None = None
        if len(backends) > 1:
            self._others = ThreadPoolExecutor(len(backends) - 1, "photo")

    def each(self, look: Callable[[Backend, Item], Result], photos: Sequence[Item]) -> list[Result]:
        """Return what `look` gives for each photo; see `interface.PhotosTogether`."""
        if self._others is None or len(photos) == 1:
            return [look(self._backends[0], photo) for photo in photos]
        threads = max(1, self._threads // len(self._backends))

        def alone(backend: Backend, photo: Item) -> Result:
            with _torch_threads(threads):
                return look(backend, photo)

        pairs = list(zip(self._backends, photos, strict=True))
        others = [self._others.submit(alone, *pair) for pair in pairs[1:]]
        try:
            first = alone(*pairs[0])
        finally:
            for other in others:  # whatever became of the first, nothing goes on behind its back
                other.exception()
        return [first, *(other.result() for other in others)]

    def adam_steps(
        self,
        parameter: Tensor,
        moments: tuple[Tensor, Tensor],
        gradients: Sequence[Tensor],
        rates: Sequence[float],
        betas: tuple[float, float],
        done: int,
        lengths: Tensor | None = None,
    ) -> None:
        """Do Adam's steps, two in one pass through memory; see `interface.PhotosTogether`."""
        values, first, second = flat(parameter), *map(flat, moments)
        factors = np.empty(0, np.float32) if lengths is None else flat(lengths)
        flats = [flat(gradient.contiguous()) for gradient in gradients]
        sizes = [
            np.float32(rate * (1.0 - betas[1] ** step) ** 0.5 / (1.0 - betas[0] ** step))
            for step, rate in enumerate(rates, done + 1)
        ]
        decays = np.float32(1.0 - betas[0]), np.float32(1.0 - betas[1]), np.float32(betas[1])
        with limited_threads(self._threads):
            for at in range(0, len(flats), 2):
                last = min(at + 1, len(flats) - 1)
                adam_steps(
                    values, first, second, flats[at], flats[last], factors, *decays, sizes[at],
                    sizes[last], 1 + last - at,
                )  # fmt: skip

    def lengths_by_distance(self, means: Tensor, center: Tensor, extent: float) -> Tensor:
        """Return max(1, distance from a centre / extent); see `interface.PhotosTogether`."""
        lengths = self._scratch.take("lengths", means.numel(), np.float32)
        with limited_threads(self._threads):
            lengths_by_distance(flat(means), flat(center), np.float32(extent), lengths)
        return torch.from_numpy(lengths).reshape(means.shape)


@contextmanager
def _torch_threads(count: int) -> Iterator[None]:
    """Let PyTorch use `count` threads for what this Python thread does while the block runs."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
