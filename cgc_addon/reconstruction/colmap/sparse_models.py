# SPDX-License-Identifier: GPL-3.0-or-later
"""What mapping made: one model, or several that could not be joined; the largest comes first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...dataset.colmap.model import read_model
from ...errors import CgcError
from ...files import read_json, write_json

LIST = "models.json"


@dataclass(frozen=True)
class SparseModel:
    """Cameras and points that hang together, as a whole."""

    files: tuple[str, ...]
    """The photos that have a place in it, in order."""
    points: int
    observations: int
    reprojection_error: float
    """Mean, px of the working photos."""
    track_length: float
    """Mean number of photos that show a point."""
    cameras: tuple[dict[str, Any], ...]
    """Model, size, parameters and their names of each camera, as solved."""


def ranking(models: Sequence[SparseModel]) -> list[int]:
    """Return the positions of the models, best first: by photos, then by points, then by order."""
    return sorted(range(len(models)), key=lambda i: (-len(models[i].files), -models[i].points, i))


def write_models(folder: Path, models: Iterable[SparseModel]) -> None:
    """Write what is known of the models beside them; they lie in folders called 0, 1, ….

    Raises:
        CgcError: it cannot be written.
    """
    write_json(folder / LIST, [asdict(model) for model in models])


def read_models(folder: Path) -> list[SparseModel] | None:
    """Read what `write_models` wrote; None if it, or the first model, is missing or damaged."""
    if not (folder / LIST).is_file():
        return None
    try:
        models = [
            SparseModel(**{**fields, "files": tuple(fields["files"]),
                     "cameras": tuple(fields["cameras"])})
            for fields in read_json(folder / LIST)
        ]  # fmt: skip
        if models and len(read_model(folder / "0").images) != len(models[0].files):
            return None
    except (CgcError, TypeError, KeyError):
        return None
    return models
