# SPDX-License-Identifier: GPL-3.0-or-later
"""The file clusters.npz: the cluster of each Gaussian, and the tree that joins clusters to objects.

NumPy alone: Blender reads it to cut the tree at another granularity.
"""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ...files import check_is_file, replacing
from .granularity import MergeTree

_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, ValueError, KeyError, EOFError, MemoryError),
    # Of zip files with damaged flags, and of array headers.
    *(RuntimeError, OverflowError, TypeError, SyntaxError, tokenize.TokenError),
)


def write_clusters(path: Path, labels: NDArray[np.int32], tree: MergeTree) -> None:
    """Write clusters.npz, whole or not at all.

    Args:
        path: of the file.
        labels: (N,) cluster of each Gaussian, 1..K, 0 = none, in the order of splat.ply.
        tree: of K clusters.

    Raises:
        CgcError: it cannot be written.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            labels=labels.astype(np.int32),
            merges=tree.merges.astype(np.int32),
            heights=tree.heights.astype(np.float32),
            count=np.int32(tree.count),
        )


def read_clusters(path: Path) -> tuple[NDArray[np.int32], MergeTree]:
    """Read clusters.npz.

    Returns:
        The cluster of each Gaussian (N,), and the merge tree.

    Raises:
        CgcError: it is missing, damaged, or not what `write_clusters` writes.
    """
    try:
        check_is_file(path)
        with path.open("rb") as opened:
            if not zipfile.is_zipfile(opened):
                raise ValueError("it is cut short or no .npz file")
            opened.seek(0)
            with np.load(opened, allow_pickle=False) as file:
                # What is no array in there comes as bytes.
                names = ("labels", "merges", "heights", "count")
                labels, merges, heights, number = (np.asarray(file[name]) for name in names)
                count = int(number.item())
    except FileNotFoundError:
        raise CgcError(
            f"{path} is missing; segments come with training on photos with masks."
        ) from None
    except OSError as error:
        raise CgcError(f"{path} could not be read: {error.strerror or error}.") from error
    except _UNREADABLE as error:
        raise _damaged(path, str(error) or type(error).__name__) from error
    problem = _problem(labels, merges, heights, count)
    if problem:
        raise _damaged(path, problem)
    return labels, MergeTree(count, merges, heights)


def _problem(labels: NDArray, merges: NDArray, heights: NDArray, count: int) -> str | None:
    if (labels.dtype, merges.dtype, heights.dtype) != (np.int32, np.int32, np.float32):
        return "its arrays are of other types"
    if labels.ndim != 1 or heights.ndim != 1 or merges.shape != (len(heights), 2):
        return "its arrays are of other shapes"
    if not _within(labels, 0, count):
        return f"labels are not from 0 to {count}"
    if not _within(merges, 1, count) or (merges[:, 0] == merges[:, 1]).any():
        return f"merges are not of two clusters from 1 to {count}"
    if not np.isfinite(heights).all() or (np.diff(heights) > 0).any():
        return "heights are not in falling order"
    return None


def _within(values: NDArray[np.int32], lowest: int, highest: int) -> bool:
    return not len(values) or bool(values.min() >= lowest and values.max() <= highest)


def _damaged(path: Path, reason: str) -> CgcError:
    return CgcError(f"{path} is damaged ({reason}); train --resume makes it anew.")
