# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians as files for the worker: named by what is in them, so that each is written once."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ...splats.gaussian_file import ENDING, IndexedGaussians, digest, write_gaussians
from ..splats.objects import gaussians_in, indices_in

if TYPE_CHECKING:
    from bpy.types import PointCloud

MOST_BYTES = 4 << 30
"""Of files that are kept for a next frame."""


class Handover:
    """A folder of such files; those that were used last stay."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        """Begin with an empty folder."""
        self._folder, self._most = folder, most_bytes
        self._sizes: OrderedDict[Path, int] = OrderedDict()

    def write(self, cloud: PointCloud) -> Path:
        """Return the file with the Gaussians of a point cloud, written where it is missing.

        Raises:
            CgcError: an attribute is lost, or the file cannot be written.
        """
        part = IndexedGaussians(gaussians_in(cloud), indices_in(cloud))
        path = self._folder / f"{digest(part)}{ENDING}"
        if not path.is_file():
            write_gaussians(path, part)
        self._sizes[path] = part.nbytes
        self._sizes.move_to_end(path)
        return path

    def forget_others(self, needed: set[Path]) -> None:
        """Delete files that were not used for long, where all take too much room.

        Args:
            needed: stay in any case.
        """
        for path in list(self._sizes):
            if sum(self._sizes.values()) <= self._most:
                return
            if path not in needed:
                with suppress(OSError):  # another attempt follows with the folder itself
                    path.unlink(missing_ok=True)
                del self._sizes[path]
