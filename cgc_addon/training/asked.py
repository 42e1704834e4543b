# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user fixed of a run's size and time, and what was left to the program.

Kept in config.json beside the configuration that came of it, so that the same wish finds its run
again, on whatever machine. The standard library alone: Blender reads it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from ..errors import CgcError
from .config import TrainingConfig
from .run_folder import RunFolder


@dataclass(frozen=True)
class Asked:
    """None is left to the program."""

    max_size: int | None = None
    """Longest side of the photos, px."""
    max_gaussians: int | None = None
    steps: int | None = None
    minutes: float | None = None
    """How long the run may take."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def read_asked(folder: RunFolder) -> Asked | None:
    """Return what was asked for when a run was started; None where its configuration was given.

    Raises:
        CgcError: it cannot be read.
    """
    values = folder.read_asked()
    if values is None:
        return None
    numbers = (int, float, type(None))
    if set(values) != {field.name for field in fields(Asked)} or any(
        isinstance(value, bool) or not isinstance(value, numbers) for value in values.values()
    ):
        raise CgcError(f'{folder.config}: "asked" must hold four numbers; start the run anew.')
    return Asked(**values)


def is_run_of(
    folder: RunFolder, dataset: Path, config: TrainingConfig, asked: Asked | None
) -> bool:
    """Return whether a run folder holds the run that is wanted.

    Args:
        folder: that holds a run.
        dataset: that it is to be of.
        config: as configured, before it was fitted to anything.
        asked: what of it is fixed; None: all.

    Raises:
        CgcError: its configuration cannot be read.
    """
    trained_on, trained_with = folder.read_config()
    before = read_asked(folder)
    if trained_on != dataset.resolve():
        return False
    if before is None:  # started by a version that fitted nothing, or as configured
        return trained_with == config and (asked is None or asked.minutes is None)
    if before != asked:
        return False
    fitted = {"max_size": config.max_size, "geometry": config.geometry, "edges": config.edges}
    return replace(trained_with, **fitted) == config
