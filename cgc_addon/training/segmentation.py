# SPDX-License-Identifier: GPL-3.0-or-later
"""From a finished splat to segments: look at the masks, learn features, cluster, merge, write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..cgc.answer_maps import with_object_maps
from ..cgc.clusters.cluster_file import Clusters, read_all_clusters
from ..cgc.corrections.records import Correction
from ..cgc.features.contrastive import minimum_segment_pixels
from ..cgc.features.spectral import spectral_signatures
from ..cgc.features.training import FeatureTrainer, random_start
from ..cgc.objects_by_answers import are_answered
from ..cgc.observations import AnsweredView, Observation, Seen, at_every_level, observe
from ..cgc.segmentation import Segmentation, after_refinement, find_segments
from ..cgc.segments import Cut, Segments, write_segments
from ..cgc.settings import FrozenFeatureSettings
from ..dataset.load import Dataset
from ..errors import CgcError, Interrupted
from ..files_together import changing_together, finish_change
from ..progress import Reporter, ShouldStop, never
from ..ranks import ALONE, Ranks, agreed
from ..rasterize.interface import Backend
from ..splats.gaussians import Gaussians
from ..splats.ply import read_ply, write_ply
from .config import TrainingConfig
from .corrected_segments import corrections_of, write_corrected
from .edge_refinement import EdgeRefiner
from .parameters import splat_of
from .preview import Preview, points_of_gaussians
from .run_folder import RunFolder
from .stage_state import WORTH_KEEPING, StageState, fingerprint
from .stages_by_view import Finding, Looking


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

    observations = _observations(
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
            answered=lambda index: _answered(dataset, index, config) if by_answers else None,
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
        observations = _observations(
            gaussians, dataset, backend, config, kept_by(folder.looking_again_state), ranks, report,
            lambda _sentence: None, ask,
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


def _observations(
    gaussians: Gaussians,
    dataset: Dataset,
    backend: Backend,
    config: TrainingConfig,
    kept: StageState | None,
    ranks: Ranks,
    report: Reporter,
    say: Callable[[str], None],
    should_stop: ShouldStop,
) -> list[Observation]:
    """Return what the masks of the training views show; empty, and said why, where nothing."""
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
    answered = [_answered(dataset, index, config) for index in dataset.train]
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


def _answered(dataset: Dataset, index: int, config: TrainingConfig) -> AnsweredView | None:
    wanted = config.segments.evidence == "answers" and config.segments.vote
    answers = dataset.store.answers(index) if wanted else None
    if answers is None:
        return None
    return AnsweredView(answers, partial(dataset.store.answer_cells, index, answers))


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
