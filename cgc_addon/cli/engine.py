# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs `install-engine`, `check-engine` and `remove-engine`: the engine's environment.

They run on the Python that the engine is made for, mostly Blender's own, and need no package.
"""

from __future__ import annotations

import argparse
import time
from contextlib import nullcontext
from pathlib import Path

from ..errors import CgcError
from ..installation.archive import EngineArchive, open_archive
from ..installation.checking import check_engine
from ..installation.engine import Engine, find_engine, read_engine
from ..installation.hardware import suggested_build
from ..installation.install import install_engine
from ..installation.lock import (
    BUILDS,
    Lock,
    builds_for,
    lock_path,
    read_lock,
    this_platform,
    this_python,
)
from ..installation.places import EngineHome, engine_home, engines_folder, homes_in
from ..installation.removal import remove_engine
from ..installation.space import in_words
from ..progress import Progress, ShouldStop
from .console.sink import Sink

AUTO = "auto"
BUILD_CHOICES = (AUTO, *BUILDS)


def add_install_arguments(verb: argparse.ArgumentParser) -> None:
    """Add what can be asked of `install-engine`."""
    verb.add_argument("--build", choices=BUILD_CHOICES, default=AUTO)
    verb.add_argument(
        "--from",
        type=Path,
        dest="archive",
        metavar="ARCHIVE.zip",
        help="an engine archive; nothing is downloaded",
    )
    _add_folder(verb)


def add_check_arguments(verb: argparse.ArgumentParser) -> None:
    """Add what can be asked of `check-engine`."""
    _add_folder(verb)


def add_remove_arguments(verb: argparse.ArgumentParser) -> None:
    """Add what can be asked of `remove-engine`."""
    verb.add_argument("--build", choices=BUILD_CHOICES, default=AUTO)
    _add_folder(verb)


def _add_folder(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        help="of the engines; default: CGC_ENGINES, else one of the user's data folders",
    )


def run_install(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Install the engine, mend it, or bring it up to date: whatever is to be done."""
    began = time.monotonic()
    engines = _engines(options.folder)
    opened = nullcontext() if options.archive is None else open_archive(options.archive)
    with opened as archive:
        lock = _wanted_lock(options.build, archive)
        installed = install_engine(
            engines,
            lock,
            archive=archive,
            report=sink.report,
            should_stop=should_stop,
            say=sink.say,
        )
    engine, seconds = installed.engine, time.monotonic() - began
    for note in installed.notes:
        sink.say(note)
    done = "is ready" if installed.changed else "was well already"
    sink.result(
        {
            **_described(engine),
            "downloaded": installed.downloaded,
            "changed": installed.changed,
            "notes": list(installed.notes),
            "seconds": round(seconds, 1),
        },
        f"The engine {done}: {engine.interpreter}, {in_words(engine.size)}, "
        f"{in_words(installed.downloaded)} downloaded, {seconds:.0f} s.",
    )


def run_check(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Say how it is with the engine that is installed."""
    engines = _engines(options.folder)
    engine = find_engine(engines, this_python())
    if engine is None:
        raise CgcError(f"There is no engine in {engines}; `install-engine` makes one.")
    found = check_engine(engine, sink.report, should_stop)
    newer = engine.newer_lock()
    free = "unknown" if found.free is None else in_words(found.free)
    lines = [
        f"Engine in {engine.home.folder}: Python {engine.python}, build {engine.build}, "
        f"{in_words(found.size)}, {free} free.",
        *(f"  {name:<18} {version or 'MISSING'}" for name, version in found.packages.items()),
        *found.problems,
        *found.notes,
        *(["This extension wants other packages: `install-engine` fetches them."] if newer else []),
        "`install-engine` puts that right." if found.problems else "The engine is well.",
    ]
    sink.result(
        {
            **_described(engine),
            "problems": list(found.problems),
            "notes": list(found.notes),
            "packages": dict(found.packages),
            "bytes": found.size,
            "free": found.free,
            "update": newer is not None,
        },
        "\n".join(lines),
    )


def run_remove(options: argparse.Namespace, sink: Sink, _should_stop: ShouldStop) -> None:
    """Delete engines."""
    engines = _engines(options.folder)
    homes = _chosen_homes(engines, options.build)
    if not homes:
        raise CgcError(f"There is no engine in {engines}.")
    freed, told = 0, []
    for home in homes:
        sink.report(Progress(f"Removing {home.folder.name}", 0, 0))
        removal = remove_engine(home)
        freed += removal.freed
        told.append(removal.sentence(home))
    value = {"freed": freed, "sentences": told, "folder": str(engines)}
    sink.result(value, " ".join([*told, f"{in_words(freed)} are free again."]))


def _engines(folder: Path | None) -> Path:
    return engines_folder() if folder is None else folder.expanduser().absolute()


def _wanted_lock(build: str, archive: EngineArchive | None) -> Lock:
    if archive is not None:
        lock = archive.lock()
        if build not in (AUTO, lock.build):
            raise CgcError(f"{archive.path} holds the build {lock.build}, not {build}.")
        return lock
    here, python = this_platform(), this_python()
    builds = builds_for(here, python)
    if not builds:
        raise CgcError(
            f"There is no engine for {here} with Python {python}; run this with a Python that "
            "there is one for, or install the packages by hand."
        )
    chosen = suggested_build(builds) if build == AUTO else build
    if chosen not in builds:
        raise CgcError(f"{here} has no build {chosen}; choose {' or '.join(builds)}.")
    return read_lock(lock_path(here, python, chosen))


def _chosen_homes(engines: Path, build: str) -> list[EngineHome]:
    """Return the homes of this Python's engines, and of what is left of them."""
    python = this_python()
    if build != AUTO:
        home = engine_home(engines, python, build)
        return [home] if home.folder.is_dir() else []
    own = [home for home in homes_in(engines) if home.folder.name.startswith(f"py{python}-")]
    return own or [home for home in homes_in(engines) if read_engine(home) is not None]


def _described(engine: Engine) -> dict[str, object]:
    return {
        "folder": str(engine.home.folder),
        "interpreter": str(engine.interpreter),
        "python": engine.python,
        "build": engine.build,
        "bytes": engine.size,
    }
