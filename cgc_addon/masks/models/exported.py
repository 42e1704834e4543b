# SPDX-License-Identifier: GPL-3.0-or-later
"""Exported ONNX models, read to be written anew; what is said of those that cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import CgcError


def read_graph(path: Path) -> Any:
    """Read an ONNX model.

    Raises:
        CgcError: it is missing or damaged.
    """
    import onnx

    if not path.is_file():
        raise CgcError(f"{path} is missing; download the mask model again.")
    try:
        return onnx.load(str(path))
    except Exception as error:  # protobuf's and onnx's own classes
        raise CgcError(
            f"{path} could not be read as an ONNX model: {first_line(error)}; "
            "the file is damaged or another one, download the mask model again."
        ) from error


def first_line(error: BaseException) -> str:
    """Return the first line of what a library says, no longer than a sentence."""
    lines = str(error).strip().splitlines()
    return lines[0][:200].rstrip(".") if lines else type(error).__name__


def another_model(path: Path, part: str) -> CgcError:
    """Return the error that a file is none of MobileSAM's, to be raised.

    Args:
        path: of the file.
        part: "encoder" or "decoder".
    """
    return CgcError(
        f"{path} is an ONNX model, but not MobileSAM's {part}; name the folder that holds "
        "its encoder.onnx and sam.onnx."
    )
