# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that a mask model answered about a photo, in a compact file beside the label maps.

A label map gives each pixel to one mask. What it leaves out is evidence, too: a cup that was found
alone and once more with its saucer lies in two masks, and both are kept here.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from ..files import check_is_file
from ..npz import write_npz

FORMAT_VERSION = 1
LONGEST_SIDE = 4096
"""Cells; a mask model's answers are far smaller, and a damaged file must not take all memory."""

_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, ValueError, KeyError, EOFError, MemoryError),
    *(RuntimeError, OverflowError, TypeError, SyntaxError),
)


@dataclass(frozen=True, eq=False)
class MaskAnswers:
    """M masks of one photo, which may overlap and lie in each other."""

    width: int
    height: int
    """Of the masks, cells; they cover the whole photo."""
    packed: NDArray[np.uint8]
    """(M, ⌈width · height / 8⌉) a bit for each cell, row by row, the highest bit first."""
    scores: NDArray[np.float32]
    """(M,) the model's own estimate of each mask's IoU."""
    stabilities: NDArray[np.float32]
    """(M,) IoU of each mask with itself under two thresholds."""
    map_checksum: int = 0
    """Of the label map that was painted from them, see `checksum`: once that was corrected or
    replaced, they are what somebody has said is wrong."""

    def __len__(self) -> int:
        """Return M."""
        return len(self.packed)

    def masks(self) -> NDArray[np.bool_]:
        """Return the masks (M, height, width).

        Example:
            >>> corner = np.array([[[True, False, False], [False, False, False]]])
            >>> pack_masks(corner, np.ones(1), np.ones(1)).masks().tolist()
            [[[True, False, False], [False, False, False]]]
        """
        cells = self.width * self.height
        bits = np.unpackbits(self.packed, axis=1, count=cells)
        return bits.reshape(-1, self.height, self.width).astype(np.bool_)


def pack_masks(
    masks: NDArray[np.bool_], scores: NDArray[np.floating], stabilities: NDArray[np.floating]
) -> MaskAnswers:
    """Return masks (M, h, w) with their scores (M,) and stabilities (M,) as they are kept."""
    count, height, width = masks.shape
    return MaskAnswers(
        width,
        height,
        np.packbits(masks.reshape(count, height * width), axis=1),
        np.asarray(scores, np.float32),
        np.asarray(stabilities, np.float32),
    )


def checksum(label_map: NDArray[np.unsignedinteger]) -> int:
    """Return a number that changes with the ids (H, W) of a label map, whatever its file."""
    ids = np.ascontiguousarray(label_map, "<u2")
    return zlib.crc32(ids.tobytes(), zlib.crc32(np.array(ids.shape, "<u4").tobytes()))


def write_answers(path: Path, answers: MaskAnswers) -> None:
    """Write a file of answers (.npz), whole or not at all.

    Raises:
        CgcError: it cannot be written.
    """
    arrays = {
        "version": np.int32(FORMAT_VERSION),
        "size": np.array([answers.width, answers.height], np.int32),
        "masks": answers.packed,
        "scores": answers.scores.astype(np.float32),
        "stabilities": answers.stabilities.astype(np.float32),
        "map_checksum": np.int64(answers.map_checksum),
    }
    write_npz(path, arrays, compressed=True)


def read_answers(path: Path) -> MaskAnswers:
    """Read a file of answers.

    Raises:
        CgcError: it is missing, damaged, or of a later version.
    """
    try:
        check_is_file(path)
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            names = ("version", "size", "masks", "scores", "stabilities", "map_checksum")
            version, size, packed, scores, stabilities, number = (
                np.asarray(file[name]) for name in names
            )
            version, number = int(version.item()), int(number.item())
    except OSError as error:
        raise CgcError(f"{path} could not be read: {error.strerror or error}.") from error
    except _UNREADABLE as error:
        raise _damaged(path, str(error) or type(error).__name__) from error
    if version != FORMAT_VERSION:
        raise CgcError(
            f"{path} has version {version}, this program reads {FORMAT_VERSION}; make the masks "
            "anew with --overwrite."
        )
    problem = _problem(size, packed, scores, stabilities)
    if problem:
        raise _damaged(path, problem)
    return MaskAnswers(int(size[0]), int(size[1]), packed, scores, stabilities, number)


def _problem(size: NDArray, packed: NDArray, scores: NDArray, stabilities: NDArray) -> str | None:
    if size.shape != (2,) or size.dtype != np.int32 or not (1 <= size.min() <= size.max()):
        return "its size is not two whole numbers"
    if size.max() > LONGEST_SIDE:
        return f"its masks are {size[0]}×{size[1]} cells large"
    row = (int(size[0]) * int(size[1]) + 7) // 8
    if packed.dtype != np.uint8 or packed.ndim != 2 or packed.shape[1] != row:
        return "its masks are not of its size"
    for values in (scores, stabilities):
        if values.dtype != np.float32 or values.shape != (len(packed),):
            return "it has not a number for each mask"
        if not np.isfinite(values).all():
            return "a score is not a finite number"
    return None


def _damaged(path: Path, reason: str) -> CgcError:
    return CgcError(
        f"{path} is damaged ({reason}); make the masks anew with --overwrite, or delete the file."
    )
