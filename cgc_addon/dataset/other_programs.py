# SPDX-License-Identifier: GPL-3.0-or-later
"""Projects of other programs whose cameras are not read: which one it is, and what to export.

The standard library alone: Blender looks there, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ARCHIVES = frozenset({".zip", ".7z", ".rar", ".tar", ".gz", ".tgz"})
_HEAD = 512
"""Bytes of a file that tell what it is."""


@dataclass(frozen=True)
class _Program:
    name: str
    left: Callable[[Path], bool]
    """Whether a folder is of it."""
    cure: str


def name_other_program(folder: Path) -> str | None:
    """Say of which program a folder without cameras is, and what helps; None where it is of none.

    Args:
        folder: that has neither a COLMAP model nor a transforms.json.
    """
    try:
        found = next((program for program in _PROGRAMS if program.left(folder)), None)
    except OSError:  # what cannot be read cannot be told
        return None
    if found is None:
        return None
    return f"{folder} is of {found.name}, whose cameras are not read as they are; {found.cure}."


def _has_file(pattern: str, beginning: bytes) -> Callable[[Path], bool]:
    def look(folder: Path) -> bool:
        return any(beginning in _head(path) for path in sorted(folder.glob(pattern)))

    return look


def _head(path: Path) -> bytes:
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(_HEAD)


_PROGRAMS = (
    _Program(
        "Polycam",
        lambda folder: (folder / "keyframes" / "images").is_dir() or folder.name == "keyframes",
        "make a transforms.json of its raw data with nerfstudio, `ns-process-data polycam`",
    ),
    _Program(
        "Record3D",
        lambda folder: (folder / "rgb").is_dir() and (folder / "metadata.json").is_file(),
        "make a transforms.json of it with nerfstudio, `ns-process-data record3d`",
    ),
    _Program(
        "OpenDroneMap",
        lambda folder: any(
            (folder / place).is_file()
            for place in ("opensfm/reconstruction.json", "odm_report/shots.geojson")
        ),
        "make a transforms.json of it with nerfstudio, `ns-process-data odm`",
    ),
    _Program(
        "Metashape",
        _has_file("*.xml", b"<document"),
        "export the cameras as COLMAP (version 2.2 and later), or make a transforms.json of the "
        "XML with nerfstudio, `ns-process-data metashape`",
    ),
    _Program(
        "RealityScan or RealityCapture",
        _has_file("*.csv", b"#name,"),
        "export the registration as COLMAP text, or make a transforms.json of the CSV with "
        "nerfstudio, `ns-process-data realitycapture`",
    ),
    _Program(
        "Meshroom",
        lambda folder: any(folder.glob("*.sfm")),
        "export the cameras as COLMAP, or let them be found anew from the photos",
    ),
)
