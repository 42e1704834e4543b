# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the worker's Python once it was checked: what it has, and what it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..common.interpreter import Interpreter, install_command


@dataclass(frozen=True)
class WorkerReport:
    """The outcome of a check."""

    interpreter: Interpreter
    python: str = ""
    """Version of Python."""
    system: str = ""
    cores: int = 0
    packages: Mapping[str, str | None] = field(default_factory=dict)
    """Version of each package that the engine needs, None where it is missing."""
    rasterizer: str = ""
    """Name of the backend that training draws with: "cpu", "cuda"."""
    device: str = ""
    why: str = ""
    """Why this backend, in a sentence."""
    error: str = ""
    """Why the worker cannot be used, in a sentence; empty where it can, or packages are missing."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Packages that the engine needs and does not find."""
        return tuple(name for name, version in self.packages.items() if version is None)

    @property
    def usable(self) -> bool:
        """Whether training can start."""
        return not self.error and not self.missing

    @property
    def command(self) -> str:
        """A line for a terminal that installs what is missing; empty where nothing is.

        Also empty for Blender's own Python, whose packages are Blender's: it gets an engine beside.
        """
        if not self.missing or self.interpreter.own:
            return ""
        return install_command(self.interpreter, self.missing)

    def sentence(self) -> str:
        """Say it to the user."""
        if self.error:
            return self.error
        if self.missing and self.interpreter.own:
            return (
                f"Blender's own Python lacks {', '.join(self.missing)}; press Install Engine in "
                "the preferences of this extension."
            )
        if self.missing:
            return (
                f"{self.interpreter.path} lacks {', '.join(self.missing)}; install what is missing "
                "as the preferences of this extension say."
            )
        return f"The worker is ready: Python {self.python}, drawing with {self.rasterizer}."


def report_of(interpreter: Interpreter, probed: Mapping[str, Any]) -> WorkerReport:
    """Return the report of what the verb `probe` told."""
    backend = probed.get("backend") or {}
    return WorkerReport(
        interpreter,
        python=str(probed.get("python", "")),
        system=str(probed.get("system", "")),
        cores=int(probed.get("cores") or 0),
        packages=dict(probed.get("packages") or {}),
        rasterizer=str(backend.get("name", "")),
        device=str(backend.get("device", "")),
        why=str(backend.get("why", "")),
        error=str(probed.get("problem") or ""),
    )
