# SPDX-License-Identifier: GPL-3.0-or-later
"""`blender -b -c cgc VERB …`: the verbs of `python -m cgc_addon VERB …`, with the same exit codes.

Verbs that need the engine run in a process of the interpreter that the preferences name. It owns
the terminal as if it had been called by hand. `blend` needs Blender and runs in this one; those
that install the engine run on Blender's own Python.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

import bpy

from ..cli.console.watched_parent import STDIN_IS_WATCHED
from ..errors import CgcError
from ..installation.places import VARIABLE as ENGINES_VARIABLE
from ..worker.environment import worker_environment
from .blend_file import write_blend
from .common import preferences
from .common.interpreter import package_parent
from .install.base import find_base
from .install.plan import offline_sentence

NAME = "cgc"
IN_THIS_BLENDER = ("blend",)
WITHOUT_ENGINE = ("install-engine", "check-engine", "remove-engine")
DONE, FAILED = 0, 1
_FORWARDED = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_handles: list[object] = []
"""What Blender wants back when the command goes."""


def run_verb(arguments: Sequence[str]) -> int:
    """Run one verb and return its exit code: 0 done, 1 failed, 2 bad arguments, 130 interrupted.

    Args:
        arguments: the verb and what belongs to it, paths relative to the current folder.
    """
    if arguments and arguments[0] in IN_THIS_BLENDER:
        from ..cli import main

        return main(arguments, lambda: write_blend)
    try:
        if arguments and arguments[0] in WITHOUT_ENGINE:
            return _run(*_without_engine(arguments))
        command = [str(preferences.interpreter()), "-m", "cgc_addon", *arguments]
        return _run(command, {"CGC_BLENDER": this_blender(), **preferences.worker_environment()})
    except CgcError as error:
        print(f"cgc: {error}", file=sys.stderr, flush=True)  # noqa: T201 - the verb's output
        return FAILED


def _without_engine(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return command and environment of a verb that needs no engine.

    Raises:
        CgcError: there is no Python for it, or it would go online and Blender may not.
    """
    goes_online = arguments[0] == "install-engine" and not {"--from", "--help"} & set(arguments)
    if goes_online and (sentence := offline_sentence()):
        raise CgcError(sentence)
    environment = worker_environment(os.environ, package_parent())
    environment[ENGINES_VARIABLE] = str(preferences.engines_folder())
    return [str(find_base().program), "-m", "cgc_addon", *arguments], environment


def this_blender() -> str:
    """Return the program that runs this code: Blender, or a Python with Blender as a module."""
    return bpy.app.binary_path or sys.executable


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a program to its end, in the terminal of this one, and return its exit code.

    Raises:
        CgcError: it cannot be started.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with _forwarded_signals() as forward_to:
        try:
            # In a group of its own, the terminal's Ctrl-C reaches it once, and through us.
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                env={**environment, STDIN_IS_WATCHED: "1"},
                process_group=0 if os.name == "posix" else -1,
            )
        except OSError as error:
            raise CgcError(
                f"{command[0]} cannot be run ({error.strerror or error}); name a Python that has "
                "the engine's packages in the preferences of this extension, or in CGC_PYTHON."
            ) from error
        forward_to.append(process)
        with process:
            code = process.wait()
    return code if code >= 0 else 128 - code


@contextmanager
def _forwarded_signals() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Hand the wish to end on to the processes that are put into the list."""
    processes: list[subprocess.Popen[bytes]] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        if os.name == "nt" and number == signal.SIGINT:
            return  # the console has told all its programs
        for process in processes:
            process.send_signal(number)

    previous = {number: signal.signal(number, forward) for number in _FORWARDED}
    try:
        yield processes
    finally:
        for number, handler in previous.items():
            # None: a handler of Blender's own, which Python cannot put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def register() -> None:
    """Make the command known to Blender."""
    _handles.append(bpy.utils.register_cli_command(NAME, run_verb))


def unregister() -> None:
    """Take it back."""
    while _handles:
        bpy.utils.unregister_cli_command(_handles.pop())
