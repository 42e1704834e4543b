# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos or a video become a dataset: photos without distortion, their cameras, and points."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from ..dataset.colmap.model import read_model
from ..dataset.colmap.places import find_model
from ..dataset.folder import DatasetFolder
from ..dataset.other_programs import ARCHIVES
from ..errors import CgcError
from ..files import write_json
from ..progress import Reporter, ShouldStop, never, silent
from ..version import __version__
from .colmap import database
from .colmap.pairs import exhaustive_pairs
from .colmap.sparse_models import SparseModel, read_models
from .job import FEATURES, MAPPING, MATCHING, PAIRS, PHOTOS, UNDISTORTING, Job
from .photo_list import CameraGroup, PhotoList, describe_cameras, group_cameras
from .photos import prepare_photos
from .report import MORE_OVERLAP, SolveReport, make_report, name_some, why_not_solved
from .settings import FEWEST_PHOTOS, SolveSettings
from .sources import Source, Sources, find_sources, fingerprint, natural_key, photo_endings
from .transparency import cut_out, write_opacities
from .video import choose_frames
from .workspace import Workspace, locked, unwritable


def solve(
    photos: Path,
    dataset: Path,
    settings: SolveSettings,
    *,
    report: Reporter = silent,
    say: Callable[[str], None] = lambda _sentence: None,
    should_stop: ShouldStop = never,
) -> SolveReport:
    """Find the cameras of photos and write a dataset that can be trained.

    What an earlier call finished is kept, down to single photos and blocks of pairs; where all is
    finished, nothing is done. The same photos and settings give the same photos, features and
    pairs; bundle adjustment with several threads adds in any order, so that the last digits of
    cameras and points may differ.

    Args:
        photos: folder of photos, or a video file.
        dataset: folder to make, see `workspace`.
        settings: how.
        report: progress.
        say: takes sentences for the user.
        should_stop: asked several times a second.

    Raises:
        CgcError: the photos cannot be solved, or the dataset cannot be written.
        Interrupted: `should_stop` said so; calling again goes on.
    """
    photos, space = Path(photos).absolute(), Workspace(Path(dataset).absolute())
    sources = _find(photos, space)
    record = {
        "source": str(photos),
        "fingerprint": fingerprint(sources.photos),
        "settings": settings.to_record(),
    }
    space.check(record, overwrite=settings.overwrite)
    made = not space.dataset.exists()
    try:
        with locked(space.work):
            if space.claim(record, overwrite=settings.overwrite) and _has_masks(space.dataset):
                say(f"{space.dataset}: the masks belong to the earlier photos; make them anew.")
            return _solve(Job(photos, sources, space, settings, report, say, should_stop))
    except CgcError:
        if made and not space.database.exists():  # nothing was begun that is worth keeping
            shutil.rmtree(space.dataset, ignore_errors=True)
        raise


def _find(photos: Path, space: Workspace) -> Sources:
    """Return the files that are solved: those of the folder, or the video alone."""
    if photos.is_file():
        if photos.suffix.lower() in ARCHIVES:
            raise CgcError(
                f"{photos} is an archive; unpack it and name the folder of photos in it."
            )
        if photos.suffix.lower() in photo_endings():
            raise CgcError(f"{photos} is one photo; name the folder with all photos, or a video.")
        return Sources((Source(photos, photos.name),), ())
    if not photos.is_dir():
        raise CgcError(f"{photos} does not exist; name a folder of photos or a video file.")
    here, there = photos.resolve(), space.dataset.resolve()
    if here == there or any(
        here.is_relative_to(folder.resolve()) for folder in (space.images, space.work)
    ):
        raise CgcError(
            f"{photos} lies where the dataset {space.dataset} would be written; name another "
            "folder for the dataset."
        )
    return find_sources(photos, leave_out=there if there.is_relative_to(here) else None)


def _solve(job: Job) -> SolveReport:
    space, settings = job.space, job.settings
    if (finished := _finished(space)) is not None:
        job.say(f"{space.dataset} is solved already; nothing to do.")
        job.tell_whole()
        return finished
    with job.timed(PHOTOS):
        photos = _prepare(job)
    _tell_photos(job, photos)
    groups = group_cameras(photos.photos)
    job.say(describe_cameras(groups))
    _prepare_database(job, groups)
    files = [photo.file for photo in sorted(photos.photos, key=lambda p: natural_key(p.name))]
    exhaustive = settings.is_exhaustive(len(files), video=job.is_video)
    models = read_models(space.models)
    if models is None:  # else they were made of all features and matches there can be
        _find_features(job, groups)
        _match(job, files, exhaustive=exhaustive)
        models = _map(job)
    matches = database.statistics(space.database)
    if not models:
        raise why_not_solved(job.source, len(files), matches)
    with job.timed(UNDISTORTING):
        names = {photo.file: photo.name for photo in photos.photos}
        transparent = write_opacities(space.photos, list(names), space.opacities)
        job.run(
            "undistorting",
            UNDISTORTING,
            database=None,
            seed=None,
            model=str(space.models / "0"),
            photos=str(space.photos),
            output=str(space.undistorted),
            names=names,
            opacities=str(space.opacities) if transparent else None,
        )
        if (undistorted := space.undistorted / "opacities").is_dir():
            cut_out(space.undistorted / "images", undistorted, names)
        space.publish()
    outcome = make_report(
        dataset=space.dataset,
        source=job.source,
        photos=photos,
        models=models,
        matches=matches,
        exhaustive=exhaustive,
        seconds=space.seconds(),
        versions=_versions(),
    )
    write_json(space.report, {**outcome.to_json(), "settings": settings.to_record()})
    job.tell_whole()
    for warning in outcome.warnings():
        job.say(warning)
    return outcome


