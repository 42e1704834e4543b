# SPDX-License-Identifier: GPL-3.0-or-later
"""Multi-layer OpenEXR as Blender writes it, read with the OpenImageIO that comes with Blender."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import bpy
import numpy as np


@dataclass
class Exr:
    channels: dict[str, np.ndarray]
    """(H, W) of each, such as "ViewLayer.Depth.Z", rows from the top."""
    metadata: dict[str, str]

    def layer(self, name: str, channels: str) -> np.ndarray:
        """Return some channels of a pass as (H, W, channels)."""
        return np.stack([self.channels[f"{name}.{one}"] for one in channels], axis=2)


def read_exr(path: Path) -> Exr:
    reader = _open_image_io().ImageInput.open(str(path))
    channels, metadata, number = {}, {}, 0
    while reader.seek_subimage(number, 0):
        spec = reader.spec()
        # Blender writes colours without naming their layer where there is only one.
        pixels = np.asarray(reader.read_image(number, 0, 0, spec.nchannels, "float"))
        for place, name in enumerate(spec.channelnames):
            channels[name] = pixels[..., place]
        metadata |= {a.name: a.value for a in spec.extra_attribs if isinstance(a.value, str)}
        number += 1
    reader.close()
    return Exr(channels, metadata)


def _open_image_io() -> ModuleType:
    folder = Path(bpy.utils.resource_path("LOCAL"), "python", "lib")
    folder /= f"python{sys.version_info[0]}.{sys.version_info[1]}"
    sys.path.append(str(folder / "site-packages"))
    try:
        import OpenImageIO
    finally:
        sys.path.pop()
    return OpenImageIO
