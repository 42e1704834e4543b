# SPDX-License-Identifier: GPL-3.0-or-later
"""The dataset folder while it is being solved: where files lie, whose they are, who is at work.

DATASET/solve/state.json is written before anything else, so that a dataset which has it was made by
`solve`; DATASET/solve.json is written after all else, so that a dataset which has it is whole.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..dataset.folder import DatasetFolder
from ..errors import CgcError
from ..files import read_json, write_json

_FORMAT = 1
_LOCK_FILES = ("lock.db", "lock.db-journal", "lock.db-wal", "lock.db-shm")


@dataclass(frozen=True)
class Workspace:
    """Paths of a dataset that is solved; creating the object touches nothing on disk."""

    dataset: Path

    @property
    def images(self) -> Path:
        return DatasetFolder(self.dataset).images

    @property
    def sparse(self) -> Path:
        return DatasetFolder(self.dataset).model

    @property
    def report(self) -> Path:
        return DatasetFolder(self.dataset).solve_report

    @property
    def work(self) -> Path:
        return DatasetFolder(self.dataset).solve_work

    @property
    def state(self) -> Path:
        return self.work / "state.json"

    @property
    def photos(self) -> Path:
        return self.work / "photos"

    @property
    def photo_list(self) -> Path:
        return self.work / "photos.json"

    @property
    def database(self) -> Path:
        return self.work / "database.db"

    @property
    def models(self) -> Path:
        return self.work / "models"

    @property
    def unfinished_models(self) -> Path:
        """Models while they are made."""
        return self.work / "models.part"

    @property
    def opacities(self) -> Path:
        """How opaque the working copies are, where some are cut out."""
        return self.work / "opacities"

    @property
    def undistorted(self) -> Path:
        return self.work / "undistorted"

    @property
    def log(self) -> Path:
        return self.work / "log.txt"

    @property
    def _published(self) -> Path:
        """Exists from when `images/` and `sparse/` of the dataset are ours."""
        return self.work / "published"

    def is_ours(self) -> bool:
        """Say whether `solve` made the dataset, or began to."""
        return self.state.is_file()

    def check(self, record: Mapping[str, Any], *, overwrite: bool) -> None:
        """Check that the dataset may be solved from the photos and settings in `record`.

        Raises:
            CgcError: the folder holds something else.
        """
        if not self.is_ours():
            self._refuse_what_is_not_ours()
        elif not overwrite and (difference := self._difference(record)) is not None:
            raise CgcError(
                f"{self.dataset} was solved {difference}; add --overwrite to make it anew, or "
                "name another folder."
            )

    def claim(self, record: Mapping[str, Any], *, overwrite: bool) -> bool:
        """Begin, go on, or begin anew; to be called while the folder is locked.

        Returns:
            Whether an earlier dataset of ours was cleared away.

        Raises:
            CgcError: as `check`, or the folder cannot be written.
        """
        if self.is_ours() and not overwrite:
            self.check(record, overwrite=False)  # another process may have begun in between
            return False
        cleared = self.is_ours()
        try:
            if cleared:
                self._clear()
            self.work.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(self.dataset, error) from error
        write_json(self.state, {"format": _FORMAT, **record})
        return cleared

    def add_seconds(self, stage: str, seconds: float) -> None:
        """Add to the time that a stage took, over all calls."""
        state = read_json(self.state)
        spent = state.setdefault("seconds", {})
        spent[stage] = round(spent.get(stage, 0.0) + seconds, 3)
        write_json(self.state, state)

    def seconds(self) -> dict[str, float]:
        """Return the time that each stage took so far, over all calls."""
        return dict(read_json(self.state).get("seconds", {}))

    def publish(self) -> None:
        """Move undistorted photos and cameras to where datasets have them.

        Raises:
            CgcError: they cannot be moved.
        """
        try:
            if self._holds_results() and not self._published.exists():
                raise CgcError(
                    f"{self.dataset} got an images/ or sparse/ from elsewhere while it was being "
                    "solved; move that away, then run again."
                )
            self._published.touch()
            for folder in (self.sparse, self.images):
                if folder.exists():
                    shutil.rmtree(folder)
            self.sparse.parent.mkdir(exist_ok=True)
            (self.undistorted / "images").rename(self.images)
            (self.undistorted / "sparse").rename(self.sparse)
            shutil.rmtree(self.undistorted)
        except OSError as error:
            raise unwritable(self.dataset, error) from error

    def _difference(self, record: Mapping[str, Any]) -> str | None:
        """Return how the dataset differs from what is asked for, None if it does not."""
        try:
            state = read_json(self.state)
            if state["format"] != _FORMAT:
                return "by another version"
            if state["fingerprint"] != record["fingerprint"]:
                return f"from other photos ({state['source']})"
            for name, value in record["settings"].items():
                if (earlier := state["settings"].get(name)) != value:
                    return f"with {name.replace('_', ' ')} {earlier} instead of {value}"
        except (CgcError, KeyError, TypeError, AttributeError):
            return "with settings that can no longer be read"
        return None

    def _refuse_what_is_not_ours(self) -> None:
        if self.dataset.exists() and not self.dataset.is_dir():
            raise CgcError(f"{self.dataset} is a file; name a folder for the dataset.")
        begun = self.work.exists() and any(
            path.name not in _LOCK_FILES for path in self.work.iterdir()
        )
        if self._holds_results() or self.report.exists() or begun:
            raise CgcError(
                f"{self.dataset} holds a dataset that `solve` did not make, and never overwrites; "
                "name another folder."
            )

    def _holds_results(self) -> bool:
        return self.images.exists() or self.sparse.parent.exists()

    def _clear(self) -> None:
        """Take out what solving wrote, but the state: a kill leaves the rest ours."""
        self.report.unlink(missing_ok=True)
        if self._published.exists():
            for folder in (self.sparse, self.images):
                if folder.exists():
                    shutil.rmtree(folder)
        for path in self.work.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path != self.state and path.name not in _LOCK_FILES:
                path.unlink()


def unwritable(place: Path, error: OSError) -> CgcError:
    """Return the sentence for a folder that cannot be written."""
    return CgcError(
        f"{error.filename or place} could not be written: {error.strerror or error}; "
        "check free space and permissions of that folder, then run again."
    )


@contextmanager
def locked(work: Path) -> Iterator[None]:
    """Hold the working folder, made if missing, while the block runs.

    The lock is SQLite's, thus the operating system's: it ends with the process, however that ends.

    Raises:
        CgcError: another process is solving there, or the folder cannot be written.
    """
    try:
        work.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(work / _LOCK_FILES[0], timeout=0.0, isolation_level=None)
    except (OSError, sqlite3.OperationalError) as error:
        raise CgcError(
            f"{work} could not be written: {error}; check its permissions, or name another folder."
        ) from error
    try:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise CgcError(
                    f"{work} could not be written: {error}; check its permissions and free space."
                ) from error
            raise CgcError(
                f"{work.parent} is being solved by another process; wait for it or stop it."
            ) from None
        yield
    finally:
        lock.close()
