# SPDX-License-Identifier: GPL-3.0-or-later
"""A label map under review: corrected on disk at once, its original kept, everything undoable.

Beside the map lies, once it was changed, what it was: `masks/.originals/<stem>.png`, with the list
of corrections in `<stem>.json`. Hidden folders are none of a dataset's label maps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..dataset.folder import ORIGINALS, label_map_file
from ..errors import CgcError
from ..files import read_json, replacing, write_json
from .corrections import (
    Correction,
    corrected,
    corrections_from_json,
    corrections_to_json,
    masks_of,
)
from .label_png import LabelPng, read_label_png, write_label_png


@dataclass(frozen=True, eq=False)
class MaskReview:
    """A label map as it was and as it is."""

    file: Path
    original_file: Path
    original: LabelPng
    """As it was before the first correction."""
    corrections: tuple[Correction, ...]
    labels: NDArray[np.unsignedinteger]
    """(H, W) as it is now, and lies on disk."""

    @property
    def masks(self) -> dict[int, int]:
        """Size in pixels of each mask."""
        return masks_of(self.labels)

    def mask_at(self, x: float, y: float) -> int:
        """Return the id at a place, as shares 0..1 of width and height from the top left corner.

        0 for what is unlabelled, or outside.
        """
        if not (0.0 <= x < 1.0 and 0.0 <= y < 1.0):
            return 0
        height, width = self.labels.shape
        return int(self.labels[int(y * height), int(x * width)])


def open_review(folder: Path, stem: str) -> MaskReview:
    """Read a label map, and what was corrected in it before.

    Args:
        folder: of label maps.
        stem: name of the photo without its ending, perhaps with sub-folders.

    Raises:
        CgcError: there is no such map, or it cannot be read.
    """
    file, original_file = label_map_file(folder, stem), folder / ORIGINALS / f"{stem}.png"
    if not file.is_file():
        raise CgcError(f"{file} is missing: this photo has no masks; make them first.")
    now = read_label_png(file)
    if original_file.is_file():
        former, record = _former(original_file)
        # What is on disk tells how far a program came that ended in the middle of a correction.
        for count in dict.fromkeys((len(record), len(record) - 1, 0)):
            if former is not None and count >= 0 and _same(former, record[:count], now):
                return MaskReview(file, original_file, former, record[:count], now.labels)
    return MaskReview(file, original_file, now, (), now.labels)


def correct(review: MaskReview, correction: Correction) -> MaskReview:
    """Return a review with one more correction, written to disk.

    Raises:
        CgcError: it cannot be written; the map is as it was.
    """
    labels = corrected(review.labels, (correction,))
    if np.array_equal(labels, review.labels):
        return review
    corrections = (*review.corrections, correction)
    if not review.corrections:
        _record(review).unlink(missing_ok=True)
        _copy(review.file, review.original_file)
    write_json(_record(review), {"corrections": corrections_to_json(corrections)})
    write_label_png(review.file, review.original, labels)
    return replace(review, corrections=corrections, labels=labels)


def undo(review: MaskReview) -> MaskReview:
    """Return a review without its last correction, written to disk.

    Raises:
        CgcError: it cannot be written; the map is as it was.
    """
    if len(review.corrections) <= 1:
        return restore(review)
    corrections = review.corrections[:-1]
    labels = corrected(review.original.labels, corrections)
    write_label_png(review.file, review.original, labels)
    write_json(_record(review), {"corrections": corrections_to_json(corrections)})
    return replace(review, corrections=corrections, labels=labels)


def restore(review: MaskReview) -> MaskReview:
    """Return a review of the map as it was before the first correction, byte for byte.

    Raises:
        CgcError: it cannot be written; the map is as it was.
    """
    if not review.corrections:
        return review
    _copy(review.original_file, review.file)
    _record(review).unlink(missing_ok=True)
    review.original_file.unlink(missing_ok=True)
    return replace(review, corrections=(), labels=review.original.labels)


def forget_corrections(folder: Path, stem: str) -> None:
    """Remove what is kept of corrections of a label map that was made anew.

    Args:
        folder: of label maps.
        stem: name of the photo without its ending, perhaps with sub-folders.
    """
    for ending in (".png", ".json"):
        (folder / ORIGINALS / f"{stem}{ending}").unlink(missing_ok=True)


def _record(review: MaskReview) -> Path:
    return review.original_file.with_suffix(".json")


def _former(original_file: Path) -> tuple[LabelPng | None, tuple[Correction, ...]]:
    """Return the original and its corrections; None where they cannot be read: of no use then."""
    try:
        record = original_file.with_suffix(".json")
        value = read_json(record) if record.is_file() else {"corrections": []}
        listed = value.get("corrections") if isinstance(value, dict) else None
        return read_label_png(original_file), corrections_from_json(listed) or ()
    except CgcError:
        return None, ()


def _same(former: LabelPng, corrections: tuple[Correction, ...], now: LabelPng) -> bool:
    return former.depth == now.depth and np.array_equal(
        corrected(former.labels, corrections), now.labels
    )


def _copy(source: Path, target: Path) -> None:
    try:
        content = source.read_bytes()
    except OSError as error:
        raise CgcError(f"{source} could not be read: {error.strerror or error}.") from error
    with replacing(target) as temporary:
        temporary.write_bytes(content)
