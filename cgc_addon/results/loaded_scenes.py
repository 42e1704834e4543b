# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians that stay loaded between two frames: of files, and put together as scenes.

What was used last stays, up to a bound of the memory; of an animation in which nothing moves but
the camera, each frame finds its scene ready.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import CgcError
from ..progress import Reporter, ShouldStop, never
from ..rasterize.interface import Backend, SplatTensors
from ..rasterize.select import select_backend
from ..splats.gaussian_file import IndexedGaussians, read_gaussians
from ..splats.gaussians import Gaussians
from ..splats.placing import carried, source_order
from ..splats.select import concatenate, subset
from ..training.parameters import splat_of
from .frame_request import FramePart

MOST_BYTES = 1 << 30
"""Of files, and of scenes; one of each is kept whatever its size."""


class _Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


_Kept = TypeVar("_Kept", bound=_Sized)


@dataclass(frozen=True, eq=False)
class LoadedScene:
    """All Gaussians of a frame, in one frame of reference, ready to be drawn."""

    splat: SplatTensors
    """N Gaussians."""
    sh_degree: int
    part: NDArray[np.int32]
    """(N,) which part of the request each is of."""
    segments: NDArray[np.int32]
    """(N,) its own segment, 0 where it has none."""

    @property
    def nbytes(self) -> int:
        """What it takes of the memory."""
        tensors = sum(tensor.nbytes for tensor in vars(self.splat).values())
        return tensors + self.part.nbytes + self.segments.nbytes


class LoadedScenes:
    """Backends, files and scenes of a process, for one frame after the other."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        """Begin with nothing."""
        self._backends: dict[str, Backend] = {}
        self._files: _LastUsed[IndexedGaussians] = _LastUsed(most_bytes)
        self._scenes: _LastUsed[LoadedScene] = _LastUsed(most_bytes)

    def backend(self, choice: str, report: Reporter, should_stop: ShouldStop = never) -> Backend:
        """Return a backend, opened once.

        Raises:
            CgcError: it cannot be used here.
        """
        if choice not in self._backends:
            self._backends[choice], _why = select_backend(choice, report, should_stop)
        return self._backends[choice]

    def scene(self, parts: Sequence[FramePart], backend: Backend) -> LoadedScene | None:
        """Return the scene of some parts, None where they hold no Gaussians.

        Raises:
            CgcError: a file is missing or damaged, or a part has a scale of zero.
        """
        places = tuple((str(part.file), part.matrix.tobytes()) for part in parts)
        files = [self._file(part.file) for part in parts]
        if not any(len(file.gaussians) for file in files):
            return None
        return self._scenes.get(
            (backend.name, places), lambda: _together(parts, files, backend.device)
        )

    def _file(self, path: Path) -> IndexedGaussians:
        return self._files.get(str(path), lambda: read_gaussians(path))


class _LastUsed(Generic[_Kept]):
    """Keeps what was used last, up to a bound."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], _Kept]) -> _Kept:
        """Return what is kept under a key, made where it is not."""
        found = self._kept.pop(key, None)
        if found is None:
            found = make()
        self._kept[key] = found
        while len(self._kept) > 1 and sum(one.nbytes for one in self._kept.values()) > self._most:
            self._kept.popitem(last=False)
        return found


def _together(
    parts: Sequence[FramePart], files: Sequence[IndexedGaussians], device: torch.device
) -> LoadedScene:
    moved = [_moved(part, file) for part, file in zip(parts, files, strict=True)]
    gaussians = concatenate(moved)
    part_of = np.repeat(np.arange(len(parts), dtype=np.int32), [len(one) for one in moved])
    order = source_order(np.concatenate([file.index for file in files]))
    if order is not None:
        gaussians, part_of = subset(gaussians, order), part_of[order]
    segments = gaussians.segments
    return LoadedScene(
        splat=splat_of(gaussians, device),
        sh_degree=gaussians.sh_degree,
        part=part_of,
        segments=np.zeros(len(gaussians), np.int32) if segments is None else segments,
    )


def _moved(part: FramePart, file: IndexedGaussians) -> Gaussians:
    try:
        return carried(file.gaussians, part.matrix)
    except CgcError as error:
        raise CgcError(f"{part.name}: {error}") from error
