# SPDX-License-Identifier: GPL-3.0-or-later
"""Models while they are made, kept on disk: placing hundreds of photos takes many minutes.

PART/NAME-PHOTOS/  a model that still grows, with so many photos; the one with most counts
PART/whole/        all models of the first try, in folders called 0, 1, …
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ....dataset.colmap.model import read_model
from ....errors import CgcError
from ....state_clock import StateClock

if TYPE_CHECKING:
    import pycolmap

STATE_SECONDS = 20.0
"""Of work that a kill may cost."""
FIRST, GROWN = "first", "grown"
_WHOLE = "whole"


class KeptModels:
    """What an earlier call has made, and what this one makes."""

    def __init__(
        self, part: Path, seconds: float, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """Begin to count; nothing is read or written yet.

        Args:
            part: folder, made when there is something to keep.
            seconds: of work that a kill may cost, see `StateClock`.
            clock: seconds.
        """
        self._part = part
        self._clock = StateClock(seconds, clock)

    def growing(self, name: str) -> list[pycolmap.Reconstruction]:
        """Return the model that an earlier call has kept under a name, if it did."""
        folders = sorted(self._part.glob(f"{name}-*"), reverse=True)
        found = (_read(folder) for folder in folders)
        return [model for model in found if model is not None][:1]

    def whole(self) -> list[pycolmap.Reconstruction] | None:
        """Return all models of the first try, None if they are not known."""
        folder = self._part / _WHOLE
        if not folder.is_dir():
            return None
        models = [_read(one) for one in sorted(folder.iterdir(), key=lambda path: int(path.name))]
        known = [model for model in models if model is not None]
        return known if len(known) == len(models) else None

    def offer(self, name: str, model: pycolmap.Reconstruction) -> None:
        """Keep a model that grows under a name, if it is time to."""
        if self._clock.due():
            self._replace(f"{name}-{model.num_reg_images():06d}", [model], alone=True)
            self._remove_others(name, model.num_reg_images())
            self._clock.kept()

    def keep_whole(self, models: Sequence[pycolmap.Reconstruction]) -> None:
        """Keep all models of the first try, in place of the one that grew."""
        self._replace(_WHOLE, models)
        self._remove_others(FIRST, -1)
        self._clock.kept()

    def remove(self) -> None:
        """Remove what is of no use any more."""
        shutil.rmtree(self._part, ignore_errors=True)

    def _replace(
        self, name: str, models: Sequence[pycolmap.Reconstruction], *, alone: bool = False
    ) -> None:
        """Write models into a folder that is there when they are whole."""
        draft, folder = self._part / "draft.tmp", self._part / name
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        for number, model in enumerate(models):
            place = draft if alone else draft / str(number)
            place.mkdir(exist_ok=True)
            model.write(place)
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)

    def _remove_others(self, name: str, photos: int) -> None:
        for folder in self._part.glob(f"{name}-*"):
            if folder.name != f"{name}-{photos:06d}":
                shutil.rmtree(folder, ignore_errors=True)


def _read(folder: Path) -> pycolmap.Reconstruction | None:
    """Return the model in a folder, None where it is damaged."""
    import pycolmap

    try:
        read_model(folder)  # COLMAP's own reader trusts what it reads
        return pycolmap.Reconstruction(folder)
    except (CgcError, LookupError, RuntimeError, ValueError, OSError):
        return None
