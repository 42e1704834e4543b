# SPDX-License-Identifier: GPL-3.0-or-later
"""One correction, and the file corrections.npz that keeps those of a run.

NumPy alone: Blender reads and writes it, too.
"""

from __future__ import annotations

import json
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ...files import check_is_file
from ...npz import write_npz
from .shapes import Shape

FORMAT_VERSION = 1
LONGEST_TEXT = 1000
"""Characters of a name, or of what is said of a correction."""

Kind = Literal["join", "split", "object", "unassign"]
"""Several objects are one; a part is an object of its own; this is an object, whatever masks say;
this is none."""


@dataclass(frozen=True, eq=False)
class Correction:
    """One object as a person wants it."""

    kind: Kind
    text: str
    """What was done, for people: "join 3 (Segment 003), 5 (Segment 005)"."""
    shape: Shape
    """Where the object is."""
    name: str | None = None
    """What it is called; None: it is numbered as others are."""
    color: tuple[int, int, int] | None = None
    """sRGB, 0..255; None: it is coloured as others are."""
    apart: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    """(Q, 3) points of what a part was split from, scene units."""


def write_corrections(path: Path, corrections: Sequence[Correction]) -> None:
    """Write corrections.npz, whole or not at all.

    Raises:
        CgcError: it cannot be written.
    """
    records = [
        {
            "kind": one.kind,
            "text": one.text,
            **({} if one.name is None else {"name": one.name}),
            **({} if one.color is None else {"color": list(one.color)}),
        }
        for one in corrections
    ]
    text = json.dumps({"version": FORMAT_VERSION, "corrections": records})
    arrays: dict[str, NDArray[Any]] = {"records": np.frombuffer(text.encode(), np.uint8)}
    for number, one in enumerate(corrections, start=1):
        arrays[f"points_{number}"] = one.shape.points.astype(np.float32)
        arrays[f"inside_{number}"] = one.shape.inside.astype(np.bool_)
        arrays[f"apart_{number}"] = one.apart.astype(np.float32)
    write_npz(path, arrays, compressed=True)


def read_corrections(path: Path) -> tuple[Correction, ...]:
    """Read corrections.npz; none where there is no such file.

    Raises:
        CgcError: it is damaged, or of a later version.
    """
    try:
        check_is_file(path)
        with path.open("rb") as opened:
            if not zipfile.is_zipfile(opened):
                raise ValueError("it is cut short or no .npz file")
            opened.seek(0)
            with np.load(opened, allow_pickle=False) as file:
                content = json.loads(np.asarray(file["records"], np.uint8).tobytes())
                version = content.get("version") if isinstance(content, dict) else None
                if isinstance(version, int) and version > FORMAT_VERSION:
                    raise CgcError(
                        f"{path} was written by a later version of this program (form {version}; "
                        f"this one knows {FORMAT_VERSION}); update the program."
                    )
                records = content["corrections"]
                return tuple(
                    _correction(
                        record,
                        np.asarray(file[f"points_{number}"]),
                        np.asarray(file[f"inside_{number}"]),
                        np.asarray(file[f"apart_{number}"]),
                    )
                    for number, record in enumerate(records, start=1)
                )
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise CgcError(f"{path} could not be read: {error.strerror or error}.") from error
    except _UNREADABLE as error:
        raise CgcError(
            f"{path} is damaged ({str(error) or type(error).__name__}); bring it back from a "
            "backup, or remove it and correct the objects anew."
        ) from error


_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, ValueError, KeyError, EOFError, MemoryError),
    # Of zip files with damaged flags, of array headers, and of records that are no such thing.
    *(RuntimeError, OverflowError, TypeError, SyntaxError, tokenize.TokenError, AttributeError),
    *(NotImplementedError, IndexError),
)


def _correction(
    record: Any, points: NDArray[Any], inside: NDArray[Any], apart: NDArray[Any]
) -> Correction:
    kind, text, name, color = (record.get(key) for key in ("kind", "text", "name", "color"))
    if kind not in get_args(Kind):
        raise ValueError(f"a correction is of no known kind, {str(kind)[:40]!r}")
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise ValueError("what a correction did is no text")
    if name is not None and not (isinstance(name, str) and 0 < len(name) <= LONGEST_TEXT):
        raise ValueError("the name of an object is no text")
    if color is not None:
        if not (isinstance(color, list) and len(color) == 3 and all(map(_is_byte, color))):
            raise ValueError("a colour is not three whole numbers from 0 to 255")
        color = (color[0], color[1], color[2])
    if (points.dtype, apart.dtype, inside.dtype) != (np.float32, np.float32, np.bool_):
        raise ValueError("its arrays are of other types")
    if points.shape[1:] != (3,) or apart.shape[1:] != (3,) or inside.shape != points.shape[:1]:
        raise ValueError("its arrays are of other shapes")
    if not inside.any() or not (np.isfinite(points).all() and np.isfinite(apart).all()):
        raise ValueError("an object has no points, or some that are no numbers")
    return Correction(kind, text, Shape(points, inside), name, color, apart)


def _is_byte(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255
