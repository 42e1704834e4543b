# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python that an engine is made with: Blender's own, or another one where that has no lock."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...errors import CgcError
from ...installation.lock import builds_for, locked_pythons, this_platform, this_python
from ...installation.programs import clean_environment, isolated
from ...worker.client import Worker
from ..common import interpreter, preferences

ANSWER_SECONDS = 20.0


@dataclass(frozen=True)
class Base:
    """A Python on this machine that there is a lock for."""

    program: Path
    python: str
    """Its version: "3.11"."""
    own: bool
    """Whether it is Blender's."""

    @property
    def builds(self) -> tuple[str, ...]:
        """The builds of PyTorch that there are locks for."""
        return builds_for(this_platform(), self.python)


def find_base() -> Base:
    """Return the Python to make an engine with.

    Blender's own comes first. Where a Linux distribution has built Blender with a Python that there
    is no lock for, one of the PATH that there is a lock for does as well: the engine is a program
    of its own.

    Raises:
        CgcError: there is none.
    """
    here, own = this_platform(), this_python()
    if sys.executable and builds_for(here, own):
        return Base(Path(sys.executable), own, True)
    pythons = locked_pythons(here)
    for python in pythons:
        found = shutil.which(f"python{python}")
        if found is not None and _is(Path(found), python):
            return Base(Path(found), python, False)
    if not pythons:
        raise CgcError(
            f"There is no engine for {here}; name a Python that has the engine's packages as "
            "Interpreter in the preferences of this extension."
        )
    raise CgcError(
        f"This Blender has Python {own}, for which there is no engine; install Python "
        f"{' or '.join(pythons)} beside it, or take Blender from blender.org."
    )


def installer(base: Base) -> Worker:
    """Start a worker on the Python that engines are made with.

    Raises:
        CgcError: it cannot be run.
    """
    worker = Worker(base.program, interpreter.package_parent())
    worker.start()
    return worker


def starts_installer(base: Base) -> partial[Worker]:
    """Return what starts that worker, for a job."""
    return partial(installer, base)


def folder_option() -> tuple[str, str]:
    """Return the option that tells verbs where the engines are."""
    return ("--folder", str(preferences.engines_folder()))


def _is(program: Path, python: str) -> bool:
    """Return whether a program is a Python of a version: a name alone may lead nowhere."""
    asked = isolated(program, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])")
    try:
        answer = subprocess.run(
            asked,
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and answer.stdout.strip() == python
