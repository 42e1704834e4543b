# SPDX-License-Identifier: GPL-3.0-or-later
"""Points on the surfaces that photos show, for a training to start from beside the sparse ones.

A few photos have a few thousand sparse points, on corners and spots. What lies between them would
have to be found by splitting Gaussians, and with few photos it is found anywhere along their rays.
"""

from __future__ import annotations

from dataclasses import replace

from ..dataset.load import Dataset, at_size
from ..dataset.scene import SurfacePoints
from ..progress import Reporter, ShouldStop, never, silent
from ..ranks import ALONE, Ranks
from ..reconstruction.dense.points import LARGEST_PHOTO, dense_points
from .config import TrainingConfig

LEAST_SPARSE_POINTS = 50
"""That tell how near and far things are; with fewer nothing is looked for."""
LEAST_FOUND = 100
"""Fewer are as good as none: these photos show nothing that can be matched."""


def with_surface_points(
    dataset: Dataset,
    config: TrainingConfig,
    ranks: Ranks = ALONE,
    *,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> Dataset:
    """Return a dataset whose scene has `surface` points, where photos show any.

    Nothing is looked for where the configuration says so, where sparse points are as many as
    surface points would be, or where there are too few to look near. Held-out photos have no part.

    Args:
        dataset: of any size.
        config: of the run.
        ranks: processes that train together; the first one looks.
        report: progress.
        should_stop: asked before each photo.

    Raises:
        Interrupted: `should_stop` said so.
    """
    geometry, sparse = config.geometry, dataset.scene.points
    wanted = geometry.surface_share * geometry.densify.cap
    if config.init is not None or len(dataset.train) < 2:
        return dataset
    if len(sparse) < LEAST_SPARSE_POINTS or len(sparse) >= wanted:
        return dataset

    def find() -> SurfacePoints:
        small = at_size(dataset, LARGEST_PHOTO)
        return dense_points(
            [small.store.view(index) for index in small.train],
            lambda place: small.store.photo(small.train[place]),
            sparse,
            seed=config.seed,
            report=report,
            should_stop=should_stop,
        )

    found = ranks.first_does(find)
    if len(found) < LEAST_FOUND:
        return dataset
    return replace(dataset, scene=replace(dataset.scene, surface=found))
