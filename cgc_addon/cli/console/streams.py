# SPDX-License-Identifier: GPL-3.0-or-later
"""Standard output and standard error, in whatever code page they are."""

from __future__ import annotations

import io
import sys


def accept_every_character() -> None:
    r"""Let characters that the code page lacks be written as `\u5199`, instead of failing.

    Names of folders and photos are in what is printed, after hours of work: a redirected output on
    Windows takes few of the world's characters, and one in the locale C none but ASCII.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # Blender, or a test, may have put something else
            stream.reconfigure(errors="backslashreplace")


def speak_utf8() -> None:
    """Write standard output in UTF-8, which the JSON of machines is in."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
