# SPDX-License-Identifier: GPL-3.0-or-later
"""Label maps on disk: which file belongs to which view, and the ids in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from .hard_masks import hard_masks
from .image_files import read_grey, read_header
from .photo_names import likeness
from .resize import same_shape

LARGEST_ID = 65535
HOW_TO_IMPORT = "move that folder away and bring it in with the verb `masks --import`"
"""What helps with masks of other programs; how a sentence ends."""
_ONE_CHANNEL = ("1", "L", "P", "I", "I;16", "I;16B", "I;16L")


def match_label_maps(folder: Path, names: Sequence[str]) -> tuple[list[Path | None], int]:
    """Find the label map of each view, sub-folders included, in any case of letters.

    That of `left/a.jpg` is `left/a.png`, or `left/a.jpg.png` as COLMAP and others write it.

    Args:
        folder: of label maps.
        names: of the views' photos, with ending.

    Returns:
        A path or None for each name, and how many PNG files of the folder belong to no view.

    Raises:
        CgcError: a view's label map is not a PNG file, or a folder cannot be read.
    """
    maps: dict[str, Path] = {}
    others: dict[str, Path] = {}
    for inside in _files_below(folder):
        path = folder / inside
        kind = maps if path.suffix.lower() == ".png" else others
        kind[inside.with_suffix("").as_posix()] = path
    alike = {likeness(stem): path for stem, path in maps.items()}
    matched: list[Path | None] = []
    for name in names:
        stem = PurePosixPath(name).with_suffix("").as_posix()
        spellings = (stem, name)  # the stems of views differ by more than case
        found = [maps.get(key, alike.get(likeness(key))) for key in spellings]
        matched.append(next((path for path in found if path is not None), None))
        if matched[-1] is None and (other := others.get(stem, others.get(name))) is not None:
            raise CgcError(
                f"{other} is no PNG file, but label maps must be: other formats lose ids; "
                "save it as an 8-bit or 16-bit grey PNG."
            )
    return matched, len(maps) - sum(path is not None for path in matched)


def check_folder(folder: Path) -> None:
    """Check that what is called like a folder of label maps is one.

    Raises:
        CgcError: it is a file, or a link to nowhere.
    """
    if os.path.lexists(folder) and not folder.is_dir():
        raise CgcError(
            f"{folder} is no folder, but label maps are looked for in it; put a folder there, or "
            "move it away to train without."
        )


def check_label_map(path: Path, photo_size: tuple[int, int]) -> None:
    """Check type and size of a label map by its header.

    Args:
        path: of the label map.
        photo_size: (width, height) of the photo that it belongs to, px.

    Raises:
        CgcError: it is no image of one channel, or not of the photo's shape.
    """
    header = read_header(path)
    if header.mode not in _ONE_CHANNEL:
        raise CgcError(
            f"{path} has colours (mode {header.mode}), but a label map has one id per pixel; "
            "save the ids as an 8-bit or 16-bit grey PNG, or as one with a palette, or "
            f"{HOW_TO_IMPORT}."
        )
    if not same_shape((header.width, header.height), photo_size):
        raise CgcError(
            f"{path} is {header.width}×{header.height} px, but its photo is "
            f"{photo_size[0]}×{photo_size[1]}; a label map may be smaller or larger than its "
            "photo but must have the same shape, make it again from this photo."
        )


def read_label_map(path: Path) -> NDArray[np.uint16]:
    """Decode a label map.

    Masks of one object that have soft or noisy borders get hard ones, see `hard_masks`.

    Returns:
        (H, W) ids as stored, palette indices for files with a palette; 0 = unlabelled.

    Raises:
        CgcError: the file is missing, damaged, or has ids outside 0..65535.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from cgc_addon.dataset.image_files import write_grey
        >>> with TemporaryDirectory() as folder:
        ...     write_grey(Path(folder, "0001.png"), np.array([[0, 1], [300, 1]], np.uint16))
        ...     read_label_map(Path(folder, "0001.png")).tolist()
        [[0, 1], [300, 1]]
    """
    ids = read_grey(path)
    if ids.ndim != 2:
        raise CgcError(f"{path} has more than one channel; save it as a grey PNG of ids.")
    if ids.dtype not in (np.bool_, np.uint8, np.uint16) and not (
        ids.min() >= 0 and ids.max() <= LARGEST_ID
    ):
        raise CgcError(f"{path} has ids outside 0..{LARGEST_ID}; number them anew.")
    return hard_masks(ids).astype(np.uint16)


def has_one_mask(ids: NDArray[np.integer]) -> bool:
    """Say whether a label map (H, W) has one id, or none, apart from 0."""
    labelled = ids[ids > 0]
    return labelled.size == 0 or labelled.min() == labelled.max()


def _files_below(folder: Path) -> list[Path]:
    """Return the paths below a folder of all files in it, sorted, without hidden ones.

    Raises:
        CgcError: a folder cannot be read, which must not look as if it were empty.
    """

    def fail(error: OSError) -> None:
        raise CgcError(
            f"{error.filename or folder} could not be read: {error.strerror or error}; "
            "check the permissions of that folder, or move it away to train without."
        ) from error

    found = []
    for above, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(above).relative_to(folder)
        shown = (name for name in names if not name.startswith("."))
        found += [inside / name for name in shown if (Path(above) / name).is_file()]
    return sorted(found)
