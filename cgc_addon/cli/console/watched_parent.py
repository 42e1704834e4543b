# SPDX-License-Identifier: GPL-3.0-or-later
"""A verb that Blender runs does not outlive it: when Blender is gone, it is asked to stop.

Blender holds the other end of our standard input and writes nothing there. However it ends, the
system closes that end.
"""

from __future__ import annotations

import os
import signal
import threading

STDIN_IS_WATCHED = "CGC_STDIN_IS_WATCHED"
"""Environment variable, set where standard input ends with the program that runs the verb."""


def stop_with_parent() -> None:
    """Take the end of standard input for a wish to stop, where the environment says so."""
    # Programs that we run have another standard input.
    if os.environ.pop(STDIN_IS_WATCHED, "") == "1":
        threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    try:
        while os.read(0, 1 << 10):
            pass
    except OSError:
        return
    signal.raise_signal(signal.SIGTERM)
