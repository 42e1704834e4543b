# SPDX-License-Identifier: GPL-3.0-or-later
"""True objects of a dataset, and how well labels and the merge tree of a splat find them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..cgc.clusters.cluster_file import read_clusters
from ..cgc.exact_labels import exact_labels
from ..cgc.metrics import IGNORED, SegmentationScore, score_segmentation
from ..cgc.observations import observe
from ..cgc.segments import read_segments
from ..cgc.settings import DEFAULT_GRANULARITY
from ..cgc.tree_scores import TreeScore, score_tree
from ..dataset.load import Dataset
from ..errors import CgcError
from ..progress import Reporter, ShouldStop, track
from ..rasterize.interface import Backend
from ..splats.gaussians import Gaussians
from ..training.parameters import splat_of
from ..training.run_folder import RunFolder
from .renders import draw


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """What `gt/` says of some views, and what is drawn to be held against it."""

    dataset: Dataset
    maps: Mapping[int, NDArray[np.int32]]
    """True objects (H, W) of some views, 0 = none, `IGNORED` = not judged."""
    clicked: Sequence[int]
    """Training views of `maps`: a segment is found by a click in one of these."""
    scored: Sequence[int]
    """Views of `maps` that are judged."""
    backend: Backend
    report: Reporter
    should_stop: ShouldStop

    def score(self, gaussians: Gaussians, labels: NDArray[np.int32]) -> SegmentationScore:
        """Score labels (N,) of the N Gaussians, 0 = none, by the click protocol.

        Raises:
            Interrupted: `should_stop` said so.
        """
        return score_segmentation(*self._drawn(gaussians, labels, "Comparing segments"))

    def ceiling(self, gaussians: Gaussians) -> SegmentationScore:
        """Score the true objects, voted onto the Gaussians by the clicked views.

        Raises:
            Interrupted: `should_stop` said so.
        """
        observations = observe(
            self.backend,
            splat_of(gaussians, self.backend.device),
            [self.dataset.store.view(index, 0) for index in self.clicked],
            [np.where(self.maps[index] == IGNORED, 0, self.maps[index]) for index in self.clicked],
            report=self.report,
            should_stop=self.should_stop,
        )
        nothing = np.zeros(len(gaussians), np.int32)
        return self.score(gaussians, exact_labels(observations) if observations else nothing)

    def score_tree(self, folder: RunFolder, gaussians: Gaussians) -> TreeScore | None:
        """Score the merge tree of a run; None where it has none, or one of another splat.

        Raises:
            CgcError: a file of the run cannot be read.
            Interrupted: `should_stop` said so.
        """
        if not folder.clusters.is_file():
            return None
        clusters, tree = read_clusters(folder.clusters)
        if len(clusters) != len(gaussians):
            return None
        cut = read_segments(folder.segments).cut if folder.segments.is_file() else None
        granularity = DEFAULT_GRANULARITY if cut is None else cut.granularity
        return score_tree(
            tree, granularity, *self._drawn(gaussians, clusters, "Comparing clusters")
        )

    def _drawn(
        self, gaussians: Gaussians, labels: NDArray[np.int32], stage: str
    ) -> tuple[list[NDArray[np.int32]], ...]:
        """Draw labels; return clicked views drawn and true, then scored views drawn and true."""
        labelled = replace(gaussians, segments=labels)
        indices = list(dict.fromkeys([*self.clicked, *self.scored]))
        views = [self.dataset.store.view(index, 0) for index in indices]
        frames = draw(labelled, views, ("labels",), self.backend)
        drawn: dict[int, NDArray[np.int32]] = {}
        for index in track(indices, stage, self.report, self.should_stop):
            rendered = next(frames).labels
            assert rendered is not None
            drawn[index] = rendered
        return (
            [drawn[index] for index in self.clicked],
            [self.maps[index] for index in self.clicked],
            [drawn[index] for index in self.scored],
            [self.maps[index] for index in self.scored],
        )


def read_ground_truth(
    folder: Path,
    dataset: Dataset,
    judged: Sequence[int],
    backend: Backend,
    report: Reporter,
    should_stop: ShouldStop,
) -> GroundTruth | None:
    """Read the true objects of a dataset; None where none of the judged views shows any.

    Args:
        folder: of the dataset, with or without `gt/`.
        dataset: read from there.
        judged: views to judge, where there is ground truth of them.
        backend: rasterizer.
        report: progress.
        should_stop: asked between views.

    Raises:
        CgcError: no training view has ground truth.
    """
    maps = {
        index: ids
        for index in sorted({*dataset.train, *judged})
        if (ids := dataset.store.truth(index)) is not None
    }
    scored = [index for index in judged if index in maps]
    if not any(np.any((maps[index] > 0) & (maps[index] != IGNORED)) for index in scored):
        return None
    clicked = [index for index in dataset.train if index in maps]
    if not clicked:
        raise CgcError(
            f"{folder}/gt has no ground truth for any training view; segments are "
            "found by a click in one of these."
        )
    return GroundTruth(dataset, maps, clicked, scored, backend, report, should_stop)
