# SPDX-License-Identifier: GPL-3.0-or-later
"""Mask models by name or by file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from .interface import MaskModel
from .known import Family
from .weights import check_content, find_weights

Opener = Callable[[tuple[Path, ...], int | None], MaskModel]
"""Takes the files of a model, and how many threads of the CPU it may use."""


def open_model(name_or_path: str, *, threads: int | None = None) -> MaskModel:
    """Read a mask model's weights.

    Args:
        name_or_path: a name of `known.KNOWN`; or a checkpoint of Segment Anything, one file of an
            ONNX pair, or a folder that holds one of both.
        threads: of the CPU that it may use; None for as many as it likes.

    Raises:
        CgcError: the weights are not there, damaged, or something else; the sentence says what to
            do.
    """
    weights = find_weights(name_or_path)
    check_content(weights)
    return OPENERS[weights.family](weights.files, threads)


def _open_mobilesam(files: tuple[Path, ...], threads: int | None) -> MaskModel:
    from .mobilesam import MobileSam

    encoder, decoder = files
    return MobileSam(encoder, decoder, threads)


def _open_segment_anything(files: tuple[Path, ...], threads: int | None) -> MaskModel:
    from .segment_anything_model import SegmentAnything

    (checkpoint,) = files
    return SegmentAnything(checkpoint, threads=threads)


OPENERS: Mapping[Family, Opener] = {
    "mobilesam": _open_mobilesam,
    "segment-anything": _open_segment_anything,
}
