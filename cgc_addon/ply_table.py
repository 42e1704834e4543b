# SPDX-License-Identifier: GPL-3.0-or-later
"""PLY files as such: a header of named columns, and the rows of one element as a table.

NumPy alone, for Blender has no package that reads PLY. Nothing of a file is believed: what its
header promises is compared with the bytes that are there before room is made for it.
"""

from __future__ import annotations

import mmap
import re
import struct
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import CgcError

_LONGEST_COUNT = 18
"""Digits of a count that is one."""
LONGEST_HEADER = 1 << 16
"""Bytes; a header of a splat has about 2,000."""

NUMBER_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4",
    "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "float": "f4", "double": "f8", "float32": "f4", "float64": "f8",
}  # fmt: skip
"""NumPy's name of each of PLY's number types."""
_WRITTEN_TYPES = {"f4": "float", "f8": "double", "i4": "int"}
_BYTE_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}


@dataclass(frozen=True)
class PlyProperty:
    """One column."""

    name: str
    type: str
    """NumPy's, without byte order: "f4"; of the items where the property is a list."""
    length_type: str | None = None
    """NumPy's, of the number before the items of a list; None where it is no list."""

    @property
    def size(self) -> int:
        """Bytes of a number of it in a binary file."""
        return np.dtype(self.type).itemsize


@dataclass(frozen=True)
class PlyElement:
    """One kind of row: "vertex", "face"."""

    name: str
    count: int
    properties: tuple[PlyProperty, ...]

    @property
    def has_lists(self) -> bool:
        """Whether its rows may differ in length."""
        return any(item.length_type for item in self.properties)

    @property
    def row_size(self) -> int:
        """Bytes of a row of a binary file, with lists that are empty."""
        return sum(
            np.dtype(item.length_type).itemsize if item.length_type else item.size
            for item in self.properties
        )


@dataclass(frozen=True)
class PlyHeader:
    """What a file says of itself, once it is known to be long enough for it."""

    path: Path
    byte_order: str
    """ "<" or ">", "" for text."""
    elements: tuple[PlyElement, ...]
    size: int
    """Bytes of the header."""
    file_size: int

    def element(self, name: str) -> PlyElement | None:
        """Return the element of this name, if there is one."""
        return next((element for element in self.elements if element.name == name), None)


def read_header(path: Path) -> PlyHeader:
    """Read what is in a PLY file.

    Raises:
        CgcError: it is not a PLY file, is damaged, or is shorter than it says.
        OSError: it cannot be read.
    """
    file_size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(LONGEST_HEADER)
    if not re.match(rb"ply[ \t]*\r?\n", head):
        raise CgcError(f"{path} is not a PLY file: it does not begin with the line `ply`.")
    end = re.search(rb"\nend_header[ \t]*\r?\n", head)
    if end is None:
        raise CgcError(f"{path} is cut short or damaged: its header has no `end_header` line.")
    # Comments may be in any encoding; the rest is ASCII.
    lines = head[: end.start()].decode("ascii", errors="replace").split("\n")[1:]
    header = PlyHeader(path, *_parse(path, lines), end.end(), file_size)
    _check_length(header)
    return header


def read_table(header: PlyHeader, element: PlyElement) -> NDArray[np.void]:
    """Return the rows of an element without lists, (count,) with a field for each property.

    Those of a binary file are mapped, not read: only columns that are used come into memory. The
    numbers of a text file are all float64.

    Raises:
        CgcError: the file is shorter than its header says, or has something that is no number.
        OSError: it cannot be read.
    """
    before = header.elements[: header.elements.index(element)]
    if not header.byte_order:
        return _read_text(header, before, element)
    start = header.size
    for earlier in before:
        if earlier.has_lists:
            start = _after_lists(header, earlier, start)
        else:
            start += earlier.count * earlier.row_size
    end = start + element.count * element.row_size
    if end > header.file_size:
        raise _too_short(header, end - header.size)
    types = [(item.name, header.byte_order + item.type) for item in element.properties]
    return np.memmap(header.path, np.dtype(types), "r", start, (element.count,))


def write_table(path: Path, table: NDArray[np.void], element: str) -> None:
    """Write a table as the one element of a binary file.

    Args:
        path: overwritten.
        table: (N,) of fields "<f4" and "<i4".
        element: its name.

    Raises:
        OSError: the file cannot be written.
    """
    lines = ["ply", "format binary_little_endian 1.0", f"element {element} {len(table)}"]
    for name in table.dtype.names or ():
        lines.append(f"property {_WRITTEN_TYPES[table.dtype[name].str[1:]]} {name}")
    with path.open("wb") as file:
        file.write("\n".join([*lines, "end_header", ""]).encode("ascii"))
        file.write(np.ascontiguousarray(table).view(np.uint8).data)  # `tofile` does not say why not


# ---- The header ----------------------------------------------------------------------------------


