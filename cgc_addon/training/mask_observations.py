# SPDX-License-Identifier: GPL-3.0-or-later
"""What the masks of the training views show about a finished splat, kept as far as it got."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from ..cgc.observations import AnsweredView, Observation, Seen, observe
from ..dataset.load import Dataset
from ..progress import Reporter, ShouldStop
from ..ranks import Ranks
from ..rasterize.interface import Backend
from ..splats.gaussians import Gaussians
from .config import TrainingConfig
from .parameters import splat_of
from .stage_state import WORTH_KEEPING, StageState, fingerprint
from .stages_by_view import Looking


def mask_observations(
    gaussians: Gaussians,
    dataset: Dataset,
    backend: Backend,
    config: TrainingConfig,
    kept: StageState | None,
    ranks: Ranks,
    report: Reporter,
    say: Callable[[str], None],
    should_stop: ShouldStop,
    *,
    surfaces: bool = True,
) -> list[Observation]:
    """Return what the masks of the training views show; empty, and said why, where nothing.

    Surfaces tell objects apart; once they are known, nothing asks for them again.
    """
    if config.features.mode == "off":
        say("Features are off: the splat is not separated into objects.")
        return []
    views = [dataset.store.view(index, 0) for index in dataset.train]
    label_maps = [dataset.store.masks(index, 0) for index in dataset.train]
    part_maps = [dataset.store.parts(index, 0) for index in dataset.train]
    labelled = sum(labels is not None for labels in label_maps)
    if labelled == 0:
        say(
            "There are no masks for these photos, so features are skipped and the splat is not "
            "separated into objects; put label maps into masks/ and train again with --init."
        )
        return []
    if labelled < len(views):
        say(f"{len(views) - labelled} of {len(views)} photos have no masks.")
    if dataset.store.rest_is_a_mask:
        say("Masks show one object in each photo, which is told apart from the rest.")
    answered = [answered_view(dataset, index, config) for index in dataset.train]
    looking = Looking(backend, splat_of(gaussians, backend.device))
    observations: list[Observation] = []

    def look(pause: Callable[[], None]) -> None:
        def note(seen: Seen) -> None:
            looking.seen.append(seen)
            pause()

        observations.extend(
            observe(
                backend,
                looking.splat,
                views,
                label_maps,
                part_maps,
                answered,
                surfaces=surfaces,
                seed=config.seed,
                ranks=ranks,
                earlier=looking.earlier(views[0]),
                on_seen=note,
                report=report,
                should_stop=should_stop,
            )
        )

    if kept is None:
        look(lambda: None)
    else:
        labelled_views = [
            (view.name, view.camera, view.world_to_camera.tolist(), answer is not None)
            for view, labels, answer in zip(views, label_maps, answered, strict=True)
            if labels is not None and labels.any()
        ]
        inputs = fingerprint(gaussians, [], settings=f"{labelled_views} {config.seed}")
        kept = replace(kept, inputs=inputs)
        kept.run(looking, look, keep_end=WORTH_KEEPING)
    if all(len(np.unique(one.labels[one.labels > 0])) < 2 for one in observations):
        say("No photo has two masks to tell apart, so features are skipped.")
        return []
    return observations


def answered_view(dataset: Dataset, index: int, config: TrainingConfig) -> AnsweredView | None:
    """Return what the mask model answered about a photo; None where that does not count."""
    wanted = config.segments.asks_answers
    answers = dataset.store.answers(index) if wanted else None
    if answers is None:
        return None
    return AnsweredView(answers, partial(dataset.store.answer_cells, index, answers))
