# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m cgc_addon.reconstruction.colmap.child`: one stage of COLMAP's work; see `process`."""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from ....errors import CgcError
from ....progress import Progress
from ....signals import ASK_TO_STOP, handlers_kept


def main() -> int:
    """Read one request from stdin, do it, write progress and the result to stdout."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever C++ prints goes to the log
    sys.stdout = sys.stderr
    faulthandler.enable()
    for number in ASK_TO_STOP:  # whoever started us is asked, too, and ends us when it stops
        signal.signal(number, signal.SIG_IGN)
    request = json.loads(_read_line())
    threading.Thread(target=_leave_with_parent, daemon=True).start()

    def send(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message).encode() + b"\n")

    def report(progress: Progress, /) -> None:
        send({"stage": progress.stage, "done": progress.done, "total": progress.total})

    stage = request.pop("stage")
    try:
        send({"result": _stages()[stage](report=report, **request)})
    except CgcError as error:
        send({"error": str(error)})
    except ModuleNotFoundError as error:
        send({
            "error": f"The Python at {sys.executable} lacks the package {error.name!r}; install "
            "the engine's packages there, or choose another Python that has them."
        })  # fmt: skip
    except BrokenPipeError:
        return 1
    return 0


def _stages() -> dict[str, Callable[..., dict[str, Any]]]:
    with handlers_kept():
        import pycolmap

    # Warnings go to stderr, which is the log file; there is no other.
    pycolmap.logging.logtostderr = True
    pycolmap.logging.minloglevel = pycolmap.logging.Level.WARNING.value
    from . import features, mapping, matching, pairing, undistorting

    return {
        "features": features.extract,
        "pairs": pairing.choose,
        "matching": matching.match,
        "mapping": mapping.map_photos,
        "undistorting": undistorting.undistort,
    }


def _read_line() -> bytes:
    """Return the first line of stdin, without Python's buffer, which a thread would hold locked."""
    line = b""
    while not line.endswith(b"\n") and (part := os.read(0, 1 << 16)):
        line += part
    return line


def _leave_with_parent() -> None:
    """End when stdin does: whoever started us is gone and nobody waits for the result."""
    while os.read(0, 1 << 10):
        pass
    os._exit(1)


if __name__ == "__main__":
    raise SystemExit(main())
