# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an engine is as its lock says, and works."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..progress import Progress, Reporter, ShouldStop, never, silent
from .contents import Found, look_at
from .engine import Engine, site_packages
from .lock import Lock
from .needed import NEEDED
from .places import python_of
from .programs import clean_environment, isolated, run_program
from .space import folder_bytes, free_bytes

COMPILES = (
    "gsplat has no compiled kernels here: it compiles them at its first use, which takes many "
    "minutes and needs NVIDIA's compiler nvcc and a C++ compiler."
)
SCRIPT = Path(__file__).resolve().parent / "importing.py"
_BINARIES = (".so", ".pyd")


@dataclass(frozen=True)
class CheckReport:
    """What a check found."""

    problems: tuple[str, ...]
    """Sentences; none where the engine is well."""
    notes: tuple[str, ...]
    """What the user should know besides."""
    packages: Mapping[str, str]
    """Version of each package, empty where it is missing."""
    size: int
    """Bytes that the engine takes."""
    free: int | None
    """Bytes that are free where it lies; None where that cannot be told."""


def check_engine(
    engine: Engine, report: Reporter = silent, should_stop: ShouldStop = never
) -> CheckReport:
    """Look at every file of an engine and import what is needed of it.

    Raises:
        Interrupted: `should_stop` said so.
    """
    folder = site_packages(engine.environment, engine.python)
    report(Progress("Looking at files", 0, 0))
    found = look_at(engine.lock.packages, folder)
    problems = [_sentence(state) for state in found if state.problem]
    if unusable := engine.problem():
        problems.append(unusable)
    else:
        broken = import_problems(engine.environment, engine.lock, report, should_stop)
        problems += [f"{name} does not load: {reason}." for name, reason in broken.items()]
    return CheckReport(
        problems=tuple(problems),
        notes=notes_on(engine.lock, folder),
        packages={state.name: state.version for state in found},
        size=folder_bytes(engine.home.folder),
        free=free_bytes(engine.home.folder),
    )


def import_problems(
    environment: Path,
    lock: Lock,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> dict[str, str]:
    """Import what the engine needs of a lock, in the environment's own Python.

    Returns:
        For each package that does not load, why.

    Raises:
        CgcError: the environment's Python cannot be run.
        Interrupted: `should_stop` said so.
    """
    packages = [package.name for package in lock.packages if package.name in NEEDED]
    modules = [NEEDED[name] for name in packages]
    answers: dict[str, str] = {}

    def take(line: str) -> None:
        if (answer := _answer(line, modules)) is not None:
            answers[answer[0]] = answer[1]
            tell()

    def tell() -> None:
        done = len(answers)
        name = packages[min(done, len(packages) - 1)]
        report(Progress(f"Trying {name}", done, len(packages), overall=done / len(packages)))

    if not packages:
        return {}
    tell()
    ended = run_program(
        isolated(python_of(environment), SCRIPT),
        clean_environment({"OMP_WAIT_POLICY": "PASSIVE"}),
        take,
        should_stop,
        tell="\n".join(modules),
    )
    broken: dict[str, str] = {}
    for name, module in zip(packages, modules, strict=True):
        if module not in answers:  # it has taken the Python along; those after it were not tried
            said = [line.strip() for line in ended.lines if line.strip()]
            last = said[-1].rstrip(".") if said else "no reason given"
            broken[name] = f"Python ended with {ended.code} ({last})"
            break
        if answers[module]:
            broken[name] = answers[module].rstrip(".")
    return broken


def notes_on(lock: Lock, folder: Path) -> tuple[str, ...]:
    """Return what to know about an engine that is well."""
    if lock.build != "cuda" or not (folder / "gsplat").is_dir():
        return ()
    compiled = any(path.suffix in _BINARIES for path in folder.glob("gsplat/*") if path.is_file())
    return () if compiled else (COMPILES,)


def _sentence(state: Found) -> str:
    return f"{state.name} {state.problem}."


def _answer(line: str, modules: Sequence[str]) -> tuple[str, str] | None:
    """Return name and problem of a line that is an answer; modules print lines of their own."""
    if not line.startswith("["):
        return None
    try:
        answer = json.loads(line)
    except ValueError:
        return None
    if isinstance(answer, list) and len(answer) == 2 and answer[0] in modules:
        return answer[0], str(answer[1])
    return None
