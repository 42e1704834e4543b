# SPDX-License-Identifier: GPL-3.0-or-later
"""The package segment-anything, also where torchvision's compiled part does not fit torch.

torchvision has a part in Python and a compiled one, which must be built for the very torch that is
installed. pip gives a CPU torch a torchvision for CUDA; then `import torchvision` ends with
"operator torchvision::nms does not exist", as its Python part describes two operators that only the
compiled part defines. segment-anything imports torchvision for resizing and for `nms`, and what is
used here of it calls neither. So the names of the two operators are all that is missing.
"""

from __future__ import annotations

import importlib
import sys
from functools import cache
from types import ModuleType
from typing import Any

from ...errors import CgcError

_SIGNATURES = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


@cache
def segment_anything_modeling() -> ModuleType:
    """Return `segment_anything.modeling`, which has the parts that the models are built from.

    Raises:
        CgcError: torch, torchvision and segment-anything do not work together.
        ModuleNotFoundError: one of them is not installed.
    """
    try:
        try:
            importlib.import_module("torchvision")
        except RuntimeError as error:
            if "torchvision::nms" not in str(error):
                raise
            _import_without_compiled_part()
        return importlib.import_module("segment_anything.modeling")
    except ModuleNotFoundError:
        raise
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        raise CgcError(
            f"segment-anything could not be loaded: {error}; install the torchvision that was "
            "built for the installed torch, or choose the model mobilesam, which needs neither."
        ) from error


@cache
def _operators() -> Any:
    """Define the names; whoever holds the result keeps them."""
    import torch

    library = torch.library.Library("torchvision", "DEF")
    for signature in _SIGNATURES:
        library.define(signature)
    return library


def _import_without_compiled_part() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # what the failed import left
    _operators()
    importlib.import_module("torchvision")
