# SPDX-License-Identifier: GPL-3.0-or-later
"""One process at a time changes a run folder.

The lock is the operating system's: it ends with the process that holds it, however that ends, so
that no lock can be left behind. What the file says is only for people.
"""

from __future__ import annotations

import errno
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import CgcError
from ..leftovers import remove_leftovers

LOCK_FILE = "train.lock"
_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}
_FAR_BYTE = 1 << 30
"""Windows forbids reading what is locked, so a byte that is never written is locked."""


@contextmanager
def locked(run: Path, doing: str = "trained") -> Iterator[None]:
    """Hold a run folder, made if missing, while the block runs; tidy it up first.

    Args:
        run: the folder.
        doing: what is being done to it, for whoever finds it held.

    Raises:
        CgcError: another process changes it, or the folder cannot be written.
    """
    made = not run.exists()
    try:
        run.mkdir(parents=True, exist_ok=True)
        file = _open_and_lock(run / LOCK_FILE, doing)
    except OSError as error:
        raise CgcError(
            f"{run} could not be written: {error.strerror or error}; "
            "check its permissions, or name another folder."
        ) from error
    if file is None:
        raise CgcError(f"{in_use(run)}; wait for it, stop it, or name another folder.")
    try:
        remove_leftovers(run)
        yield
    finally:
        _release(file, run / LOCK_FILE)
        if made:
            with suppress(OSError):  # it holds what was trained, unless nothing was
                run.rmdir()


def is_locked(run: Path) -> bool:
    """Return whether a process changes a run folder; changes nothing."""
    path = run / LOCK_FILE
    if not path.exists():
        return False
    try:
        file = _open_and_lock(path, None)
    except OSError:
        return False
    if file is None:
        return True
    os.close(file)
    return False


def in_use(run: Path) -> str:
    """Say who changes a run folder."""
    try:
        note = (run / LOCK_FILE).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        note = ""
    return f"{run} is being {note or 'trained by another process'}"


def _open_and_lock(path: Path, doing: str | None) -> int | None:
    """Return the descriptor of the locked file, None when another process holds it.

    Args:
        path: of the file.
        doing: what the file is to say; None leaves it as it is.
    """
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(file)
        except OSError as error:
            if error.errno in _TAKEN:
                os.close(file)
                return None
            # A file system without locks: training is worth more than the guard.
        if not _is_same(file, path):  # it was removed between opening and locking
            os.close(file)
            continue
        if doing is not None:
            who = f"process {os.getpid()} on {platform.node() or 'this machine'}"
            os.ftruncate(file, 0)
            os.write(file, f"{doing} by {who}".encode())
        return file


def _release(file: int, path: Path) -> None:
    # While it is still locked, so that nobody takes over a file that is about to vanish; where an
    # open file cannot be removed, afterwards, and there nobody can have it open then either.
    with suppress(OSError):
        path.unlink()
    os.close(file)
    if os.name == "nt":
        with suppress(OSError):
            path.unlink()


def _lock(file: int) -> None:
    if os.name == "nt":
        import msvcrt

        os.lseek(file, _FAR_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)  # pyright: ignore[reportAttributeAccessIssue]
        os.lseek(file, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_same(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
