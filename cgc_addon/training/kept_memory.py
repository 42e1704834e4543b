# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory that a step gives back is kept for the next one, where the C library can be told so.

A step of training takes and gives back some dozens of megabytes. GNU's allocator returns them to
the system each time, which hands out the same pages again, filled with zeros: a twentieth of the
step.
"""

from __future__ import annotations

import ctypes
import platform
from typing import Any

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Names of GNU's malloc.h for what `mallopt` sets."""
LARGEST_BLOCK = 32 << 20
"""Bytes: the allocator keeps no larger ones, whatever it is told."""
KEPT = 64 << 20
"""Bytes that may be kept unused: what GNU comes to by itself where single blocks are that large."""


def keep_freed_memory() -> bool:
    """Tell GNU's C library to keep what is freed; return whether it did. Others are left alone."""
    library = _gnu_library()
    if library is None:
        return False
    kept = library.mallopt(MMAP_THRESHOLD, LARGEST_BLOCK)
    return bool(kept and library.mallopt(TRIM_THRESHOLD, KEPT))


def give_back_freed_memory() -> None:
    """Return to the system what was kept, of all threads: steps of this kind are at their end."""
    library = _gnu_library()
    if library is not None:
        library.malloc_trim(0)


def _gnu_library() -> Any:
    """Return GNU's C library of this process, None where there is another."""
    if platform.libc_ver()[0] != "glibc":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
