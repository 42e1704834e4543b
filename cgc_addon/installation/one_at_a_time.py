# SPDX-License-Identifier: GPL-3.0-or-later
"""One process at a time changes an engine; the lock is the operating system's and ends with it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import CgcError
from .places import EngineHome


@contextmanager
def changing(home: EngineHome) -> Iterator[None]:
    """Hold a home, made if missing, while the block runs.

    A home that is empty afterwards goes again, and so does the folder of the engines.

    Raises:
        CgcError: another process changes it, or it cannot be written.
    """
    try:
        home.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(home.lock_file, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise CgcError(
            f"{home.folder} cannot be written ({error.strerror or error}); check its permissions, "
            "or choose another Engine Folder in the preferences of this extension."
        ) from error
    try:
        if not _hold(descriptor):
            raise CgcError(
                f"The engine in {home.folder} is being changed by another Blender; wait until that "
                "is done."
            )
        try:
            yield
        finally:
            if os.name != "nt":  # while it is held, so that nobody holds a file that is gone
                with suppress(OSError):
                    home.lock_file.unlink()
    finally:
        os.close(descriptor)
        if os.name == "nt":
            with suppress(OSError):  # somebody else may hold it by now
                home.lock_file.unlink()
        remove_if_empty(home.folder)


def remove_if_empty(folder: Path) -> None:
    """Remove a home that is empty, and the folder of the engines if it then is empty, too."""
    with suppress(OSError):
        folder.rmdir()
        folder.parent.rmdir()


def _hold(descriptor: int) -> bool:
    """Lock a file; False where another process has."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
