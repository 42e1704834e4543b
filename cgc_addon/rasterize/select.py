# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backend draws on this computer, and why."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import cast

from ..errors import CgcError
from ..progress import Reporter, ShouldStop, never, silent
from . import backends
from .backends import AUTO, BackendDescription, backend_names
from .interface import Backend, BackendModule


def select_backend(
    choice: str,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
    *,
    compile_kernels: bool = True,
) -> tuple[Backend, str]:
    """Return the backend to draw with and a sentence that says why it is this one.

    Args:
        choice: name of a backend, or "auto" for the last of `backends.BACKENDS` that works here.
        report: hears that kernels are being loaded or compiled, which may take minutes.
        should_stop: asked while they are compiled.
        compile_kernels: compile all kernels now, not when they are first needed.

    Raises:
        CgcError: there is no such backend, or the one asked for cannot be used here.
        Interrupted: `should_stop` said so.

    Example:
        >>> backend, why = select_backend("cpu", compile_kernels=False)
        >>> why
        'Drawing on the CPU, as asked.'
        >>> backend.name, str(backend.device)
        ('cpu', 'cpu')
    """
    if choice not in backend_names():
        raise CgcError(f"There is no backend {choice!r}; choose {_either(backend_names())}.")
    wanted = [one for one in reversed(backends.BACKENDS) if choice in (AUTO, one.name)]
    obstacles: list[str] = []
    for description in wanted:
        backend, obstacle = _open(description, report, should_stop, compile_kernels)
        if backend is not None:
            return backend, _why(description, backend, choice, obstacles)
        obstacles.append(obstacle)
    if choice == AUTO:
        reasons = "; ".join(
            f"{one.name}: {obstacle}" for one, obstacle in zip(wanted, obstacles, strict=True)
        )
        raise CgcError(f"No backend can be used ({reasons}). Mend one of them.")
    others = [name for name in backend_names() if name != choice]
    raise CgcError(
        f"The backend {choice} cannot be used: {obstacles[0]}. Mend that or choose "
        f"{_either(others)}."
    )


def _open(
    description: BackendDescription,
    report: Reporter,
    should_stop: ShouldStop,
    compile_kernels: bool,
) -> tuple[Backend | None, str]:
    """Return the backend, or None and what stands in its way, without a full stop."""
    try:
        module = cast(BackendModule, importlib.import_module(description.module, __package__))
        if obstacle := module.obstacle(report, should_stop, compile_kernels=compile_kernels):
            return None, obstacle
        return module.open_backend(report, compile_kernels=compile_kernels), ""
    except ModuleNotFoundError as error:
        return None, f"the Python package {error.name} is missing"


def _why(
    description: BackendDescription, backend: Backend, choice: str, obstacles: Sequence[str]
) -> str:
    reason = backend.hardware or "; ".join(obstacles)
    if reason:
        return f"Drawing on {description.place}: {reason}."
    return f"Drawing on {description.place}{', as asked' if choice != AUTO else ''}."


def _either(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}"
