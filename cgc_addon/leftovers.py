# SPDX-License-Identifier: GPL-3.0-or-later
"""What killed processes have left half-written: files and folders called `.NAME.PROCESS.tmp`."""

from __future__ import annotations

import os
import re
import shutil
import zlib
from contextlib import suppress
from pathlib import Path

_LONGEST = 255 - len("..123456789.tmp")
"""Bytes of a name, of which most file systems take 255."""
_HALF = "".join(map(chr, range(0xDC80, 0xDD00)))
"""What Python makes of bytes that are no whole letter."""
_TEMPORARY = re.compile(r"\..+\.(\d{1,9})\.tmp")


def temporary_path(path: Path) -> Path:
    """Return where this process writes what is to become `path`: in its folder, hidden.

    Names that would become too long for a file are cut, and a number tells them apart.
    """
    return path.with_name(f".{_shortened(path.name)}.{os.getpid()}.tmp")


def remove_leftovers(folder: Path) -> None:
    """Remove what dead processes have left half-written in a folder; that of living ones stays.

    Nothing is said where that cannot be done: they are in nobody's way.
    """
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            _remove_if_left(path)


def remove_leftovers_of(path: Path) -> None:
    """Remove what dead processes have left half-written of one file; as `remove_leftovers`."""
    left = re.compile(re.escape(f".{_shortened(path.name)}.") + r"\d{1,9}\.tmp")
    with suppress(OSError), os.scandir(path.parent) as entries:
        for name in [entry.name for entry in entries if left.fullmatch(entry.name)]:
            _remove_if_left(path.with_name(name))


def _shortened(name: str) -> str:
    encoded = os.fsencode(name)
    if len(encoded) <= _LONGEST:
        return name
    return f"{os.fsdecode(encoded[: _LONGEST - 36]).rstrip(_HALF)}~{zlib.crc32(encoded):08x}"


def _remove_if_left(path: Path) -> None:
    found = _TEMPORARY.fullmatch(path.name)
    if found is None or _is_alive(int(found[1])):
        return
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _is_alive(process: int) -> bool:
    """Whether a process may still be writing."""
    if process == os.getpid():
        return True
    if os.name == "nt":  # which removes no file that somebody has open
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # somebody else's
        return True
    return True
