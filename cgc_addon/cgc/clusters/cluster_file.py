# SPDX-License-Identifier: GPL-3.0-or-later
"""The file clusters.npz: the cluster of each Gaussian, and the tree that joins clusters to objects.

NumPy alone: Blender reads it to cut the tree at another granularity.
"""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ...files import check_is_file
from ...npz import write_npz
from .granularity import MergeTree

_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, ValueError, KeyError, EOFError, MemoryError),
    # Of zip files with damaged flags, and of array headers.
    *(RuntimeError, OverflowError, TypeError, SyntaxError, tokenize.TokenError),
)


@dataclass(frozen=True, eq=False)
class Clusters:
    """What clusters.npz holds."""

    labels: NDArray[np.int32]
    """(N,) cluster of each Gaussian, 1..K, 0 = none, in the order of splat.ply."""
    tree: MergeTree
    """Of K clusters; the last `fixed` of them are corrected objects."""
    found: NDArray[np.int32]
    """(N,) the same before anything was corrected, as training found it; K − `fixed` clusters."""

    @property
    def found_tree(self) -> MergeTree:
        """The tree of the clusters that training found."""
        return MergeTree(self.tree.count - self.tree.fixed, self.tree.merges, self.tree.heights)


def write_clusters(
    path: Path,
    labels: NDArray[np.int32],
    tree: MergeTree,
    found: NDArray[np.int32] | None = None,
) -> None:
    """Write clusters.npz, whole or not at all.

    Args:
        path: of the file.
        labels: (N,) cluster of each Gaussian, 1..K, 0 = none, in the order of splat.ply.
        tree: of K clusters.
        found: (N,) clusters before anything was corrected; None: nothing was.

    Raises:
        CgcError: it cannot be written.
    """
    arrays = {
        "labels": labels.astype(np.int32),
        "merges": tree.merges.astype(np.int32),
        "heights": tree.heights.astype(np.float32),
        "count": np.int32(tree.count),
    }
    if found is not None:
        arrays |= {"found": found.astype(np.int32), "fixed": np.int32(tree.fixed)}
    write_npz(path, arrays)


def read_clusters(path: Path) -> tuple[NDArray[np.int32], MergeTree]:
    """Read clusters.npz.

    Returns:
        The cluster of each Gaussian (N,), and the merge tree.

    Raises:
        CgcError: it is missing, damaged, or not what `write_clusters` writes.
    """
    clusters = read_all_clusters(path)
    return clusters.labels, clusters.tree


def read_all_clusters(path: Path) -> Clusters:
    """Read clusters.npz with what it was before corrections.

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
                found, fixed = labels, 0
                if "found" in file:
                    found, fixed = np.asarray(file["found"]), int(np.asarray(file["fixed"]).item())
    except FileNotFoundError:
        raise CgcError(
            f"{path} is missing; segments come with training on photos with masks."
        ) from None
    except OSError as error:
        raise CgcError(f"{path} could not be read: {error.strerror or error}.") from error
    except _UNREADABLE as error:
        raise _damaged(path, str(error) or type(error).__name__) from error
    problem = _problem(labels, merges, heights, count) or _problem_of_found(
        labels, found, merges, count, fixed
    )
    if problem:
        raise _damaged(path, problem)
    return Clusters(labels, MergeTree(count, merges, heights, fixed), found)


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


def _problem_of_found(
    labels: NDArray, found: NDArray, merges: NDArray[np.int32], count: int, fixed: int
) -> str | None:
    if found.dtype != np.int32 or found.shape != labels.shape or not 0 <= fixed <= count:
        return "what was found before corrections does not fit the rest"
    if not _within(found, 0, count - fixed) or not _within(merges, 1, count - fixed):
        return f"clusters before corrections are not from 0 to {count - fixed}"
    return None


def _within(values: NDArray[np.int32], lowest: int, highest: int) -> bool:
    return not len(values) or bool(values.min() >= lowest and values.max() <= highest)


def _damaged(path: Path, reason: str) -> CgcError:
    return CgcError(f"{path} is damaged ({reason}); train --resume makes it anew.")
