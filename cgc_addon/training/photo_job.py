# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked for when a dataset was made from photos, kept in it to go on with.

Blender reads it too: NumPy and less.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..dataset.folder import DatasetFolder
from ..errors import CgcError
from ..files import read_json, write_json
from .run_folder import RunFolder

VERSION = 1


@dataclass(frozen=True)
class PhotoJob:
    """From photos to a segmented splat."""

    photos: Path
    """Folder of photos, or a video."""
    dataset: Path
    """The folder to make."""
    run: Path
    options: tuple[str, ...] = ()
    """Further arguments of the verb `from-photos`."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The verb and all its arguments: the same again goes on where the last call ended."""
        places = (str(self.photos), "-o", str(self.dataset), "--run", str(self.run))
        return ("from-photos", *places, *self.options)

    @property
    def finished(self) -> bool:
        """Whether the run has come to its segments, which are written last."""
        return RunFolder(self.run).segments.is_file()


def default_run(dataset: Path) -> Path:
    """Return the run folder of a dataset where none is named: beside it."""
    return dataset.with_name(f"{dataset.name}_run")


def write_job(job: PhotoJob) -> None:
    """Keep in the dataset what it is made from.

    Raises:
        CgcError: the folder cannot be written.
    """
    write_json(
        DatasetFolder(job.dataset).photo_job,
        {
            "version": VERSION,
            "photos": str(job.photos.absolute()),
            "run": str(job.run.absolute()),
            "options": list(job.options),
        },
    )


def read_job(dataset: Path) -> PhotoJob | None:
    """Return what a dataset was made from; None where it was not made from photos.

    Raises:
        CgcError: the file is damaged.
    """
    file = DatasetFolder(dataset).photo_job
    if not file.is_file():
        return None
    value = read_json(file)
    if not _is_job(value):
        raise CgcError(f"{file} is damaged; name the photos again, with this dataset.")
    return PhotoJob(Path(value["photos"]), dataset, Path(value["run"]), tuple(value["options"]))


def _is_job(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.get("version") == VERSION
        and all(isinstance(value.get(name), str) and value[name] for name in ("photos", "run"))
        and isinstance(value.get("options"), list)
        and all(isinstance(option, str) for option in value["options"])
    )
