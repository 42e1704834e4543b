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

from ..errors import CgcError
from ..files import read_json, write_json

_FORMAT = 1


@dataclass(frozen=True)
class Workspace:
    """Paths of a dataset that is solved; creating the object touches nothing on disk."""

    dataset: Path

    @property
    def images(self) -> Path:
        return self.dataset / "images"

    @property
    def sparse(self) -> Path:
        return self.dataset / "sparse" / "0"

    @property
    def report(self) -> Path:
        return self.dataset / "solve.json"

    @property
    def work(self) -> Path:
        return self.dataset / "solve"

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
    def undistorted(self) -> Path:
        return self.work / "undistorted"

    @property
    def log(self) -> Path:
        return self.work / "log.txt"

    def is_ours(self) -> bool:
        """Say whether `solve` made the dataset, or began to."""
        return self.state.is_file()

    def claim(self, record: Mapping[str, Any], *, overwrite: bool) -> bool:
        """Make the folder ready for the photos and settings in `record`.

        Returns:
            Whether an earlier dataset of ours was cleared away.

        Raises:
            CgcError: the folder holds something else, or cannot be written.
        """
        try:
            if not self.is_ours():
                self._refuse_what_is_not_ours()
            elif overwrite:
                self._clear()
                self._start(record)
                return True
            elif (difference := self._difference(record)) is not None:
                raise CgcError(
                    f"{self.dataset} was solved {difference}; add --overwrite to make it anew, or "
                    "name another folder."
                )
            else:
                return False
            self._start(record)
        except OSError as error:
            raise unwritable(self.dataset, error) from error
        return False

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
        mark = self.work / "published"
        try:
            if self._holds_results() and not mark.exists():
                raise CgcError(
                    f"{self.dataset} got an images/ or sparse/ from elsewhere while it was being "
                    "solved; move that away, then run again."
                )
            mark.touch()
            for folder in (self.sparse, self.images):
                if folder.exists():
                    shutil.rmtree(folder)
            self.sparse.parent.mkdir(exist_ok=True)
            (self.undistorted / "images").rename(self.images)
            (self.undistorted / "sparse").rename(self.sparse)
            shutil.rmtree(self.undistorted)
        except OSError as error:
            raise unwritable(self.dataset, error) from error

    def _start(self, record: Mapping[str, Any]) -> None:
        self.work.mkdir(parents=True, exist_ok=True)
        write_json(self.state, {"format": _FORMAT, **record})

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
        taken = [path for path in (self.report, self.work) if path.exists()]
        if self._holds_results() or taken:
            raise CgcError(
                f"{self.dataset} holds a dataset that `solve` did not make, and never overwrites; "
                "name another folder."
            )

    def _holds_results(self) -> bool:
        return self.images.exists() or (self.dataset / "sparse").exists()

    def _clear(self) -> None:
        """Take out what solving wrote; the state last, so that a kill leaves the rest ours."""
        self.report.unlink(missing_ok=True)
        if (self.work / "published").exists():
            shutil.rmtree(self.sparse, ignore_errors=True)
            shutil.rmtree(self.images, ignore_errors=True)
        for path in self.work.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path not in (self.state, self.work / "lock.db", self.work / "published"):
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
        lock = sqlite3.connect(work / "lock.db", timeout=0.0, isolation_level=None)
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
