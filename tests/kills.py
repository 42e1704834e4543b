# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills a function before any one of the things it does to files."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

CHANGES = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate")
"""Audit events, one for each call."""
KILLED = 9


def killed_before(change: int, function: Callable[[], object]) -> bool:
    """Run a function in a fork that ends before its n-th change, as by a kill; whether it did.

    Args:
        change: n, from 1. Reading a file counts, too.
        function: is over before that many changes in the end.
    """
    child = os.fork()
    if child == 0:
        left = change

        def watch(event: str, _arguments: object) -> None:
            nonlocal left
            if event in CHANGES:
                left -= 1
                if left == 0:
                    os._exit(KILLED)

        sys.addaudithook(watch)
        try:
            function()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, KILLED), f"the function failed with {code}"
    return code == KILLED
