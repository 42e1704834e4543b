# SPDX-License-Identifier: GPL-3.0-or-later
"""What a training run left behind, or a single splat, read for Blender with NumPy alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...cgc.clusters.cluster_file import read_clusters
from ...cgc.clusters.granularity import MergeTree, merge_threshold, ordered_by_size
from ...cgc.segments import Cut, Segments, named_segments, read_segments
from ...cgc.settings import DEFAULT_GRANULARITY, MINIMUM_SIZE
from ...errors import CgcError
from ...files import read_json
from ...files_together import finish_change
from ...splats.gaussians import Gaussians
from ...splats.read import read_splat
from ...training.run_folder import RunFolder
from ..common.webp import blender_codec

HIGHEST_SEGMENT = 65_535
"""Label maps are 16-bit."""


@dataclass(frozen=True, eq=False)
class RunFiles:
    """A splat, which object each of its Gaussians belongs to, and how objects can be cut anew."""

    path: Path
    """The run folder, or the splat's file."""
    dataset: Path | None
    """The folder that the run was trained on, if it says so; it need not exist any more."""
    gaussians: Gaussians
    """N Gaussians, `segments` included."""
    clusters: NDArray[np.int32]
    """(N,) leaf of the merge tree, 1..K, 0 = none."""
    tree: MergeTree
    """Without merges where the files hold none; then clusters are segments."""
    segments: Segments
    """Those that have Gaussians, and only those."""
    granularity: float
    """At which the tree was cut, as far as can be told."""
    minimum_size: int
    """Gaussians that a segment needs."""
    notes: tuple[str, ...]
    """Sentences for the user: what was left out, and why."""
    origin: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    """(3,) what means are relative to, in the frame of the files, scene units."""

    @property
    def name(self) -> str:
        """What a person would call it: the dataset, else the folder or the file."""
        return self.dataset.name if self.dataset and self.dataset.name else self.path.stem


def read_run(path: Path) -> RunFiles:
    """Read a run folder, whatever of it exists beyond the splat, or a single splat.

    Args:
        path: a run folder; the splat.ply in one, which means the folder; or any
            splat: .ply, .splat, .spz, .sog.

    Raises:
        CgcError: there is no splat, or a file is damaged.
    """
    if path.is_dir():
        return _read_folder(RunFolder(path))
    folder = RunFolder(path.parent)
    if path == folder.splat and folder.config.is_file():
        return _read_folder(folder)
    return _assembled(path, path, None, {}, None, None, None)


def _read_folder(folder: RunFolder) -> RunFiles:
    path, splat = folder.path, folder.splat
    finish_change(path)
    if not splat.is_file():
        if folder.config.is_file():
            raise CgcError(
                f"{path} holds no {splat.name} yet: the run did not get that far; continue "
                "training."
            )
        raise CgcError(
            f"{path} is not a run folder: it holds no {splat.name}; choose another folder."
        )
    config = read_json(folder.config) if folder.config.is_file() else {}
    config = config if isinstance(config, dict) else {}
    dataset = config.get("dataset")
    return _assembled(
        path,
        splat,
        Path(dataset) if isinstance(dataset, str) and dataset else None,
        config,
        read_segments(folder.segments) if folder.segments.is_file() else None,
        read_clusters(folder.clusters) if folder.clusters.is_file() else None,
        folder.read_origin() if "origin" in config else None,
    )


def _assembled(
    path: Path,
    splat: Path,
    dataset: Path | None,
    config: dict[str, Any],
    listed: Segments | None,
    clustering: tuple[NDArray[np.int32], MergeTree] | None,
    origin: NDArray[np.float64] | None,
) -> RunFiles:
    """Put the parts together; those that do not fit the splat are left out, and said so."""
    content = read_splat(splat, blender_codec())
    gaussians, notes = content.gaussians, list(content.notes)
    labels = gaussians.segments
    if labels is None:
        # Segments are written last of all: the others are left from an earlier run.
        labels, listed, clustering = np.zeros(len(gaussians), np.int32), None, None
    stored = None if listed is None else listed.cut
    cut = stored or _configured_cut(config)
    edited = listed is not None and listed.edited
    if clustering is not None and not _fit(clustering, labels, content.dropped, torn=edited):
        clustering = None
        notes.append(
            f"{RunFolder(path).clusters} does not belong to {splat.name}, so the granularity of "
            "these segments cannot be changed; continue training to write it anew."
        )
    if int(labels.max(initial=0)) > HIGHEST_SEGMENT:
        labels, listed = _renumbered(splat, labels), None
        notes.append(f"Segments of {splat} have numbers above {HIGHEST_SEGMENT}; numbered anew.")
    labels = np.array(labels, np.int32)  # not a view of a file that is to be written again
    if clustering is None:
        clusters = labels
        tree = _no_merges(int(labels.max(initial=0)))
        # Cutting a tree without merges must give the same segments, small ones too.
        cut = replace(cut, minimum_size=min(cut.minimum_size, _smallest(labels)))
    else:
        clusters, tree = clustering
        if edited:
            clusters = _without_unassigned(clusters, tree, cut, gaussians, labels)
        elif stored is None:  # as in 0.1.0, which left isolated Gaussians in their segments
            came_out = tree.labels(clusters, cut.granularity, cut.minimum_size)
            if not np.array_equal(came_out, labels):
                cut = replace(cut, granularity=_granularity_of(clustering, labels))
    return RunFiles(
        path=path,
        dataset=dataset,
        gaussians=replace(gaussians, segments=labels),
        clusters=clusters,
        tree=tree,
        segments=_described(labels, listed),
        granularity=cut.granularity,
        minimum_size=cut.minimum_size,
        notes=tuple(notes),
        origin=content.origin if origin is None else origin,
    )


