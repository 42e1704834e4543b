# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of `dev.py test`: style, types, walls, tests, and the tests inside each Blender."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from .environments import ROOT

BLENDER_TESTS = ("tests/blender", "tests/extension")
FEWEST_AT_ONCE = 3
"""Even on two cores: a third of the time a suite waits for processes that it started."""
NOTHING_SELECTED = 5
"""Exit code of pytest when there was no test to run."""


@dataclass(frozen=True)
class Check:
    """One program that has to end well."""

    name: str
    command: Sequence[str]
    variables: Mapping[str, str] = field(default_factory=dict)
    good: tuple[int, ...] = (0,)
    beside_others: bool = False
    """Whether it may run at the same time as others that say so."""


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
    return Check(name, command, variables or {}, good, beside_others=True)


def _is_test_path(argument: str) -> bool:
    return not argument.startswith("-") and (ROOT / argument.partition("::")[0]).exists()


def run_checks(steps: Sequence[Check], variables: Mapping[str, str], at_once: int = 0) -> int:
    """Run every check, also after one has failed, and return 0 only when all are good, else 1.

    Args:
        steps: what to run, in this order.
        variables: the environment of all of them.
        at_once: how many of those that may run beside others do; 0: one for each two threads of
            the processor, `FEWEST_AT_ONCE` at least. The output of such a one is shown when it has
            ended.
    """
    alone = [step for step in steps if not step.beside_others]
    beside = [step for step in steps if step.beside_others]
    failed = [step.name for step in alone if not _run(step, variables)]
    if len(beside) == 1:
        failed += [step.name for step in beside if not _run(step, variables)]
    else:
        failed += _run_beside(
            beside, variables, at_once or max(FEWEST_AT_ONCE, (os.cpu_count() or 2) // 2)
        )
    if failed:
        print(f"\ndev.py: failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


def _run(step: Check, variables: Mapping[str, str]) -> bool:
    """Run one check, showing what it says, and return whether it was good."""
    print(f"\n== {step.name}", flush=True)
    begun = time.monotonic()
    started = _start(step, variables, None)
    return _verdict(step, -1 if started is None else started.wait(), begun)


def _run_beside(steps: Sequence[Check], variables: Mapping[str, str], at_once: int) -> list[str]:
    """Run checks some at a time; return the names of those that were not good, in their order."""
    waiting = list(steps)
    running: list[tuple[Check, subprocess.Popen[bytes] | None, IO[bytes], float]] = []
    failed: set[str] = set()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                step = waiting.pop(0)
                print(f"\n== {step.name}: running", flush=True)
                output = tempfile.TemporaryFile()  # noqa: SIM115 - open while it runs
                running.append((step, _start(step, variables, output), output, time.monotonic()))
            for entry in list(running):
                step, started, output, begun = entry
                if started is not None and started.poll() is None:
                    continue
                running.remove(entry)
                print(f"\n== {step.name}", flush=True)
                output.seek(0)
                sys.stdout.write(output.read().decode(errors="replace"))
                output.close()
                code = -1 if started is None else started.returncode
                if not _verdict(step, code, begun):
                    failed.add(step.name)
            time.sleep(0.1)
    finally:  # Ctrl-C: they have got it too
        for _, started, output, _ in running:
            if started is not None:
                started.terminate()
                started.wait()
            output.close()
    return [step.name for step in steps if step.name in failed]


def _start(
    step: Check, variables: Mapping[str, str], output: IO[bytes] | None
) -> subprocess.Popen[bytes] | None:
    """Start a check, None where its program is missing."""
    try:
        return subprocess.Popen(
            step.command,
            cwd=ROOT,
            env={**variables, **step.variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
        )
    except FileNotFoundError:
        print(f"{step.command[0]} is missing.", file=sys.stderr)
        return None


def _verdict(step: Check, code: int, begun: float) -> bool:
    good = code in step.good
    word = "good" if good else f"FAILED with exit code {code}"
    print(f"== {step.name}: {word}, {time.monotonic() - begun:.1f} s", flush=True)
    return good
