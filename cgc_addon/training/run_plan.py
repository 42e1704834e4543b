# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done in a run folder: a run begun, or one gone on with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..dataset.folder import IMAGES, INPUT, NO_PHOTOS
from ..errors import CgcError
from ..files_together import finish_change
from .config import TrainingConfig
from .run_folder import RunFolder

Say = Callable[[str], None]


@dataclass(frozen=True)
class RunPlan:
    """What is to be done, as the first process has found it in the run folder."""

    config: TrainingConfig
    resume: bool
    batch: int
    origin: NDArray[np.float64] | None


def plan_run(
    folder: RunFolder,
    dataset_folder: Path,
    config: TrainingConfig,
    resume: bool,
    overwrite: bool,
    batch: int,
    say: Say,
) -> RunPlan:
    """Look into a run folder; its own settings count where there is a run to go on with.

    Args:
        folder: of the run; what an earlier command could not finish there is finished first.
        dataset_folder: that is to be trained.
        config: of a new run.
        resume: go on with a run.
        overwrite: start anew where there is one.
        batch: photos of a step of a new run.
        say: hears that there is nothing to go on with.

    Raises:
        CgcError: the folder holds another run than is asked for, or cannot be read.
    """
    finish_change(folder.path)
    if resume and not folder.config.exists():
        say(f"There is nothing to go on with in {folder.path}; starting from the beginning.")
        resume = False
    if resume:
        named, config = folder.read_config()
        if dataset_folder.resolve() != named:
            raise CgcError(
                f"{folder.path} was trained on {named}, not on {dataset_folder}; "
                "name that dataset, or start a new run folder."
            )
        return RunPlan(config, resume, folder.read_batch(), folder.read_origin())
    _refuse_dataset(folder.path, dataset_folder)
    if folder.config.exists() and not overwrite:
        raise CgcError(
            f"{folder.path} already holds a run; use --resume to go on with it, --overwrite to "
            "start anew, or name another folder."
        )
    return RunPlan(config, resume, batch, None)


def _refuse_dataset(run: Path, dataset: Path) -> None:
    """Check that a new run does not begin among what it is trained on.

    Raises:
        CgcError: the folder is that of the dataset, its photos, cameras or masks.
    """
    here, there = run.resolve(), dataset.resolve()
    inner = (IMAGES, INPUT, "sparse", *NO_PHOTOS)
    if here == there or any(here.is_relative_to(there / name) for name in inner):
        raise CgcError(
            f"{run} belongs to the dataset; name a folder of its own for the run, "
            f"for example {there / 'run'}."
        )
