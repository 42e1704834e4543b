# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kinds of splat files are written, by name and by ending; the standard library alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..choices import Choice
from ..errors import CgcError

SPZ_VERSIONS = (2, 3, 4)
"""Of SPZ, those that are written."""
DEFAULT_SPZ_VERSION = 3
"""Read by nearly everything, with rotations as fine as in version 4."""

FormatName = Literal["plain", "ply", "spz", "sog", "glb"]
FORMATS: tuple[Choice[FormatName], ...] = (
    Choice("plain", "PLY", "The layout of 3DGS and nothing else, which every splat viewer opens"),
    Choice(
        "ply",
        "PLY with Segments",
        "PLY with the segment and the features of each Gaussian as further properties",
    ),
    Choice("spz", "SPZ", "About a tenth of a PLY, with small losses; of Niantic and Scaniverse"),
    Choice("sog", "SOG", "About a tenth of a PLY, with small losses; for PlayCanvas and the web"),
    Choice("glb", "glTF", "Binary glTF with KHR_gaussian_splatting, for engines and 3D Tiles"),
)
ENDINGS: dict[FormatName, str] = {
    "plain": ".ply",
    "ply": ".ply",
    "spz": ".spz",
    "sog": ".sog",
    "glb": ".glb",
}
WRITTEN_ENDINGS = tuple(dict.fromkeys(ENDINGS.values()))


@dataclass(frozen=True)
class WriteSettings:
    """What kind of file to write."""

    format: FormatName = "plain"
    spz_version: int = DEFAULT_SPZ_VERSION
    """One of `SPZ_VERSIONS`."""


def format_of(path: Path, ply: FormatName = "plain") -> FormatName:
    """Return the format that the ending of a file asks for.

    Args:
        path: the file.
        ply: which of the two kinds of PLY.

    Raises:
        CgcError: it has no ending of a format.

    Example:
        >>> format_of(Path("desk.SPZ"))
        'spz'
    """
    ending = path.suffix.lower()
    if ending == ENDINGS[ply]:
        return ply
    for name, own in ENDINGS.items():
        if own == ending:
            return name
    raise CgcError(
        f"{path} has the ending of no format that is written; name it {', '.join(WRITTEN_ENDINGS)}."
    )
