# SPDX-License-Identifier: GPL-3.0-or-later
"""Which label maps are made of each photo.

The standard library alone: the command line and Blender offer them.
"""

from __future__ import annotations

from typing import Literal

from ..choices import Choice

Levels = Literal["both", "objects"]

LEVELS: tuple[Choice[Levels], ...] = (
    Choice(
        "both",
        "Objects and Parts",
        "Masks of objects, and in a folder of their own those of parts",
    ),
    Choice("objects", "Objects", "One mask for each whole object"),
)
DEFAULT_LEVELS: Levels = "both"
