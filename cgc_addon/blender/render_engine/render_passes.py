# SPDX-License-Identifier: GPL-3.0-or-later
"""The passes that a view layer asks for, as Blender names them, and which drawn file each is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import bpy

from ...results.frame_request import COMBINED, CRYPTOMATTE, DEPTH, INDEX, POSITION

if TYPE_CHECKING:
    from bpy.types import ViewLayer

OBJECT_CRYPTOMATTE = "CryptoObject"
"""Cryptomatte's passes are called so, with a number behind."""
HIGHEST_DEPTH = 16
"""Objects that a pixel of Cryptomatte lists at most, as with Cycles."""
INDEX_NAME = "IndexOB" if bpy.app.version < (5, 0) else "Object Index"
"""Blender's own engines name this pass so."""


@dataclass(frozen=True)
class RenderPass:
    """One pass of a view layer."""

    name: str
    """In the render result."""
    channels: str
    kind: Literal["COLOR", "VECTOR", "VALUE"]
    drawn: str
    """Name of the file that the worker writes for it."""


def passes_of(layer: ViewLayer) -> list[RenderPass]:
    """Return the passes that a view layer asks for, the picture itself first."""
    found = [RenderPass("Combined", "RGBA", "COLOR", COMBINED)]
    if layer.use_pass_z:
        found.append(RenderPass("Depth", "Z", "VALUE", DEPTH))
    if layer.use_pass_position:
        found.append(RenderPass("Position", "XYZ", "VECTOR", POSITION))
    if layer.use_pass_object_index:
        found.append(RenderPass(INDEX_NAME, "X", "VALUE", INDEX))
    if layer.use_pass_cryptomatte_object:
        for number in range((ranks_of(layer) + 1) // 2):
            name = f"{OBJECT_CRYPTOMATTE}{number:02d}"
            # Small letters, as in Cycles: programs know by them not to compress with losses.
            found.append(RenderPass(name, "rgba", "COLOR", f"{CRYPTOMATTE}_{number}"))
    return found


def ranks_of(layer: ViewLayer) -> int:
    """Return how many objects each pixel of Cryptomatte lists."""
    return min(HIGHEST_DEPTH, cast("int", layer.pass_cryptomatte_depth))


def wanted_drawings(passes: list[RenderPass]) -> tuple[str, ...]:
    """Return the passes as the worker knows them, each once."""
    return tuple(dict.fromkeys(one.drawn.partition("_")[0] for one in passes))
