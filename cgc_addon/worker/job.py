# SPDX-License-Identifier: GPL-3.0-or-later
"""One job: a verb of the command line, run in the main thread, that ends with one last message."""

from __future__ import annotations

import argparse
import gc
import io
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout

from ..cli import run_verb
from ..cli.arguments import parse
from ..cli.console.json_lines import JsonLines
from ..cli.kept import Kept
from ..errors import CgcError
from .control import Control, Job
from .lines import FINAL, Message, encode


def run_job(job: Job, control: Control, send: Callable[[Message], None], kept: Kept) -> None:
    """Run a job and tell its progress and, at the very end, what came of it.

    Whatever happens the worker lives on: the end is a result, `interrupted`, or an error, with a
    traceback where it is a defect of this program.
    """
    last: Message = {"type": "result"}

    def forward(message: Message) -> None:
        nonlocal last
        if message["type"] in FINAL:
            encode(message)  # what cannot be sent is to fail here, inside the verb
            last = message  # held back until the worker is ready for the next job
        else:
            send({**message, "id": job.id})

    sink = JsonLines(forward)
    try:
        options = _parse(job.arguments)
        options.kept = kept
        run_verb(options, sink, control.should_stop)
    except CgcError as error:
        sink.fail(str(error))
    except KeyboardInterrupt:  # between two of our own lines; within a verb it is caught there
        sink.interrupted(saved=False)
    except BaseException as error:  # also SystemExit of a library: one job must not end the worker
        lines = traceback.format_exception(error)
        print("".join(lines), file=sys.stderr, flush=True)  # noqa: T201 - the worker's log
        name = type(error).__name__
        last = {
            "type": "error",
            "text": f"The engine failed ({name}: {_first_line(error)}); please report this.",
            "traceback": "".join(lines),
        }
    _release_memory()
    control.finish()
    send({**last, "id": job.id})


def _parse(arguments: tuple[str, ...]) -> argparse.Namespace:
    """Parse a job's arguments.

    Raises:
        CgcError: they are wrong, or only ask for help.
    """
    told = io.StringIO()
    try:
        with redirect_stderr(told), redirect_stdout(told):
            return parse(arguments)
    except SystemExit:
        mistake = told.getvalue().strip().rpartition("error: ")[2] or "nothing to do"
        raise CgcError(f"The job {' '.join(arguments)!r} cannot be run: {mistake}.") from None


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else "no details"


def _release_memory() -> None:
    """Give back what the job held: an idle worker must not keep Blender's memory."""
    gc.collect()
    if (torch := sys.modules.get("torch")) is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
