# SPDX-License-Identifier: GPL-3.0-or-later
"""Points on the surfaces that photos show, for a training to start from beside the sparse ones.

A few photos have a few thousand sparse points, on corners and spots. What lies between them would
have to be found by splitting Gaussians, and with few photos it is found anywhere along their rays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..dataset.load import Dataset, at_size
from ..errors import Interrupted
from ..progress import Reporter, ShouldStop, never, silent
from ..ranks import ALONE, Ranks
from ..reconstruction.dense.matching import Matching, match_photos, photo_size
from .config import TrainingConfig
from .matching_state import NO_SURFACE, MatchingState, fingerprint

LEAST_SPARSE_POINTS = 50
"""That tell how near and far things are; with fewer nothing is looked for."""
LEAST_FOUND = 100
"""Fewer are as good as none: these photos show nothing that can be matched."""
WITHOUT_NUMBA = (
    "The Python package numba is missing, which compares photos with each other: training starts "
    "at the sparse points alone, and new views may be worse."
)


def wants_surface_points(dataset: Dataset, config: TrainingConfig) -> bool:
    """Say whether surface points are looked for.

    Not where the configuration says so, where sparse points are as many as surface points would
    be, or where there are too few to look near.
    """
    geometry, sparse = config.geometry, dataset.scene.points
    wanted = geometry.surface_share * geometry.densify.cap
    return (
        config.init is None
        and len(dataset.train) >= 2
        and LEAST_SPARSE_POINTS <= len(sparse) < wanted
    )


def with_surface_points(
    dataset: Dataset,
    config: TrainingConfig,
    state: Path | None = None,
    state_seconds: float = 0.0,
    ranks: Ranks = ALONE,
    *,
    resume: bool = False,
    gains_alone: bool = False,
    say: Callable[[str], None] = lambda _sentence: None,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> Dataset:
    """Return a dataset whose scene has `surface` points and `gains`, where photos show any.

    Held-out photos have no part.

    Args:
        dataset: of any size.
        config: of the run.
        state: file that keeps what was found, see `matching_state`; None keeps nothing.
        state_seconds: of work that a kill may cost.
        ranks: processes that train together; the first one looks.
        resume: whether the run is gone on with.
        gains_alone: whether gains are enough, since the geometry is there.
        say: takes a sentence where photos cannot be compared.
        report: progress.
        should_stop: asked before each photo.

    Raises:
        CgcError: what was found cannot be kept.
        Interrupted: `should_stop` said so; what was found is kept.
    """
    if not wants_surface_points(dataset, config):
        return dataset
    small = at_size(dataset, photo_size(len(dataset.train)))

    def find() -> Matching | None:
        views = [small.store.view(index) for index in small.train]
        size = max(max(view.camera.width, view.camera.height) for view in views)
        inputs = fingerprint(dataset, config.seed)
        kept = MatchingState(state, inputs, size, state_seconds)
        if (known := kept.result(of_this_run=resume, gains_alone=gains_alone)) is not None:
            return known
        try:
            found = match_photos(
                views,
                lambda place: small.store.photo(small.train[place]),
                dataset.scene.points,
                seed=config.seed,
                found=kept.surfaces(),
                on_found=kept.note,
                report=report,
                should_stop=should_stop,
            )
        except ModuleNotFoundError as missing:
            if missing.name != "numba":
                raise
            return None
        except Interrupted:
            kept.keep_surfaces()
            raise
        if len(found.surface) < LEAST_FOUND:
            found = Matching(NO_SURFACE, np.ones(len(views)))
        kept.finish(found)
        return found

    found = ranks.first_does(find)
    if found is None:
        say(WITHOUT_NUMBA)
        return dataset
    changed = (found.gains != 1.0).any()
    if not len(found.surface) and not changed:
        return dataset
    gains = None
    if changed:
        gains = np.ones(len(dataset.scene.views), np.float32)
        gains[list(dataset.train)] = found.gains
    surface = found.surface if len(found.surface) else None
    return replace(dataset, scene=replace(dataset.scene, surface=surface, gains=gains))
