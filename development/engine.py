# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment the engine runs in, `.venv`, with the build of PyTorch this machine can use."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path

from .environments import (
    ROOT,
    SetupError,
    bring_up_to_date,
    digest,
    pip_install,
    python_of,
    read_stamp,
    say,
)

ENVIRONMENT = ROOT / ".venv"
RUNTIME_LOCK = ROOT / "wheels" / "requirements.lock"
CHECKS_LOCK = ROOT / "wheels" / "requirements-dev.lock"


def set_up(*, checks: bool, environment: Path = ENVIRONMENT) -> Path:
    """Make the engine's environment or bring it up to date; return its interpreter.

    Args:
        checks: also install what the checks need.
        environment: its folder.

    Raises:
        SetupError: Python has no `venv`, or a package could not be installed.
    """
    torch = torch_build()
    wanted = {"torch": torch, "runtime": digest(RUNTIME_LOCK)}
    lock = RUNTIME_LOCK
    if checks or "checks" in read_stamp(environment):
        wanted["checks"] = digest(RUNTIME_LOCK, CHECKS_LOCK)
        lock = CHECKS_LOCK

    def install() -> None:
        say(f"Installing PyTorch, the {torch.upper()} build …")
        pip_install(environment, [*torch_packages(), *torch_sources(torch)])
        if torch == "cpu" and torch_sources(torch) and "+cpu" not in installed_torch(environment):
            say("The CPU build could not be had; this is the CUDA build: gigabytes more.")
        say(f"Installing the packages of {lock.relative_to(ROOT)} …")
        pip_install(environment, ["-r", str(lock)])

    bring_up_to_date(environment, wanted, install)
    return python_of(environment)


def torch_build() -> str:
    """Return "cpu" or "cuda": what CGC_TORCH says, or what this machine can use."""
    # Only the standard library is behind it. Not above: dev.py must start in any Python.
    from cgc_addon.installation.hardware import has_nvidia_driver  # noqa: PLC0415

    chosen = os.environ.get("CGC_TORCH", "").strip().lower()
    if chosen in ("cpu", "cuda"):
        return chosen
    if chosen:
        raise SetupError(f"CGC_TORCH is {chosen!r}; set it to cpu or cuda, or not at all.")
    return "cuda" if has_nvidia_driver() else "cpu"


def torch_packages() -> list[str]:
    """Return pip's arguments for what has a build of its own for each build of PyTorch.

    What these need comes with the lock: only they themselves are sought in PyTorch's index. Where
    that does not answer, torch and torchvision may be of different builds; the masks' part of the
    engine copes with it.
    """
    return [*(f"{name}=={locked_version(name)}" for name in ("torch", "torchvision")), "--no-deps"]


def torch_sources(build: str, system: str | None = None) -> list[str]:
    """Return pip's options for a build of PyTorch.

    A version there carries a mark such as +cpu and counts as newer than the plain one, so pip takes
    it where the index answers. Where it does not, pip soon goes on with the sources it has.
    """
    # Not above, as in `torch_build`.
    from cgc_addon.installation.hardware import PYTORCH_INDEXES  # noqa: PLC0415

    index = PYTORCH_INDEXES.get((system or platform.system(), build))
    if index is None:
        return []
    return ["--extra-index-url", index, "--retries", "1", "--timeout", "20"]


def locked_version(package: str) -> str:
    """Return the one version that the runtime lock has of a package."""
    found = re.search(rf"(?m)^{re.escape(package)}==(\S+)", RUNTIME_LOCK.read_text("utf-8"))
    if found is None:
        raise SetupError(f"{RUNTIME_LOCK} does not name {package}.")
    return found[1]


def installed_torch(environment: Path) -> str:
    """Return the version of torch in the environment, with its mark."""
    program = "import importlib.metadata as m; print(m.version('torch'))"
    command = [str(python_of(environment)), "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
