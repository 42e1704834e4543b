# SPDX-License-Identifier: GPL-3.0-or-later
"""Run by an engine's own Python, alone: do these modules load?

The names come on stdin, one a line. Each is answered with a line of JSON: [name, what went wrong].
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback


def main() -> None:
    """Import what is asked for."""
    answers, sys.stdout = sys.stdout, sys.stderr  # what modules print is none of the answers
    for name in sys.stdin.read().split():
        answers.write(json.dumps([name, tried(name)]) + "\n")
        answers.flush()


def tried(name: str) -> str:
    """Import a module and say what went wrong, "" if nothing did."""
    try:
        importlib.import_module(name)
    except BaseException as error:  # a library may call sys.exit
        return traceback.format_exception_only(error)[-1].strip() or type(error).__name__
    return ""


if __name__ == "__main__":
    main()