def _finished(space: Workspace) -> SolveReport | None:
    """Return the report where all that it tells of is there."""
    if (outcome := SolveReport.read(space.report)) is None:
        return None
    try:
        images = read_model(find_model(space.dataset)).images
    except CgcError:
        return None
    whole = len(images) == outcome.registered and all(
        (space.images / image.name).is_file() for image in images
    )
    # The folder may have been moved since.
    return replace(outcome, dataset=str(space.dataset)) if whole else None


def _prepare(job: Job) -> PhotoList:
    """Return the working photos, which are on disk then."""
    space = job.space
    found = PhotoList.read(space.photo_list)
    if found is not None and all((space.photos / p.file).is_file() for p in found.photos):
        return found
    report = job.part(PHOTOS)
    if job.is_video:
        found = choose_frames(
            job.source, space.work, job.settings.frames, job.settings.max_size,
            report=report, should_stop=job.should_stop,
        )  # fmt: skip
    else:
        found = prepare_photos(
            job.sources.photos, space.photos, job.settings.max_size,
            threads=job.settings.thread_count(), report=report, should_stop=job.should_stop,
        )  # fmt: skip
        found = PhotoList(found.photos, (*job.sources.left_out, *found.left_out))
    found.write(space.photo_list)
    return found


def _tell_photos(job: Job, photos: PhotoList) -> None:
    """Say what cannot be used.

    Raises:
        CgcError: too few photos are left.
    """
    reasons: dict[str, list[str]] = {}
    for name, reason in photos.left_out:
        reasons.setdefault(reason, []).append(name)
    told = [f"{name_some(names)}: {reason}" for reason, names in reasons.items()]
    if len(photos.photos) < FEWEST_PHOTOS:
        what = "frames" if job.is_video else "photos that can be read"
        raise CgcError(
            f"{job.source} holds {len(photos.photos)} {what}, but {FEWEST_PHOTOS} are the fewest "
            f"that can be solved, and 30 or more are better; {MORE_OVERLAP}."
            + (f" Left out: {'; '.join(told)}." if told else "")
        )
    for sentence in told:
        job.say(f"Left out: {sentence}.")


def _prepare_database(job: Job, groups: tuple[CameraGroup, ...]) -> None:
    """Take away a database that is damaged, and the models that were made from it."""
    space = job.space
    if database.is_usable(space.database, groups):
        return
    if space.database.exists() and space.database.stat().st_size:
        job.say(f"{space.database} is damaged or unfinished; features and matches are made anew.")
    database.remove(space.database)
    _remove(space.models, space.unfinished_models, space.undistorted)


def _find_features(job: Job, groups: tuple[CameraGroup, ...]) -> None:
    with job.timed(FEATURES):
        job.run(
            "features",
            FEATURES,
            photos=str(job.space.photos),
            groups=[asdict(group) for group in groups],
            max_features=job.settings.max_features,
        )


def _match(job: Job, files: Sequence[str], *, exhaustive: bool) -> None:
    with job.timed(MATCHING):
        if exhaustive:
            pairs = exhaustive_pairs(len(files))
        else:
            pairs = job.run("pairs", PAIRS, files=files, threads=None)["pairs"]
        list_file = str(job.space.work / "pairs.txt")
        job.run("matching", MATCHING, files=files, pairs=pairs, list_file=list_file)


def _map(job: Job) -> list[SparseModel]:
    """Return the models, which are on disk then, the largest first."""
    space = job.space
    _remove(space.models, space.undistorted)
    with job.timed(MAPPING):
        job.run("mapping", MAPPING, photos=str(space.photos), output=str(space.models))
    if (models := read_models(space.models)) is None:
        raise CgcError(f"{space.models} was written but cannot be read; check that disk.")
    return models


def _remove(*folders: Path) -> None:
    for folder in folders:
        try:
            if folder.exists():
                shutil.rmtree(folder)
        except OSError as error:
            raise unwritable(folder, error) from error


def _has_masks(dataset: Path) -> bool:
    folder = DatasetFolder(dataset)
    return folder.label_folder() is not None or folder.parts.is_dir()


def _versions() -> dict[str, str]:
    return {
        "cgc": __version__,
        "python": platform.python_version(),
        "pycolmap": importlib.metadata.version("pycolmap"),
    }
