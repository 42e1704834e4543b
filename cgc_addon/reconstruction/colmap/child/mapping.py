# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras and points from the matches."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....progress import Progress, Reporter
from ...settings import FEWEST_PHOTOS
from ..sparse_models import SparseModel, ranking, write_models
from .kept_models import FIRST, GROWN, STATE_SECONDS, KeptModels

if TYPE_CHECKING:
    import pycolmap


STAGE = "Placing photos"
GROW_STAGE = "Placing the remaining photos"
_SMALLEST_MODEL = 10
"""Photos that a model needs where there are many; COLMAP's own value."""
_FEWER_INLIERS = 20
"""Points that a photo must see to be placed at the second try; at the first it is 30."""
_WORSE = 1.1
"""How much the mean reprojection error may grow when more photos are placed."""


def map_photos(
    *,
    database: str,
    photos: str,
    output: str,
    threads: int,
    seed: int,
    report: Reporter,
    state_seconds: float = STATE_SECONDS,
) -> dict[str, Any]:
    """Make models of the matched photos and write them to `output`, which then exists, in one step.

    While the first model grows it is kept beside `output`, and so are all when they are whole;
    a further call goes on from there. Of captures that fall apart, a further model begins anew.

    Args:
        database: file with the matches.
        photos: folder of the working copies, for the colours of the points.
        output: folder of the models; must not exist.
        threads: to use.
        seed: of everything random.
        report: takes progress.
        state_seconds: of work that a kill may cost.
    """
    import pycolmap

    kept = KeptModels(Path(output + ".part"), state_seconds)
    temporary = Path(output + ".tmp")
    if temporary.exists():
        shutil.rmtree(temporary)
    temporary.mkdir(parents=True)
    pycolmap.set_random_seed(seed)
    with pycolmap.Database.open(database) as opened:
        total = opened.num_images()
        options = _options(photos, total, threads, seed)
        found = kept.whole()
        if found is None:
            found = _run(opened, options, kept.growing(FIRST), STAGE, total, report, kept, FIRST)
            kept.keep_whole(found)
        models = [_describe(model) for model in found]
        order = ranking(models)
        found, models = [found[i] for i in order], [models[i] for i in order]
        if models and len(models[0].files) < total:
            options = _options(photos, total, threads, seed)
            options.multiple_models = False
            options.mapper.abs_pose_min_num_inliers = _FEWER_INLIERS
            start = kept.growing(GROWN) or [pycolmap.Reconstruction(found[0])]
            grown = _run(opened, options, start, GROW_STAGE, total, report, kept, GROWN)
            if grown and _is_better(after := _describe(grown[0]), models[0]):
                found[0], models[0] = grown[0], after
    for number, model in enumerate(found):
        folder = temporary / str(number)
        folder.mkdir()
        model.write(folder)
    write_models(temporary, models)
    temporary.rename(output)
    kept.remove()
    return {}


def _options(
    photos: str, total: int, threads: int, seed: int
) -> pycolmap.IncrementalPipelineOptions:
    import pycolmap

    options = pycolmap.IncrementalPipelineOptions(num_threads=threads, random_seed=seed)
    options.image_path = photos
    options.min_model_size = min(_SMALLEST_MODEL, max(FEWEST_PHOTOS, total // 5))
    options.mapper.random_seed = seed
    options.triangulation.random_seed = seed
    return options


def _run(
    database: pycolmap.Database,
    options: pycolmap.IncrementalPipelineOptions,
    start: list[pycolmap.Reconstruction],
    stage: str,
    total: int,
    report: Reporter,
    kept: KeptModels,
    name: str,
) -> list[pycolmap.Reconstruction]:
    """Return the models that mapping makes, or what becomes of the one in `start`.

    The first of them is kept under a name while it grows.
    """
    import pycolmap

    manager = pycolmap.ReconstructionManager()
    for model in start:
        folder = Path(options.image_path).parent / "models.start"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        model.write(folder)
        manager.read(folder)
        shutil.rmtree(folder)
    pipeline = pycolmap.IncrementalPipeline(options, database, manager)
    most = max((model.num_reg_images() for model in start), default=0)

    def placed() -> None:
        nonlocal most
        if manager.size():
            most = max(most, manager.get(manager.size() - 1).num_reg_images())
        if manager.size() == 1:
            kept.offer(name, manager.get(0))
        report(Progress(stage, most, total))

    report(Progress(stage, most, total))
    events = pycolmap.IncrementalPipelineCallback
    for event in (events.INITIAL_IMAGE_PAIR_REG_CALLBACK, events.NEXT_IMAGE_REG_CALLBACK):
        pipeline.add_callback(event.value, placed)
    pipeline.run()
    models = [manager.get(number) for number in range(manager.size())]
    return [model for model in models if model.num_reg_images() >= FEWEST_PHOTOS]


def _is_better(after: SparseModel, before: SparseModel) -> bool:
    more = len(after.files) > len(before.files)
    return more and after.reprojection_error <= _WORSE * before.reprojection_error


def _describe(model: pycolmap.Reconstruction) -> SparseModel:
    used = {model.image(number).camera_id for number in model.reg_image_ids()}
    return SparseModel(
        files=tuple(sorted(model.image(number).name for number in model.reg_image_ids())),
        points=model.num_points3D(),
        observations=model.compute_num_observations(),
        reprojection_error=model.compute_mean_reprojection_error(),
        track_length=model.compute_mean_track_length(),
        cameras=tuple(
            {
                "model": camera.model.name,
                "width": camera.width,
                "height": camera.height,
                "names": camera.params_info,
                "parameters": [float(value) for value in camera.params],
            }
            for number, camera in sorted(model.cameras.items())
            if number in used
        ),
    )
