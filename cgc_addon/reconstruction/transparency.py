# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos that are cut out stay so.

COLMAP undistorts colours only, so it is given their opacity as pictures of their own.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image

from ..files import replacing


def write_opacities(photos: Path, files: Sequence[str], folder: Path) -> bool:
    """Write how opaque photos are, as grey pictures of the same names, and say whether any is not.

    Args:
        photos: folder of working copies.
        files: of the copies, paths below it.
        folder: for the grey pictures, emptied first; without cut-out photos it is not there.
    """
    if folder.exists():
        shutil.rmtree(folder)
    for name in files:
        with Image.open(photos / name) as image:
            if image.mode != "RGBA":
                continue
            with replacing(folder / name) as temporary:
                image.getchannel("A").save(temporary, format="PNG")
    return folder.exists()


def cut_out(images: Path, opacities: Path, names: Mapping[str, str]) -> None:
    """Make photos transparent where they were, and remove what says so.

    Args:
        images: folder of the photos of the dataset.
        opacities: folder of grey pictures of the same sizes, called like the working copies.
        names: name in the dataset of each working copy.
    """
    for file, name in names.items():
        if not (opacities / file).is_file():
            continue
        with Image.open(images / name) as image, Image.open(opacities / file) as opacity:
            merged = image.convert("RGB")
            merged.putalpha(opacity.convert("L"))
        with replacing(images / name) as temporary:
            merged.save(temporary, format="PNG")
    shutil.rmtree(opacities)
