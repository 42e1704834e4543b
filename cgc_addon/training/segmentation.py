# SPDX-License-Identifier: GPL-3.0-or-later
"""From a finished splat to segments: look at the masks, learn features, cluster, merge, write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..cgc.answer_maps import with_object_maps
from ..cgc.features.contrastive import minimum_segment_pixels
from ..cgc.features.spectral import spectral_signatures
from ..cgc.features.training import FeatureTrainer, random_start
from ..cgc.objects_by_answers import are_answered
from ..cgc.observations import Observation, at_every_level
from ..cgc.segmentation import Segmentation, after_refinement, find_segments
from ..cgc.segments import Cut, Segments, write_segments
from ..cgc.settings import FrozenFeatureSettings
from ..dataset.load import Dataset
from ..files_together import changing_together
from ..progress import Reporter, ShouldStop
from ..ranks import ALONE, Ranks, agreed
from ..rasterize.interface import Backend
from ..splats.gaussians import Gaussians
from ..splats.ply import write_ply
from .config import TrainingConfig
from .corrected_segments import corrections_of, write_corrected
from .edge_refinement import EdgeRefiner
from .mask_observations import answered_view, mask_observations
from .preview import Preview, points_of_gaussians
from .run_folder import RunFolder
from .stage_state import WORTH_KEEPING, StageState, fingerprint
from .stages_by_view import Finding


@dataclass(frozen=True, eq=False)
class SegmentedSplat:
    """What was written into the run folder."""

    gaussians: Gaussians
    segments: Segments | None
    """None where there was nothing to find segments by."""


def segment_run(
    folder: RunFolder,
    gaussians: Gaussians,
    dataset: Dataset,
    backend: Backend,
    config: TrainingConfig,
    *,
    checkpoint_seconds: float,
    preview: Preview | None = None,
    ranks: Ranks = ALONE,
    batch: int = 1,
    report: Reporter,
    say: Callable[[str], None],
    should_stop: ShouldStop,
) -> SegmentedSplat:
    """Learn features where that is still to do, cluster them, sharpen edges, and write the results.

    Without usable masks the splat is written without features and segments.

    The run folder is held by the caller. Results change as one. Each stage goes on from where an
    earlier call was killed or stopped, if it took long; it was kept every `checkpoint_seconds`.

    Of several processes each looks at views of its own and learns from them. The first one alone
    finds segments, which is short, and writes; only it returns what it wrote.

    Raises:
        Interrupted: `should_stop` said so; no results were written.
        CgcError: the run folder cannot be written.
    """
    first, ask = ranks.rank == 0, agreed(should_stop, ranks)

    def kept_by(path: Path) -> StageState | None:
        """Return what keeps a stage to which each process brings its own: of one alone."""
        return StageState(path, "", checkpoint_seconds) if ranks.size == 1 else None

    observations = mask_observations(
        gaussians, dataset, backend, config, kept_by(folder.looking_state), ranks, report, say, ask
    )
    if not observations:
        if not first:
            return SegmentedSplat(gaussians, None)
        folder.check()
        folder.clusters.unlink(missing_ok=True)  # of masks that are gone
        with changing_together(folder.path) as changed:
            results = RunFolder(changed)
            write_ply(results.splat, replace(gaussians, features=None, segments=None))
            write_segments(results.segments, Segments(()))
        for path in folder.stage_states:
            path.unlink(missing_ok=True)
        return SegmentedSplat(gaussians, None)
    features, settings = config.features, config.segments
    assert features.mode != "off"  # else nothing was observed
    if gaussians.features is not None and (features.mode == "joint" or config.init_features):
        learned = gaussians.features
    else:
        assert features.mode == "frozen"
        kept = StageState(
            folder.feature_state, fingerprint(gaussians, observations), checkpoint_seconds, ranks
        )
        learned = _learn(
            gaussians, observations, dataset, features, config.seed, kept, ranks, batch, report, ask
        )
    finding = Finding(
        lambda: find_segments(
            observations,
            gaussians.means,
            learned,
            settings.clustering,
            lift=features.lift,
            vote=settings.vote,
            seed=config.seed,
            report=report,
            should_stop=should_stop,
        )
    )

    def find() -> Segmentation:
        inputs = fingerprint(
            gaussians, observations, learned, settings=f"{features} {settings} {config.seed}"
        )
        kept = StageState(folder.finding_state, inputs, checkpoint_seconds)
        kept.run(finding, finding.step, keep_end=WORTH_KEEPING)
        assert finding.found is not None
        return finding.found

    found = ranks.first_does(find)
    labels = ranks.first_does(lambda: found.labels(gaussians=gaussians))
    if preview is not None:
        preview.show(points_of_gaussians(gaussians, labels))
    if config.edges.steps and config.init is None:
        inputs = fingerprint(gaussians, observations, labels)
        by_answers = are_answered(observations)
        if by_answers:
            observations = with_object_maps(observations, labels)
        shown_kept, targets_kept = kept_by(folder.shown_state), kept_by(folder.edge_target_state)
        refiner = EdgeRefiner(
            gaussians,
            labels,
            observations,
            dataset,
            backend,
            config.edges,
            config.geometry,
            config.seed,
            shown_kept and replace(shown_kept, inputs=inputs),
            targets_kept and replace(targets_kept, inputs=inputs),
            answered=lambda index: answered_view(dataset, index, config) if by_answers else None,
            ranks=ranks,
            batch=batch,
            report=report,
            should_stop=ask,
        )
        kept = StageState(folder.edge_state, inputs, checkpoint_seconds, ranks)
        observations = []  # those of the splat as it will be need the room
        kept.run(refiner, lambda pause: refiner.run(on_pause=pause, report=report, should_stop=ask))
        refined = refiner.refined()
        gaussians = refined.gaussians
        observations = mask_observations(
            gaussians, dataset, backend, config, kept_by(folder.looking_again_state), ranks, report,
            lambda _sentence: None, ask, surfaces=False,
        )  # fmt: skip
        if not first:
            return SegmentedSplat(gaussians, None)
        found = after_refinement(
            found, observations, learned, refined.origin, report=report, should_stop=should_stop
        )
    if not first:
        return SegmentedSplat(gaussians, None)
    folder.check()
    corrections = corrections_of(folder)
    with changing_together(folder.path) as changed:
        segments = write_corrected(
            RunFolder(changed),
            replace(gaussians, features=found.lifted.features),
            found.clustering.labels,
            found.tree,
            Cut(settings.granularity, settings.minimum_size),
            corrections,
            folder.corrections.is_file(),
            say,
        )
    for path in folder.stage_states:
        path.unlink(missing_ok=True)
    return SegmentedSplat(gaussians, segments)


def _learn(
    gaussians: Gaussians,
    observations: list[Observation],
    dataset: Dataset,
    settings: FrozenFeatureSettings,
    seed: int,
    kept: StageState,
    ranks: Ranks,
    batch: int,
    report: Reporter,
    should_stop: ShouldStop,
) -> NDArray[np.float32]:
    camera = dataset.store.view(dataset.train[0], 0).camera
    start = (
        spectral_signatures(observations, seed=seed) * settings.initial_scale
        if settings.spectral_start
        else random_start(len(gaussians), settings.initial_scale, seed)
    )
    trainer = FeatureTrainer(
        at_every_level(observations),
        start,
        settings,
        minimum_pixels=float(minimum_segment_pixels(camera.width, camera.height)),
        seed=seed,
        means=gaussians.means,
        ranks=ranks,
        batch=batch,
    )
    kept.run(
        trainer, lambda pause: trainer.run(on_pause=pause, report=report, should_stop=should_stop)
    )
    return trainer.features()
