# SPDX-License-Identifier: GPL-3.0-or-later
"""The clusters of a run that was separated into objects, cut at another granularity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..cgc.clusters.cluster_file import Clusters, read_all_clusters
from ..cgc.corrections.records import Correction
from ..cgc.segments import Cut, Segments
from ..errors import CgcError, Interrupted
from ..files_together import changing_together, finish_change
from ..progress import ShouldStop, never
from ..splats.gaussians import Gaussians
from ..splats.ply import read_ply
from .corrected_segments import corrections_of, write_corrected
from .run_folder import RunFolder


@dataclass(frozen=True, eq=False)
class ClusteredRun:
    """A run that was separated into objects, and how it may be cut again."""

    gaussians: Gaussians
    """N, with features and segments."""
    clusters: Clusters
    configured: Cut
    corrections: tuple[Correction, ...]


def read_clustered(folder: RunFolder) -> ClusteredRun:
    """Read what can be cut again.

    The run folder is held by the caller.

    Raises:
        CgcError: this is no run, or it has no clusters.
    """
    _, config = folder.read_config()
    finish_change(folder.path)
    if not folder.splat.is_file() or not folder.clusters.is_file():
        raise CgcError(
            f"{folder.path} has no clusters to cut: train it with masks, or go on with --resume."
        )
    gaussians = read_ply(folder.splat).gaussians
    if gaussians.features is None:
        raise CgcError(
            f"{folder.splat} has no features, so {folder.clusters} is not of it; "
            "train --resume makes both anew."
        )
    clusters = read_all_clusters(folder.clusters)
    if len(clusters.labels) != len(gaussians):
        raise CgcError(
            f"{folder.clusters} has {len(clusters.labels)} Gaussians, but {folder.splat} has "
            f"{len(gaussians)}; train --resume makes both anew."
        )
    settings = config.segments
    configured = Cut(settings.granularity, settings.minimum_size)
    return ClusteredRun(gaussians, clusters, configured, corrections_of(folder))


def segment_again(
    folder: RunFolder,
    *,
    granularity: float | None = None,
    minimum_size: int | None = None,
    corrections: Sequence[Correction] | None = None,
    say: Callable[[str], None] = lambda _sentence: None,
    should_stop: ShouldStop = never,
) -> Segments:
    """Cut the clusters of a run at another granularity, without training.

    The run folder is held by the caller. Splat, segments and corrections change as one.

    Args:
        folder: of a run that was trained with masks.
        granularity: 0 = parts … 1 = whole objects; None = as the run was configured.
        minimum_size: Gaussians that a segment needs; None = as configured.
        corrections: to keep from now on; None = those that the run has.
        say: takes sentences that the user should read.
        should_stop: asked before anything is written.

    Raises:
        CgcError: this is no run, or it has no clusters.
        Interrupted: `should_stop` said so.
    """
    run = read_clustered(folder)
    cut = Cut(
        run.configured.granularity if granularity is None else granularity,
        run.configured.minimum_size if minimum_size is None else minimum_size,
    )
    if should_stop():
        raise Interrupted("segment")
    with changing_together(folder.path) as changed:
        return write_corrected(
            RunFolder(changed),
            run.gaussians,
            run.clusters.found,
            run.clusters.found_tree,
            cut,
            run.corrections if corrections is None else corrections,
            folder.corrections.is_file(),
            say,
        )
