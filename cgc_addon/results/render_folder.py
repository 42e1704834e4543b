# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of renders: which kinds of pictures there are, and where each file lies.

The standard library alone: the command line names the kinds, and Blender reads what was drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..training.run_folder import SEGMENTS_FILE

RGB, LABELS, FEATURES, DEPTH = "rgb", "labels", "features", "depth"
KINDS = (RGB, LABELS, FEATURES, DEPTH)
PALETTE = "palette"
"""Labels in the colours of their segments, where those are asked for beside a kind."""


@dataclass(frozen=True)
class RenderFolder:
    """Paths of renders; creating the object touches nothing on disk."""

    path: Path

    @property
    def segments(self) -> Path:
        """Names and colours of the ids in label maps."""
        return self.path / SEGMENTS_FILE

    def picture(self, kind: str, stem: str) -> Path:
        """Return the PNG of a view, by the view's name without ending."""
        return self.path / kind / f"{stem}.png"

    def array(self, kind: str, stem: str) -> Path:
        """Return the NumPy array beside the picture of a view."""
        return self.path / kind / f"{stem}.npy"
