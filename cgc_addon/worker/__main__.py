# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m cgc_addon.worker`: do one job after the other until the parent goes."""

from __future__ import annotations

import os
import sys

OLDEST = (3, 11)
if sys.version_info < OLDEST:  # before anything is imported that an older Python cannot read
    raise SystemExit(
        f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; this one is {sys.version.split()[0]}"
    )

import faulthandler  # noqa: E402
import platform  # noqa: E402

from ..cli import DONE, INTERRUPTED  # noqa: E402
from ..cli.kept import Kept  # noqa: E402
from ..version import __version__  # noqa: E402
from ..waiting_threads import let_threads_sleep  # noqa: E402
from .control import Control, leave_with_parent, leaving_on_signals, obey  # noqa: E402
from .job import run_job  # noqa: E402
from .lines import PROTOCOL  # noqa: E402
from .streams import Outlet, take_standard_streams  # noqa: E402

NICENESS = 10
"""The window that waits for us comes first; alone, we still get the whole machine."""


def main() -> int:
    """Greet, then run jobs until `quit`, the end of stdin, the end of the parent, or a signal."""
    requests, answers = take_standard_streams()
    if sys.platform != "win32":  # where the parent has set the priority
        os.nice(NICENESS)
    faulthandler.enable()  # a crash in C code shows on stderr where it was
    let_threads_sleep(os.environ)
    outlet = Outlet(answers)
    control = Control(outlet.send)
    leave_with_parent(control)  # before the parent knows of us, and may go
    outlet.send(
        {
            "type": "hello",
            "protocol": PROTOCOL,
            "version": __version__,
            "python": platform.python_version(),
            "executable": sys.executable,
            "pid": os.getpid(),
        }
    )
    kept = Kept()
    with leaving_on_signals(control) as signal_came:
        obey(requests, control)
        while (job := control.next_job()) is not None:
            run_job(job, control, outlet.send, kept)
        return INTERRUPTED if signal_came() else DONE


if __name__ == "__main__":
    raise SystemExit(main())
