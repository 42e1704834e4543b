# SPDX-License-Identifier: GPL-3.0-or-later
"""What the panel asks for becomes a call of the verb `train`, and a decision on its run folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ...dataset.solved import dataset_at, photos_folder
from ...errors import CgcError
from ...training.asked import Asked, is_run_of
from ...training.config import TrainingConfig
from ...training.presets import configure
from ...training.run_folder import RunFolder
from ...training.run_lock import in_use, is_locked
from ..common import preferences
from ..common.access import of_scene
from ..jobs import registry as jobs

if TYPE_CHECKING:
    from bpy.types import Scene

    from ..common.access import SceneSettings

PREVIEW_SECONDS = 3
_OPTIONS = (
    ("--preset", "name"),
    ("--steps", "steps"),
    ("--minutes", "minutes"),
    ("--max-gaussians", "max_gaussians"),
    ("--max-size", "max_size"),
    ("--test-every", "test_every"),
    ("--seed", "seed"),
    ("--backend", "backend"),
    ("--features", "features"),
    ("--reduction", "reduction"),
    ("--spatial", "spatial"),
)


class RunState(Enum):
    """What a run folder holds, as far as a new training is concerned."""

    EMPTY = "no run"
    UNFINISHED = "an unfinished run with these settings"
    FINISHED = "a finished run with these settings"
    OTHER = "a run with other settings"


@dataclass(frozen=True)
class TrainingPlan:
    """A dataset that was found sound, the run folder for it, and what is in that."""

    dataset: Path
    run: Path
    found: RunState


def plan_training(scene: Scene) -> TrainingPlan:
    """Return what training this scene's dataset means, after all checks that are quick.

    Raises:
        CgcError: there is nothing to train on, or no place for the results.
    """
    settings = of_scene(scene)
    dataset = dataset_folder(scene)
    check_dataset(dataset)
    run = run_folder(scene)
    return TrainingPlan(dataset, run, examine(run, dataset, *wanted(settings)))


def dataset_folder(scene: Scene) -> Path:
    """Return the dataset of a scene, also where the folder of its cameras was chosen.

    Raises:
        CgcError: none is chosen, or it is relative to a .blend that was not saved yet.
    """
    dataset = absolute(of_scene(scene).dataset, "dataset")
    if dataset is None:
        raise CgcError("Choose a dataset first: the folder that holds images/ and sparse/.")
    return dataset_at(dataset)


def check_dataset(dataset: Path) -> None:
    """Check what can be checked without reading photos.

    Raises:
        CgcError: there is no COLMAP model and no transforms.json, or there are no photos.
    """
    images = photos_folder(dataset)
    if not images.is_dir():
        raise CgcError(f"{images} is missing; put the photos of the model there.")


def choices(settings: SceneSettings) -> dict[str, Any]:
    """Return what the panel asks for in the words of the command line."""

    def unless_preset(value: str) -> str | None:
        return None if value == "preset" else value

    return {
        "name": settings.preset,
        "steps": settings.steps or None,
        "minutes": settings.minutes or None,
        "max_gaussians": settings.maximum_gaussians or None,
        "max_size": settings.maximum_size or None,
        "test_every": settings.test_every or None,
        "seed": settings.seed,
        "backend": settings.backend,
        "features": unless_preset(settings.features),
        "reduction": unless_preset(settings.reduction),
        "spatial": unless_preset(settings.spatial),
    }


def wanted(settings: SceneSettings) -> tuple[TrainingConfig, Asked]:
    """Return the configuration that the panel asks for, and what of it is fixed."""
    chosen = choices(settings)
    minutes = chosen.pop("minutes")
    asked = Asked(chosen["max_size"], chosen["max_gaussians"], chosen["steps"], minutes)
    return configure(**chosen), asked


def new_arguments(plan: TrainingPlan, settings: SceneSettings, run: Path) -> tuple[str, ...]:
    """Return the call that trains from the start into `run`, in place of what is in it."""
    chosen = choices(settings)
    options = [
        part
        for option, name in _OPTIONS
        if chosen[name] is not None
        for part in (option, str(chosen[name]))
    ]
    overwrite = ["--overwrite"] if RunFolder(run).config.exists() else []
    return ("train", str(plan.dataset), "-o", str(run), *options, *overwrite)


def resume_arguments(run: Path) -> tuple[str, ...]:
    """Return the call that goes on with a run, on its own dataset and with its own settings.

    Raises:
        CgcError: there is no run, or its dataset is gone.
    """
    dataset, _ = RunFolder(run).read_config()
    check_dataset(dataset)
    return ("train", str(dataset), "-o", str(run), "--resume")


def check_free(run: Path) -> None:
    """Check that nobody trains in a run folder.

    Raises:
        CgcError: somebody does, perhaps another Blender.
    """
    if is_locked(run):
        raise CgcError(f"{in_use(run)}; wait for it, stop it there, or choose another Run Folder.")


def examine(run: Path, dataset: Path, config: TrainingConfig, asked: Asked | None) -> RunState:
    """Return what a run folder holds, compared with what is wanted now."""
    folder = RunFolder(run)
    if not folder.config.exists():
        return RunState.EMPTY
    try:
        wanted_one = is_run_of(folder, dataset, config, asked)
    except CgcError:  # damaged, or of another version: to be replaced at most
        return RunState.OTHER
    if not wanted_one:
        return RunState.OTHER
    return RunState.UNFINISHED if is_unfinished(run) else RunState.FINISHED


def is_of(run: Path, dataset: Path) -> bool:
    """Return whether a run folder holds a run on a dataset."""
    try:
        return RunFolder(run).read_config()[0] == dataset.resolve()
    except CgcError:
        return False


def is_unfinished(run: Path) -> bool:
    """Return whether there is a run that has not come to its segments, which are written last."""
    folder = RunFolder(run)
    return folder.config.exists() and not folder.segments.exists()


def resumable_run(scene: Scene) -> Path | None:
    """Return the run that can be gone on with: the scene's, or the last one on its dataset."""
    try:
        run, dataset = run_folder(scene), dataset_folder(scene)
    except CgcError:
        return None
    if is_unfinished(run):
        return run
    last = jobs.current()
    if last is None or last.run is None or not last.ended or not is_unfinished(last.run):
        return None
    return last.run if last.arguments[1] == str(dataset) else None


