# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians as they are handed from one process to another, as an uncompressed .npz."""

from __future__ import annotations

import hashlib
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from ..files import check_is_file
from ..npz import write_npz
from .gaussians import Gaussians

ENDING = ".npz"
_UNREADABLE = (
    *(OSError, zipfile.BadZipFile, zlib.error, ValueError, KeyError, EOFError, MemoryError),
    # Of zip files with damaged flags, and of array headers.
    *(RuntimeError, OverflowError, TypeError, SyntaxError, tokenize.TokenError),
)
_FIELDS = ("means", "log_scales", "quats", "logit_opacities", "sh")


@dataclass(frozen=True, eq=False)
class IndexedGaussians:
    """N Gaussians, and which of the splat that they came from each of them is."""

    gaussians: Gaussians
    index: NDArray[np.int32]
    """(N,)."""

    @property
    def nbytes(self) -> int:
        """What they take of the memory."""
        return sum(array.nbytes for array in _arrays(self).values())


def digest(part: IndexedGaussians) -> str:
    """Return a text that stands for all the numbers; features do not count."""
    found = hashlib.blake2b(digest_size=16)
    for name, array in _arrays(part).items():
        found.update(f"{name} {array.shape}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def write_gaussians(path: Path, part: IndexedGaussians) -> None:
    """Write Gaussians without their features.

    Raises:
        CgcError: the file cannot be written.
    """
    write_npz(path, _arrays(part))


def read_gaussians(path: Path) -> IndexedGaussians:
    """Read what `write_gaussians` wrote.

    Raises:
        CgcError: the file is missing or damaged.
    """
    try:
        check_is_file(path)
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        gaussians = Gaussians(
            **{name: arrays[name] for name in _FIELDS}, segments=arrays.get("segments")
        )
        index = arrays["index"]
    except FileNotFoundError:
        raise CgcError(f"{path} is missing; hand the Gaussians over again.") from None
    except _UNREADABLE as error:
        raise CgcError(f"{path} is damaged; hand the Gaussians over again.") from error
    return IndexedGaussians(gaussians, index)


def _arrays(part: IndexedGaussians) -> dict[str, NDArray[np.generic]]:
    arrays: dict[str, NDArray[np.generic]] = {
        name: getattr(part.gaussians, name) for name in _FIELDS
    }
    arrays["index"] = part.index
    if part.gaussians.segments is not None:
        arrays["segments"] = part.gaussians.segments
    return arrays
