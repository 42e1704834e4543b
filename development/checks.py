# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of `dev.py test`: style, types, walls, tests, and the tests inside each Blender."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .environments import ROOT

BLENDER_TESTS = ("tests/blender", "tests/extension")
NOTHING_SELECTED = 5
"""Exit code of pytest when there was no test to run."""


@dataclass(frozen=True)
class Check:
    """One program that has to end well."""

    name: str
    command: Sequence[str]
    variables: Mapping[str, str] = field(default_factory=dict)
    good: tuple[int, ...] = (0,)


def checks(python: Path, pytest_arguments: Sequence[str]) -> list[Check]:
    """Return the checks that run in the engine's environment; the tests come last."""
    lint_imports = shutil.which("lint-imports", path=str(python.parent)) or "lint-imports"
    return [
        Check("ruff check", [str(python), "-m", "ruff", "check"]),
        Check("ruff format", [str(python), "-m", "ruff", "format", "--check"]),
        Check("pyright", [str(python), "-m", "pyright"]),
        Check("import contracts", [lint_imports]),
        _tests("tests", python, (), pytest_arguments),
    ]


def checks_in_blender(
    version: str, python: Path, engine: Path, pytest_arguments: Sequence[str]
) -> list[Check]:
    """Return the tests that run inside a Blender; training is done by the engine's interpreter."""
    named = [argument for argument in pytest_arguments if _is_test_path(argument)]
    if named and not any(path.startswith(BLENDER_TESTS) for path in named):
        return []
    folders = () if named else BLENDER_TESTS
    wanted = [
        argument
        for argument in pytest_arguments
        if argument not in named or argument.startswith(BLENDER_TESTS)
    ]
    name = f"tests in Blender {version}"
    return [_tests(name, python, folders, wanted, {"CGC_PYTHON": str(engine)})]


def _tests(
    name: str,
    python: Path,
    folders: Sequence[str],
    arguments: Sequence[str],
    variables: Mapping[str, str] | None = None,
) -> Check:
    command = [str(python), "-m", "pytest", *folders, *arguments]
    # A selection may leave nothing for one of the environments.
    good = (0, NOTHING_SELECTED) if arguments else (0,)
    return Check(name, command, variables or {}, good)


def _is_test_path(argument: str) -> bool:
    return not argument.startswith("-") and (ROOT / argument.partition("::")[0]).exists()


def run_checks(steps: Sequence[Check], variables: Mapping[str, str]) -> int:
    """Run every check, also after one has failed, and return 0 only when all are good, else 1."""
    failed = []
    for step in steps:
        print(f"\n== {step.name}", flush=True)
        begun = time.monotonic()
        try:
            code = subprocess.run(
                step.command, cwd=ROOT, env={**variables, **step.variables}, check=False
            ).returncode
        except FileNotFoundError:
            print(f"{step.command[0]} is missing.", file=sys.stderr)
            code = -1
        verdict = "good" if code in step.good else f"FAILED with exit code {code}"
        print(f"== {step.name}: {verdict}, {time.monotonic() - begun:.1f} s", flush=True)
        if code not in step.good:
            failed.append(step.name)
    if failed:
        print(f"\ndev.py: failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0