def run_folder(scene: Scene) -> Path:
    """Return the run folder of a scene: the chosen one, else a place made from the dataset's name.

    That place is the folder that the preferences name, else beside the dataset, else beside the
    .blend.

    Raises:
        CgcError: no dataset is chosen, or none of these can be written.
    """
    settings = of_scene(scene)
    if (chosen := absolute(settings.run, "run folder")) is not None:
        return chosen
    dataset = dataset_folder(scene).resolve()
    name = f"{dataset.name}_run"
    if (runs := preferences.runs_folder()) is not None:
        return runs / name
    places = [dataset.parent]
    if bpy.data.filepath:
        places.append(Path(bpy.data.filepath).parent)
    for place in places:
        if os.access(place / name if (place / name).exists() else place, os.W_OK):
            return place / name
    raise CgcError(
        f"{dataset.parent} cannot be written; choose a Run Folder for what training makes."
    )


def free_folder(run: Path) -> Path:
    """Return the first of `run`2, `run`3, … that does not exist."""
    number = 2
    while (candidate := run.with_name(f"{run.name}{number}")).exists():
        number += 1
    return candidate


def absolute(path: str, what: str) -> Path | None:
    """Return a path of the panel as an absolute one, None where it is empty.

    Raises:
        CgcError: it is relative to a .blend that was not saved yet.
    """
    if not path.strip():
        return None
    if path.startswith("//") and not bpy.data.filepath:
        raise CgcError(f"The {what} {path} is relative to the .blend; save that first.")
    return Path(os.path.normpath(Path(bpy.path.abspath(path.strip())).expanduser().absolute()))
