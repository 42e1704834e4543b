# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats of any origin, told apart by how they begin: PLY, compressed PLY, SPZ, SOG, `.splat`.

NumPy alone: Blender reads them, too.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import CgcError
from ..files import check_is_file
from ..ply_table import read_header
from .compressed_ply import is_compressed, read_compressed_ply
from .loaded import LoadedSplat
from .pictures import PictureCodec
from .ply import read_ply
from .sog import ZIP, read_sog
from .splat_records import read_splat_records
from .spz import read_spz
from .spz_container import GZIP, MAGIC

SPLAT_ENDINGS = (".ply", ".splat", ".spz", ".sog")
"""In lower case, for people; only a `.splat`, which has no header, is told by its own."""


def read_splat(path: Path, codec: PictureCodec | None = None) -> LoadedSplat:
    """Read the Gaussians of a file in COLMAP's axes.

    SPZ has axes of its own, which are turned. PLY, SOG and `.splat` say nothing of theirs and stay
    as they are.

    Args:
        path: the file.
        codec: reads the pictures of SOG; without one, such files are refused.

    Raises:
        CgcError: the file is missing, of no kind that is known, damaged, or holds too little that
            is finite.
    """
    if path.is_dir():
        raise CgcError(
            f"{path} is a folder, not a splat; choose a file ({', '.join(SPLAT_ENDINGS)})."
        )
    try:
        check_is_file(path)
        with path.open("rb") as file:
            head = file.read(8)
        if head.startswith(b"ply"):
            header = read_header(path)
            return read_compressed_ply(header) if is_compressed(header) else read_ply(path)
        if head.startswith((GZIP, MAGIC)):
            return read_spz(path)
        if head.startswith(ZIP):
            if codec is None:
                raise CgcError(f"{path} holds pictures; export the splat as PLY.")
            return read_sog(path, codec)
        if path.suffix.lower() == ".splat":
            return read_splat_records(path)
    except FileNotFoundError:
        raise CgcError(f"{path} is missing.") from None
    except OSError as error:
        raise CgcError(f"{path} could not be read: {error.strerror or error}.") from error
    if path.suffix.lower() == ".ply":
        return read_ply(path)  # says what is wrong
    raise CgcError(
        f"{path} is not a splat of a kind that is read: PLY, compressed PLY, .splat, SPZ, or SOG; "
        "export it as PLY from the program that made it."
    )
