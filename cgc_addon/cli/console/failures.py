# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures that are the machine's, not this program's, in a sentence that the user can act on."""

from __future__ import annotations

import errno
import sys

from ...errors import CgcError

_NO_ROOM = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))

_PLACES = (
    *(errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ELOOP),
    *(errno.ENOTDIR, errno.EISDIR),
)
"""What is wrong with a place that the user has named; a missing file may well be our mistake."""
_LONGEST_PATH = 200
"""Characters of a path that are shown."""


def explain(error: BaseException) -> str | None:
    """Return what to tell the user, or None where the error is a defect of this program."""
    if isinstance(error, CgcError):
        return str(error)
    if is_out_of_memory(error):
        return (
            "Memory ran out; close other programs and go on with --resume, or start anew with "
            "smaller photos (--max-size) or fewer Gaussians (--max-gaussians)."
        )
    if isinstance(error, ModuleNotFoundError):
        package = (error.name or "").partition(".")[0]
        if package and package != __name__.partition(".")[0]:
            return (
                f"The Python at {sys.executable} lacks the package {package!r}; install the "
                "engine's packages there, or choose another Python that has them."
            )
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        return (
            f"{error.filename or 'A file'} could not be written: {error.strerror}; "
            "free some space on that disk, then run again."
        )
    if isinstance(error, OSError) and error.errno in _PLACES and error.filename is not None:
        return (
            f"{_short(str(error.filename))} cannot be used: {error.strerror}; name another place, "
            "or mend that, then run again."
        )
    return None


def _short(path: str) -> str:
    return path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}…"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, the computer's or the card's."""
    # Torch has three ways to say it; the names are compared because torch may not be loaded.
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or (isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error))
    )
