# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a dataset's folders, for panels, which may not touch a disk while they are drawn.

Panels ask for what was last seen. If that is older than some seconds, a timer looks again right
after the drawing, and has the panels drawn anew if there is news.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ...dataset.colmap.model import read_cameras
from ...dataset.colmap.records import ColmapCamera
from ...dataset.folder import DatasetFolder
from ...dataset.names import PHOTO_ENDINGS, stem_of
from ...dataset.pinhole import is_pinhole
from ...dataset.solved import find_solved, labels_home, photos_folder
from ...dataset.transforms.document import read_transforms
from ...errors import CgcError
from ...files import read_json
from ...training.photo_job import PhotoJob
from ...training.run_folder import RunFolder
from ..capture.files import UNDISTORTED
from ..common.access import of_scene
from ..common.mask_models import present_models
from ..common.spoken import spoken
from ..common.windows import redraw_panels
from .from_photos_plan import unfinished_job
from .plan import check_dataset, dataset_folder, is_unfinished, run_folder

if TYPE_CHECKING:
    from bpy.types import Scene

FRESH_SECONDS = 4.0
PATIENCE = 50.0
"""A look that takes long is repeated that many times its duration later, not to be felt."""


@dataclass(frozen=True)
class DatasetFacts:
    """What one look found."""

    problem: str = ""
    """Why the dataset cannot be used, in a sentence."""
    photos: int = 0
    labelled: int = 0
    """Photos with a label map."""
    label_folder: str = ""
    """Name of the folder with label maps, empty where there is none."""
    strangers: int = 0
    """Label maps that belong to no photo."""
    distorted: bool = False
    """Whether its lenses have distortion and the photos were not undistorted yet."""
    run: Path | None = None
    """Where training keeps its files, as far as a place can be found."""
    run_exists: bool = False
    """Whether a finished run is there."""
    run_unfinished: bool = False
    """Whether a run is there that can be resumed."""
    photo_job: PhotoJob | None = None
    """The job from photos that the dataset is made by, if it has not come to its end."""
    unplaced: tuple[str, ...] = ()
    """Photos that solving found no place for, by name; they are not in the dataset."""
    models: frozenset[str] = frozenset()
    """Mask models whose weights are on this machine, by name."""


@dataclass
class _Seen:
    facts: dict[tuple[str, ...], DatasetFacts] = field(default_factory=dict)
    expires: dict[tuple[str, ...], float] = field(default_factory=dict)


# Like the job, what is on disk is no part of the .blend; it is found anew in each Blender.
_seen = _Seen()


def facts_of(scene: Scene) -> DatasetFacts | None:
    """Return what was last seen of a scene's dataset; None before the first look.

    Touches no disk. Panels that call this while they are drawn are drawn again when it changes.
    """
    key = _key(scene)
    if time.monotonic() >= _seen.expires.get(key, 0.0) and not bpy.app.background:
        _seen.expires[key] = float("inf")  # a look is on its way
        if not bpy.app.timers.is_registered(_look_at_scenes):
            bpy.app.timers.register(_look_at_scenes, first_interval=0.0)
    return _seen.facts.get(key)


def look(scene: Scene) -> DatasetFacts:
    """Look now, and keep what is found."""
    key, began = _key(scene), time.monotonic()
    job, models = None, present_models()
    try:
        dataset = dataset_folder(scene) if of_scene(scene).dataset.strip() else None
        job = None if dataset is None else unfinished_job(dataset)
        facts = DatasetFacts() if dataset is None else inspect(dataset, _run_folder(scene))
    except CgcError as error:
        facts = DatasetFacts(problem=spoken(error))
    except OSError as error:
        facts = DatasetFacts(problem=f"{error.filename} cannot be read: {error.strerror}.")
    facts = replace(facts, photo_job=job, models=models)
    now = time.monotonic()
    _seen.facts[key] = facts
    _seen.expires[key] = now + max(FRESH_SECONDS, PATIENCE * (now - began))
    return facts