def _configured_cut(config: dict[str, Any]) -> Cut:
    """Return the cut that the run was configured for, else the default."""
    settings = config.get("segments")
    settings = settings if isinstance(settings, dict) else {}
    granularity, minimum = settings.get("granularity"), settings.get("minimum_size")
    if not (isinstance(granularity, (int, float)) and 0 <= granularity <= 1):
        granularity = DEFAULT_GRANULARITY
    if not (isinstance(minimum, int) and minimum >= 1):
        minimum = MINIMUM_SIZE
    return Cut(float(granularity), int(minimum))


def _fit(
    clustering: tuple[NDArray[np.int32], MergeTree],
    labels: NDArray[np.int32],
    dropped: int,
    *,
    torn: bool,
) -> bool:
    """Return whether clusters are of this splat: as many, and each within one segment or none.

    Where segments were edited by hand, clusters may be torn.
    """
    clusters, tree = clustering
    if dropped or len(clusters) != len(labels):
        return False
    if torn:
        return True
    segment_of = _segment_of_clusters(clusters, tree, labels)
    return segment_of[0] == 0 and np.array_equal(
        segment_of[clusters[labels > 0]], labels[labels > 0]
    )


def _segment_of_clusters(
    clusters: NDArray[np.int32], tree: MergeTree, labels: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Return the segment (K + 1,) of each cluster; some of its Gaussians may be in none."""
    segment_of = np.zeros(tree.count + 1, np.int32)
    segment_of[clusters[labels > 0]] = labels[labels > 0]
    return segment_of


def _without_unassigned(
    clusters: NDArray[np.int32],
    tree: MergeTree,
    cut: Cut,
    gaussians: Gaussians,
    labels: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Return clusters without the Gaussians that somebody unassigned, which was meant for good."""
    came_out = tree.labels(clusters, cut.granularity, cut.minimum_size, gaussians=gaussians)
    return np.where((labels == 0) & (came_out > 0), 0, clusters).astype(np.int32)


def _granularity_of(
    clustering: tuple[NDArray[np.int32], MergeTree], labels: NDArray[np.int32]
) -> float:
    """Return a granularity at which these segments come out, where segments.json tells none.

    Those of 0.1.0 do not.

    Merges are made in order, so the first one whose two sides are different segments was not
    made, and the threshold lies between it and the one before.
    """
    clusters, tree = clustering
    segment_of = _segment_of_clusters(clusters, tree, labels)
    kept, joined = segment_of[tree.merges].reshape(-1, 2).T
    apart = (kept != joined) & (kept > 0) & (joined > 0)
    made = int(np.argmax(apart)) if apart.any() else len(apart)
    if made == 0:
        return 0.0
    lowest = merge_threshold(1.0)
    lower = float(tree.heights[made]) if made < len(apart) else lowest
    threshold = (float(tree.heights[made - 1]) + lower) / 2
    return math.log(min(max(threshold, lowest), 1.0)) / math.log(lowest)


def _smallest(labels: NDArray[np.int32]) -> int:
    """Return how many Gaussians the smallest segment has, at least 1."""
    counts = np.bincount(labels, minlength=1)[1:]
    return int(counts[counts > 0].min(initial=np.iinfo(np.int32).max))


def _no_merges(count: int) -> MergeTree:
    return MergeTree(count, np.zeros((0, 2), np.int32), np.zeros(0, np.float32))


def _renumbered(splat: Path, labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the same segments numbered 1..K from the largest on."""
    numbers = np.unique(labels[labels > 0])
    if len(numbers) > HIGHEST_SEGMENT:
        raise CgcError(
            f"{splat} has {len(numbers)} segments; {HIGHEST_SEGMENT} are possible, as label maps "
            "are 16-bit. Join some of them first."
        )
    ranks = np.where(labels > 0, np.searchsorted(numbers, labels) + 1, 0)
    return ordered_by_size(ranks.astype(np.int32))


def _described(labels: NDArray[np.int32], listed: Segments | None) -> Segments:
    """Return name and colour of each segment that has Gaussians, made up where no file says."""
    named = named_segments(labels, listed).segments
    return Segments(tuple(segment for segment in named if segment.count))
