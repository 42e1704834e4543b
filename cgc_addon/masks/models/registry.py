# SPDX-License-Identifier: GPL-3.0-or-later
"""Mask models by name or by file."""

from __future__ import annotations

from .interface import MaskModel
from .weights import find_weights


def open_model(name_or_path: str, *, threads: int | None = None) -> MaskModel:
    """Read a mask model's weights.

    Args:
        name_or_path: a name of `weights.KNOWN`; or a checkpoint of Segment Anything, one file of an
            ONNX pair, or a folder that holds one of both.
        threads: of the CPU that it may use; None for as many as it likes.

    Raises:
        CgcError: the weights are not there, damaged, or something else; the sentence says what to
            do.
    """
    files = find_weights(name_or_path)
    if len(files) == 1:
        from .segment_anything_model import SegmentAnything

        return SegmentAnything(files[0], threads=threads)
    from .mobilesam import MobileSam

    encoder, decoder = files
    return MobileSam(encoder, decoder, threads)
