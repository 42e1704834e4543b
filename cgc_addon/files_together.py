# SPDX-License-Identifier: GPL-3.0-or-later
"""Several files of a folder that belong together, and so change as one.

They are written whole into a hidden folder beside their places. Renaming that folder decides: from
then on the new files count, and a kill while they are moved leaves work for `finish_change`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import CgcError

READY = ".ready"
"""Folder of files that are whole and count, but have not all been moved to their places."""


@contextmanager
def changing_together(folder: Path) -> Iterator[Path]:
    """Yield an empty folder; when the block ends well, its files replace those of `folder` as one.

    Whoever changes a folder holds it, so that nobody else does so at the same time. Whoever reads
    it calls `finish_change` before.

    Raises:
        CgcError: the folder cannot be written; its files are as they were.
    """
    finish_change(folder)
    draft = folder / f".ready.{os.getpid()}.tmp"
    try:
        draft.mkdir()
        yield draft
        draft.rename(folder / READY)
    except OSError as error:
        raise _unwritable(folder, error) from error
    except CgcError as error:  # who reads it knows no draft
        raise CgcError(str(error).replace(str(draft), str(folder))) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    finish_change(folder)


def finish_change(folder: Path) -> None:
    """Move the files that a kill has left on their way to their places; mostly there are none.

    Raises:
        CgcError: the folder cannot be written.
    """
    ready = folder / READY
    try:
        if not ready.is_dir():
            return
        for file in sorted(ready.iterdir()):
            with suppress(FileNotFoundError):  # another reader has just moved it
                file.replace(folder / file.name)
        with suppress(FileNotFoundError):
            ready.rmdir()
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> CgcError:
    return CgcError(
        f"{folder} could not be written: {error.strerror or error}; "
        "check free space and permissions of that folder, then run again."
    )