def _parse(path: Path, lines: list[str]) -> tuple[str, tuple[PlyElement, ...]]:
    """Return the byte order and the elements that the lines between `ply` and `end_header` name."""
    byte_orders: list[str] = []
    elements: list[tuple[str, int]] = []
    properties: list[list[PlyProperty]] = []
    for line in lines:
        match line.split():
            case [] | ["comment" | "obj_info", *_]:
                continue
            case ["format", encoding, "1.0"] if encoding in _BYTE_ORDERS:
                byte_orders.append(_BYTE_ORDERS[encoding])
            case ["element", name, count] if (
                count.isascii() and count.isdigit() and len(count) <= _LONGEST_COUNT
            ):
                elements.append((name, int(count)))
                properties.append([])
            case ["element", *_]:
                shown = line.strip()[:80]
                raise CgcError(f"{path} is damaged: `{shown}` in its header has no count.")
            case ["property", "list", length, kind, name] if (
                properties and kind in NUMBER_TYPES and NUMBER_TYPES.get(length, "f")[0] in "iu"
            ):
                properties[-1].append(PlyProperty(name, NUMBER_TYPES[kind], NUMBER_TYPES[length]))
            case ["property", kind, name] if properties and kind in NUMBER_TYPES:
                properties[-1].append(PlyProperty(name, NUMBER_TYPES[kind]))
            case _:
                raise _unreadable(path, f"`{line.strip()[:80]}` in its header means nothing")
    if len(byte_orders) != 1:
        raise _unreadable(path, "its header must have one line `format`")
    for names in ([name for name, _ in elements], *([item.name for item in p] for p in properties)):
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise _unreadable(path, f"its header names `{twice}` twice")
    return byte_orders[0], tuple(
        PlyElement(*element, tuple(group))
        for element, group in zip(elements, properties, strict=True)
    )


def _check_length(header: PlyHeader) -> None:
    if header.byte_order:
        needed = sum(element.count * element.row_size for element in header.elements)
        spare = 0
    else:
        needed = sum(element.count * 2 * len(element.properties) for element in header.elements)
        spare = 1  # the last line may lack its line break
    if needed > header.file_size - header.size + spare:
        raise _too_short(header, needed)


# ---- Rows ----------------------------------------------------------------------------------------


def _after_lists(header: PlyHeader, element: PlyElement, start: int) -> int:
    """Return where an element with lists ends in a binary file, which takes a walk through it."""
    steps: list[tuple[int, struct.Struct, int]] = []
    """Bytes to skip, the number of items to read, bytes of an item."""
    plain = 0
    for item in element.properties:
        if item.length_type:
            length = np.dtype(header.byte_order + item.length_type)
            steps.append((plain, struct.Struct(header.byte_order + length.char), item.size))
            plain = 0
        else:
            plain += item.size
    place = start
    with (
        header.path.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        try:
            for row in range(element.count):
                for skipped, length, item_size in steps:
                    (items,) = length.unpack_from(data, place + skipped)
                    if items < 0:
                        raise CgcError(
                            f"{header.path} is damaged: row {row} of `{element.name}` has a list "
                            f"of {items} items; copy or export the file again."
                        )
                    place += skipped + length.size + items * item_size
                place += plain
        except struct.error:
            raise _too_short(header, place - header.size + 1) from None
    return place


def _read_text(
    header: PlyHeader, before: tuple[PlyElement, ...], element: PlyElement
) -> NDArray[np.void]:
    """Return the rows of an element of a text file, one line each."""
    columns = len(element.properties)
    values = np.empty((0, columns))
    with header.path.open("rb") as file:
        file.seek(header.size)
        lines = (line for line in TextIOWrapper(file, encoding="ascii") if line.strip())
        try:
            skipped = sum(earlier.count for earlier in before if earlier.properties)
            first = next(islice(lines, skipped, None), None)
            if first is not None:
                rows = chain([first], islice(lines, element.count - 1))
                values = np.loadtxt(rows, np.float64, comments=None, ndmin=2)
        except ValueError as error:  # so for what is not ASCII
            raise _unreadable(header.path, f"its rows of `{element.name}`: {error}") from error
    if values.shape != (element.count, columns):
        raise CgcError(
            f"{header.path} is cut short or damaged: of `{element.name}`, {len(values)} rows of "
            f"{values.shape[1]} numbers were found, not {element.count} of {columns}; "
            "copy or export the file again."
        )
    return values.view([(item.name, "f8") for item in element.properties])[:, 0]


def _too_short(header: PlyHeader, needed: int) -> CgcError:
    return CgcError(
        f"{header.path} is cut short or damaged: its header promises at least {needed} bytes of "
        f"data, {header.file_size - header.size} follow; copy or export the file again."
    )


def _unreadable(path: Path, reason: str) -> CgcError:
    return CgcError(f"{path} is not a PLY file that can be read: {reason}.")
