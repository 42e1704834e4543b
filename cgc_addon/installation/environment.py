# SPDX-License-Identifier: GPL-3.0-or-later
"""Making an environment: empty, with what another one has, and with what was downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import CgcError, Interrupted
from ..progress import Progress, Reporter, ShouldStop, never, silent
from .contents import files_of
from .download import MEGABYTE, Chosen, batches
from .lock import Package
from .pip import Pip
from .places import python_of
from .programs import clean_environment, isolated, run_program


def make_empty(environment: Path, base: Path, should_stop: ShouldStop = never) -> None:
    """Make an environment without any package.

    Args:
        environment: its folder, which must not exist.
        base: the Python that it is made with, and that it needs from then on.
        should_stop: asked several times a second.

    Raises:
        CgcError: that Python cannot.
        Interrupted: `should_stop` said so.
    """
    command = isolated(base, "-m", "venv", "--without-pip", environment)
    ended = run_program(command, clean_environment(), should_stop=should_stop)
    if ended.code == 0 and python_of(environment).exists():
        return
    said = [line.strip() for line in ended.lines if line.strip()]
    if any("No module named venv" in line for line in said):
        raise CgcError(
            f"{base} cannot make environments, because its part `venv` is not installed; install "
            "it (Debian and Ubuntu: the package python3-venv), then press Install Engine again."
        )
    reason = said[-1].rstrip(".") if said else "it gave no reason"
    raise CgcError(f"{base} could not make an environment in {environment}: {reason}.")


def take_over(
    packages: Iterable[Package], old: Path, new: Path, should_stop: ShouldStop = never
) -> None:
    """Give a folder of packages what another one has of some, linked where that can be.

    Args:
        packages: that are whole in `old`.
        old: folder of packages.
        new: folder of packages.
        should_stop: asked before each package.

    Raises:
        Interrupted: `should_stop` said so.
        OSError: a file could not be written.
    """
    made: set[Path] = set()
    for package in packages:
        if should_stop():
            raise Interrupted("install")
        for name in files_of(package.name, old):
            target = new / name
            if target.parent not in made:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.add(target.parent)
            if name.suffix == ".pyc" and not (old / name).exists():
                continue
            try:
                # pip replaces files and never writes into them, so either may change later.
                os.link(old / name, target)
            except OSError:  # a file system without links
                shutil.copy2(old / name, target)


def put_in(
    chosen: Sequence[Chosen],
    files: Path,
    environment: Path,
    pip: Pip,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> None:
    """Install packages whose files lie in a folder.

    Args:
        chosen: packages with the file of each.
        files: folder of the files.
        environment: what they go into.
        pip: installs them.
        report: progress in MB (10⁶ bytes) of their files.
        should_stop: asked several times a second.

    Raises:
        CgcError: a file is missing or has other content; no room.
        Interrupted: `should_stop` said so.
    """
    total = max(1, sum(file.size for _, file in chosen))
    done = 0
    for batch in batches(chosen):
        stage = f"Installing {batch[-1][0].name} (MB)"
        parts = round(done / MEGABYTE), max(1, round(total / MEGABYTE))
        report(Progress(stage, *parts, overall=done / total))
        pip.install(python_of(environment), batch, files, should_stop)
        done += sum(file.size for _, file in batch)
