# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory that a step gives back is kept for the next one, where the C library can be told so.

A step of training takes and gives back some dozens of megabytes. GNU's allocator returns them to
the system each time, which hands out the same pages again, filled with zeros: a twentieth of the
step.
"""

from __future__ import annotations

import ctypes
import platform

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Names of GNU's malloc.h for what `mallopt` sets."""
LARGEST_BLOCK = 32 << 20
"""Bytes: the allocator keeps no larger ones, whatever it is told."""
KEPT = 256 << 20
"""Bytes that may be kept unused."""


def keep_freed_memory() -> bool:
    """Tell GNU's C library to keep what is freed; return whether it did. Others are left alone."""
    if platform.libc_ver()[0] != "glibc":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another library that only says so
        return False
    return bool(mallopt(MMAP_THRESHOLD, LARGEST_BLOCK)) and bool(mallopt(TRIM_THRESHOLD, KEPT))
