# SPDX-License-Identifier: GPL-3.0-or-later
"""Points on the surfaces that photos show, for a training to start from beside the sparse ones.

A few photos have a few thousand sparse points, on corners and spots. What lies between them would
have to be found by splitting Gaussians, and with few photos it is found anywhere along their rays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..dataset.load import Dataset, at_size
from ..progress import Reporter, ShouldStop, never, silent
from ..ranks import ALONE, Ranks
from ..reconstruction.dense.matching import LARGEST_PHOTO, Matching, match_photos
from .config import TrainingConfig

LEAST_SPARSE_POINTS = 50
"""That tell how near and far things are; with fewer nothing is looked for."""
LEAST_FOUND = 100
"""Fewer are as good as none: these photos show nothing that can be matched."""
WITHOUT_NUMBA = (
    "The Python package numba is missing, which compares photos with each other: training starts "
    "at the sparse points alone, and new views may be worse."
)


def with_surface_points(
    dataset: Dataset,
    config: TrainingConfig,
    ranks: Ranks = ALONE,
    *,
    say: Callable[[str], None] = lambda _sentence: None,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> Dataset:
    """Return a dataset whose scene has `surface` points and `gains`, where photos show any.

    Nothing is looked for where the configuration says so, where sparse points are as many as
    surface points would be, or where there are too few to look near. Held-out photos have no part.

    Args:
        dataset: of any size.
        config: of the run.
        ranks: processes that train together; the first one looks.
        say: takes a sentence where photos cannot be compared.
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

    def find() -> Matching | None:
        small = at_size(dataset, LARGEST_PHOTO)
        try:
            return match_photos(
                [small.store.view(index) for index in small.train],
                lambda place: small.store.photo(small.train[place]),
                sparse,
                seed=config.seed,
                report=report,
                should_stop=should_stop,
            )
        except ModuleNotFoundError as missing:
            if missing.name != "numba":
                raise
            return None

    found = ranks.first_does(find)
    if found is None:
        say(WITHOUT_NUMBA)
        return dataset
    if len(found.surface) < LEAST_FOUND:
        return dataset
    gains = None
    if (found.gains != 1.0).any():
        gains = np.ones(len(dataset.scene.views), np.float32)
        gains[list(dataset.train)] = found.gains
    return replace(dataset, scene=replace(dataset.scene, surface=found.surface, gains=gains))