def inspect(dataset: Path, run: Path | None) -> DatasetFacts:
    """Look into the folders of a dataset, and of its run.

    Raises:
        CgcError: there are no cameras, or there are no photos.
        OSError: a folder cannot be read.
    """
    check_dataset(dataset)
    folder, photos, cameras = _photos_and_cameras(dataset)
    if not photos:
        raise CgcError(f"{folder} holds no photos; put those of the model there.")
    labels = DatasetFolder(labels_home(dataset)).label_folder()
    maps: set[str] = set()
    if labels is not None:
        names = {stem for stem, ending in _files(labels) if ending == ".png"}
        # Where the photo's ending is kept, as in 0001.jpg.png, it is no part of the photo's name.
        kept = {name: stem_of(name) for name in names - photos}
        maps = {kept[name] if kept.get(name) in photos else name for name in names}
    distorted = not all(is_pinhole(camera) for camera in cameras)
    return DatasetFacts(
        photos=len(photos),
        labelled=len(photos & maps),
        label_folder="" if labels is None else labels.name,
        strangers=len(maps - photos),
        distorted=distorted and not (dataset / UNDISTORTED).is_dir(),
        run=run,
        run_exists=run is not None and RunFolder(run).segments.is_file(),
        run_unfinished=run is not None and is_unfinished(run),
        unplaced=_unplaced(dataset),
    )


def forget() -> None:
    """Forget everything; what a timer still looks at is of no use."""
    if bpy.app.timers.is_registered(_look_at_scenes):
        bpy.app.timers.unregister(_look_at_scenes)
    _seen.facts.clear()
    _seen.expires.clear()


def _look_at_scenes() -> None:
    for scene in bpy.data.scenes:
        key = _key(scene)
        if _seen.expires.get(key) == float("inf"):
            before = _seen.facts.get(key)
            if look(scene) != before:
                redraw_panels(bpy.context)


def _key(scene: Scene) -> tuple[str, ...]:
    settings = of_scene(scene)
    return (settings.dataset, settings.run, bpy.data.filepath)


def _run_folder(scene: Scene) -> Path | None:
    try:
        return run_folder(scene)
    except CgcError:  # training will say why
        return None


def is_distorted(dataset: Path) -> bool:
    """Return whether a lens of the dataset has distortion.

    Raises:
        CgcError: there are no cameras, or they cannot be read.
    """
    _, _, cameras = _photos_and_cameras(dataset)
    return not all(is_pinhole(camera) for camera in cameras)


def _photos_and_cameras(dataset: Path) -> tuple[Path, set[str], Collection[ColmapCamera]]:
    """Return the photos' folder, their stems, and the cameras that took them."""
    place = find_solved(dataset)
    if place.is_file():
        found = read_transforms(place, points=False)
        images = (image for image in found.model.images if (found.photos / image.name).is_file())
        return found.photos, {image.stem for image in images}, found.model.cameras.values()
    images = photos_folder(dataset)
    stems = {stem for stem, ending in _files(images) if ending in PHOTO_ENDINGS}
    return images, stems, read_cameras(place).values()


def _unplaced(dataset: Path) -> tuple[str, ...]:
    """Return the photos that From Photos found no place for; none where it did not make this."""
    file = DatasetFolder(dataset).solve_report
    if not file.is_file():
        return ()
    try:
        names = read_json(file)["unregistered"]
    except (CgcError, KeyError, TypeError):  # damaged: the cameras are there all the same
        return ()
    return tuple(str(name) for name in names) if isinstance(names, list) else ()


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield stem and ending, in lower case, of each file below a folder, hidden ones left out."""
    for above, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(above).relative_to(folder)
        for name in names:
            if not name.startswith("."):
                path = (inside / name).as_posix()
                yield stem_of(path), Path(name).suffix.lower()
