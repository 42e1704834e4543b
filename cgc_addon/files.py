# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are either whole or not there: written beside their place, then renamed into it."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import CgcError
from .leftovers import remove_leftovers_of, temporary_path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path; when the block ends well, it becomes `path` in one step.

    A kill at any moment leaves the previous `path`, or none, and the temporary one, which goes when
    `path` is written again. Missing parent folders are made.

    Raises:
        CgcError: the folder cannot be written, or the disk is full; `path` is as it was.
    """
    remove_leftovers_of(path)
    temporary = temporary_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("r+b") as written:  # Windows flushes no file that is open for reading
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise CgcError(
            f"{path} could not be written: {error.strerror or error}; "
            "check free space and permissions of that folder, then run again."
        ) from error
    finally:
        with suppress(OSError):  # cleaning up must not hide what went wrong
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    r"""Write UTF-8 `text` to `path`, whole or not at all.

    What a file name has of bytes that are no UTF-8, as names on Linux may, is written as `\udcff`:
    in JSON, that reads back as the same name.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON to `path`, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def check_is_file(path: Path) -> None:
    """Check that a path that is to be read is a file: a pipe or a device may never end.

    Raises:
        FileNotFoundError: there is nothing.
        CgcError: it is something else.
        OSError: it cannot be told.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise CgcError(f"{path} is {kind}, not a file; name a file.")


def read_json(path: Path) -> Any:
    """Read a JSON file, with or without a byte-order mark.

    Raises:
        CgcError: the file is missing, unreadable, not JSON, or not what anybody would write.
    """
    try:
        check_is_file(path)
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise CgcError(f"{path} is missing.") from None
    except OSError as error:
        raise CgcError(f"{path} could not be read: {error.strerror or error}.") from error
    except RecursionError as error:
        raise CgcError(f"{path} is nested too deep to be read; write it anew.") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CgcError(f"{path} is not valid JSON: {error}.") from error
    except ValueError as error:  # thousands of digits, which Python does not read
        raise CgcError(f"{path} holds a number of too many digits; correct it.") from error
