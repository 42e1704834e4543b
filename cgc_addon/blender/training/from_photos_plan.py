# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user chose for "From Photos…" becomes a call of the verb `from-photos`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ...dataset.names import PHOTO_ENDINGS
from ...errors import CgcError
from ...training.photo_job import PhotoJob, default_run, read_job
from ..common.access import of_scene
from ..jobs import registry as jobs
from ..jobs.job import Phase
from .plan import absolute, check_free, choices

if TYPE_CHECKING:
    from bpy.types import Scene

VERB = "from-photos"
_TRAINING = (
    ("--preset", "name"),
    ("--steps", "steps"),
    ("--minutes", "minutes"),
    ("--max-gaussians", "max_gaussians"),
    ("--max-size", "max_size"),
    ("--test-every", "test_every"),
    ("--seed", "seed"),
    ("--backend", "backend"),
)


def plan_from_photos(
    scene: Scene,
    chosen: str,
    dataset: str = "",
    run: str = "",
    *,
    model: str,
    levels: str,
    matching: str = "auto",
    frames: int = 0,
    overwrite: bool = False,
) -> PhotoJob:
    """Return the job, after all checks that are quick.

    Args:
        scene: whose settings of training count.
        chosen: a folder of photos, one of the photos, or a video.
        dataset: the folder to make; empty: beside the photos.
        run: the run folder; empty: beside the dataset.
        model: name or path of the mask model, or "none".
        levels: "objects" or "both".
        matching: as the verb has it.
        frames: to take from a video; 0: as the verb chooses.
        overwrite: whether what is there already is made anew.

    Raises:
        CgcError: there are no photos, or there is no place for what is made.
    """
    photos = photos_at(chosen)
    target = absolute(dataset, "dataset folder") or default_dataset(photos)
    _check_place(target, photos)
    place = absolute(run, "run folder") or default_run(target)
    check_free(place)
    options = ["--model", model, "--levels", levels, "--matching", matching]
    if frames:
        options += ["--frames", str(frames)]
    training = choices(of_scene(scene))
    for option, name in _TRAINING:
        if training[name] is not None:
            options += [option, str(training[name])]
    if overwrite:
        options.append("--overwrite")
    return PhotoJob(photos, target, place, tuple(options))


def photos_at(chosen: str) -> Path:
    """Return the folder of photos or the video that a path means.

    Raises:
        CgcError: it is neither, or holds no photos.
    """
    path = absolute(chosen, "photos")
    if path is None:
        raise CgcError("Choose a folder of photos, or a video.")
    if path.is_file():
        return path.parent if path.suffix.lower() in PHOTO_ENDINGS else path
    if not path.is_dir():
        raise CgcError(f"{path} does not exist; choose a folder of photos, or a video.")
    if not any(_has_photos(above, names) for above, _, names in os.walk(path)):
        raise CgcError(
            f"{path} holds no photos; choose a folder with JPEG, PNG, TIFF or WebP files, "
            "or a video."
        )
    return path


def default_dataset(photos: Path) -> Path:
    """Return the dataset folder of photos or a video where none is named: beside them."""
    return photos.with_name(f"{photos.stem if photos.is_file() else photos.name}_dataset")


def resumable_job(scene: Scene, found: PhotoJob | None) -> PhotoJob | None:
    """Return the job from photos that can be gone on with.

    It is the last one of this session, unless it was done, else the one that the scene's dataset
    was to become. Touches no disk.

    Args:
        scene: for its dataset.
        found: what was seen in that dataset.
    """
    last = jobs.current()
    if last is not None and last.ended and last.verb == VERB and last.phase is not Phase.DONE:
        return job_of(last.arguments)
    return found if of_scene(scene).dataset else None


def unfinished_job(dataset: Path) -> PhotoJob | None:
    """Return the job that a dataset is made by, if it has not come to its end; looks at the disk.

    Raises:
        CgcError: what is kept of it is damaged.
    """
    job = read_job(dataset)
    return None if job is None or job.finished else job


def job_of(arguments: tuple[str, ...]) -> PhotoJob:
    """Return the job of a call of the verb, as `PhotoJob.arguments` writes it."""
    _, photos, _, dataset, _, run, *options = (word for word in arguments if word != "--overwrite")
    if "--preview" in options:
        place = options.index("--preview")
        del options[place : place + 2]
    return PhotoJob(Path(photos), Path(dataset), Path(run), tuple(options))


def _has_photos(folder: str, names: list[str]) -> bool:
    del folder
    return any(
        Path(name).suffix.lower() in PHOTO_ENDINGS for name in names if not name.startswith(".")
    )


def _check_place(dataset: Path, photos: Path) -> None:
    if dataset == photos or photos in dataset.parents:
        raise CgcError(
            f"The dataset folder {dataset} is among the photos; choose one outside of {photos}."
        )
    existing = next(place for place in (dataset, *dataset.parents) if place.exists())
    if not existing.is_dir():
        raise CgcError(f"{existing} is a file; choose another Dataset Folder.")
    if not os.access(existing, os.W_OK):
        raise CgcError(f"{existing} cannot be written; choose another Dataset Folder.")
