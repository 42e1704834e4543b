# SPDX-License-Identifier: GPL-3.0-or-later
"""What comparing the photos has found, kept in the run folder for when the run is gone on with.

While photos are looked at, the surfaces of those that are done; then the points and gains that came
of them; and of a complete run the gains alone, which sharpening its edges anew needs.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..dataset.load import Dataset
from ..dataset.scene import SurfacePoints
from ..errors import CgcError
from ..reconstruction.dense.matching import Matching
from ..reconstruction.dense.surfaces import Surfaces
from ..state_clock import StateClock
from ..version import __version__
from .checkpoint import Checkpoint, load_checkpoint, write_checkpoint

NO_SURFACE = SurfacePoints(
    np.zeros((0, 3), np.float32), np.zeros((0, 3), np.uint8), np.zeros((0, 3), np.float32)
)
_GAINS = "gains"
_OF_SURFACE = (_POINTS, _COLORS, _NORMALS) = ("points", "colors", "normals")


@dataclass
class MatchingState:
    """The file, and what it was made of."""

    path: Path | None
    """None keeps nothing."""
    inputs: str
    """See `fingerprint`."""
    size: int
    """Longest side of the photos that are looked at, px."""
    seconds: float
    """Of work that a kill may cost, see `StateClock`."""
    clock: Callable[[], float] = time.perf_counter
    """Seconds."""

    def __post_init__(self) -> None:
        self._surfaces: Sequence[Surfaces] = ()
        self._kept = 0
        self._when = StateClock(self.seconds, self.clock)

    def result(self, *, of_this_run: bool, gains_alone: bool) -> Matching | None:
        """Return what was found, None where it is not known.

        Args:
            of_this_run: whether the run that is gone on with has made it: its photos may have
                become smaller since.
            gains_alone: whether it may be without points.
        """
        tensors = self._read(any_size=of_this_run)
        if _GAINS not in tensors or (_POINTS not in tensors and not gains_alone):
            return None
        gains = tensors[_GAINS].numpy()
        if _POINTS not in tensors:
            return Matching(NO_SURFACE, gains)
        points, colors, normals = (tensors[name].numpy() for name in _OF_SURFACE)
        return Matching(SurfacePoints(points, colors, normals), gains)

    def surfaces(self) -> list[Surfaces]:
        """Return the surfaces of the first photos that an earlier call found."""
        tensors, found = self._read(), []
        while (name := f"planes.{len(found)}") in tensors:
            number = len(found)
            found.append(
                Surfaces(
                    tensors[name].numpy(),
                    tensors[f"costs.{number}"].numpy(),
                    int(tensors[f"stride.{number}"]),
                )
            )
        self._kept = len(found)
        return found

    def note(self, surfaces: Sequence[Surfaces]) -> None:
        """Take the surfaces so far, and keep them when it is time to.

        Raises:
            CgcError: the folder cannot be written.
        """
        self._surfaces = surfaces
        if self._when.due():
            self.keep_surfaces()
            self._when.kept()

    def keep_surfaces(self) -> None:
        """Write the surfaces so far.

        Raises:
            CgcError: the folder cannot be written.
        """
        if len(self._surfaces) <= self._kept:
            return
        tensors = {}
        for number, one in enumerate(self._surfaces):
            tensors[f"planes.{number}"] = torch.from_numpy(one.planes)
            tensors[f"costs.{number}"] = torch.from_numpy(one.costs)
            tensors[f"stride.{number}"] = torch.tensor(one.stride)
        self._write(tensors)
        self._kept = len(self._surfaces)

    def finish(self, found: Matching) -> None:
        """Write what came of them.

        Raises:
            CgcError: the folder cannot be written.
        """
        self._write({
            _POINTS: torch.from_numpy(found.surface.points),
            _COLORS: torch.from_numpy(found.surface.colors),
            _NORMALS: torch.from_numpy(found.surface.normals),
            _GAINS: torch.from_numpy(found.gains),
        })  # fmt: skip

    def _write(self, tensors: dict[str, torch.Tensor]) -> None:
        if self.path is not None:
            values = {"inputs": self.inputs, "size": self.size}
            write_checkpoint(self.path, Checkpoint(tensors, values))

    def _read(self, *, any_size: bool = False) -> dict[str, torch.Tensor]:
        found = None if self.path is None else _load(self.path)
        if found is None or found.values.get("inputs") != self.inputs:
            return {}
        return found.tensors if any_size or found.values.get("size") == self.size else {}


def keep_gains_alone(path: Path) -> None:
    """Leave of the state of a run that is complete what it may still need.

    Raises:
        CgcError: the folder cannot be written.
    """
    found = _load(path)
    if found is None or _GAINS not in found.tensors:
        path.unlink(missing_ok=True)
    elif _POINTS in found.tensors:
        write_checkpoint(path, Checkpoint({_GAINS: found.tensors[_GAINS]}, found.values))


def fingerprint(dataset: Dataset, seed: int) -> str:
    """Return a text that is another one where anything that is compared is different.

    Args:
        dataset: whose photos for training are compared, at any size.
        seed: of the random depths.
    """
    digest = hashlib.blake2b(f"{__version__} {seed}".encode(), digest_size=16)
    for index in dataset.train:
        view, file = dataset.scene.views[index], dataset.store.files[index]
        try:
            status = file.photo.stat()
            told = (status.st_size, status.st_mtime_ns)
        except OSError:  # reading it will say why
            told = None
        digest.update(f"{view.name}{file.camera}{told}".encode(errors="backslashreplace"))
        digest.update(np.ascontiguousarray(view.world_to_camera).data)
    digest.update(np.ascontiguousarray(dataset.scene.points).data)
    return digest.hexdigest()


def _load(path: Path) -> Checkpoint | None:
    """Return what is there; None where it is missing, damaged or of another version."""
    try:
        return load_checkpoint(path, torch.device("cpu")) if path.is_file() else None
    except CgcError:
        return None
