# SPDX-License-Identifier: GPL-3.0-or-later
"""Engine archives: a lock and all its files in one zip, for machines without a network."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import CgcError
from ..files import check_is_file
from .lock import Lock, parse_lock

LOCK_NAME = "lock.json"
WHEELS = "wheels/"


class EngineArchive:
    """An archive that is open for reading."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._archive = archive
        self._names = {
            name.removeprefix(WHEELS): name
            for name in archive.namelist()
            if name.startswith(WHEELS) and not name.endswith("/")
        }

    def lock(self) -> Lock:
        """Return the lock in it.

        Raises:
            CgcError: there is none.
        """
        source = f"{LOCK_NAME} in {self.path}"
        try:
            document = json.loads(self._archive.read(LOCK_NAME))
        except KeyError:
            raise CgcError(f"{self.path} is no engine archive: it has no {LOCK_NAME}.") from None
        except (ValueError, zipfile.BadZipFile, RecursionError) as error:
            raise CgcError(f"{source} cannot be read ({error}); fetch the archive anew.") from error
        return parse_lock(document, source)

    def has(self, file: str) -> bool:
        """Return whether a file of a package is in it."""
        return file in self._names

    def extract(self, file: str, target: Path) -> None:
        """Write a file of a package to a path.

        Raises:
            CgcError: it is damaged.
            OSError: it cannot be written.
        """
        try:
            with self._archive.open(self._names[file]) as source, target.open("wb") as written:
                shutil.copyfileobj(source, written, 1 << 20)
        except zipfile.BadZipFile as error:
            raise CgcError(
                f"{self.path} is damaged at {file} ({error}); fetch the archive anew."
            ) from error


@contextmanager
def open_archive(path: Path) -> Iterator[EngineArchive]:
    """Open an engine archive.

    Raises:
        CgcError: it is none, or cannot be read.
    """
    try:
        check_is_file(path)
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise CgcError(f"{path} is missing; choose an engine archive.") from None
    except (OSError, zipfile.BadZipFile) as error:
        raise CgcError(f"{path} is no engine archive that can be read ({error}).") from error
    with archive:
        yield EngineArchive(path, archive)
