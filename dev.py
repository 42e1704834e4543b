# SPDX-License-Identifier: GPL-3.0-or-later
"""Set up the engine beside this file and run it: `python3 dev.py demo`, `python3 dev.py test`.

    python3 dev.py setup              make .venv, or bring it up to date
    python3 dev.py demo [OPTIONS]     the whole way on the bundled sample
    python3 dev.py run VERB [...]     any verb of the engine; `run --help` lists them
    python3 dev.py test [PYTEST ...]  all checks, then the tests, then those inside Blender

The environment variable CGC_TORCH=cpu or CGC_TORCH=cuda chooses the build of PyTorch; without it
the CUDA build comes where an NVIDIA card is seen, and the much smaller CPU build everywhere else.
CGC_BLENDER=PATH names the Blender for the demo; without it an installed one is taken, or Blender as
a Python module is fetched. CGC_MODELS=FOLDER names the folder of the mask models; without it the
tests fetch the one they need into .models.

This file and the folder development/ need nothing but Python's standard library.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from development import blenders, engine, models
from development.checks import checks, checks_in_blender, run_checks
from development.environments import ROOT, SetupError, runs

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 14)
DONE, FAILED, BAD_ARGUMENTS, INTERRUPTED = 0, 1, 2, 130


def main(arguments: list[str]) -> int:
    """Do what the command line asks for and return the exit code."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(__doc__)
        return DONE if arguments else BAD_ARGUMENTS
    command, rest = arguments[0], arguments[1:]
    if command not in ("setup", "demo", "run", "test") or (command == "setup" and rest):
        print(f"dev.py: {' '.join(arguments)!r} is no command; see --help.", file=sys.stderr)
        return BAD_ARGUMENTS
    try:
        with_this_python_or_a_better_one(arguments)
        if command == "test":
            return test(rest)
        python = engine.set_up(checks=False)
        if command == "setup":
            return DONE
        if command == "demo":
            return become([str(python), "-m", "cgc_addon", "demo", *rest], blenders.for_the_demo())
        return become([str(python), "-m", "cgc_addon", *rest])
    except SetupError as error:
        print(f"dev.py: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("dev.py: interrupted.", file=sys.stderr)
        return INTERRUPTED


def test(pytest_arguments: list[str]) -> int:
    """Run every check, then the tests inside each Blender that can be had here."""
    python = engine.set_up(checks=True)
    steps = checks(python, pytest_arguments)
    for blender, blender_python in blenders.for_the_tests().items():
        steps += checks_in_blender(blender.version, blender_python, python, pytest_arguments)
    return run_checks(steps, {**child_environment(), **models.for_the_tests()})


def child_environment() -> dict[str, str]:
    """Return the environment variables for a child process."""
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONHOME"}
    variables["PYTHONPATH"] = str(ROOT)
    from cgc_addon.waiting_threads import let_threads_sleep  # noqa: PLC0415

    let_threads_sleep(variables)
    return variables


def become(command: list[str], variables: Mapping[str, str] | None = None) -> int:
    """Run a program in place of this one, so that signals and the exit code are its own."""
    environment = {**child_environment(), **(variables or {})}
    sys.stdout.flush()
    if os.name != "nt":
        os.execve(command[0], command, environment)
    with subprocess.Popen(command, env=environment) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:  # the child got it too, and decides
                continue


def with_this_python_or_a_better_one(arguments: list[str]) -> None:
    """Go on with another Python when this one is too old or too new for the locked packages.

    Raises:
        SetupError: there is none.
    """
    if OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        return
    for minor in range(NEWEST_PYTHON[1], OLDEST_PYTHON[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other and runs(Path(other)):
            raise SystemExit(become([other, str(Path(__file__).resolve()), *arguments]))
    raise SetupError(
        f"Python {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} to {NEWEST_PYTHON[0]}.{NEWEST_PYTHON[1]} is "
        f"needed, this is {platform.python_version()}; install one of them and run dev.py with it."
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
