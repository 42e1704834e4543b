# SPDX-License-Identifier: GPL-3.0-or-later
"""Where rendered masks go: label maps, pictures to look at, OpenEXR, and the list of segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import bpy
import numpy as np
from numpy.typing import NDArray

from ...cgc.segments import Segment, read_segments
from ...dataset.scene import View
from ...errors import CgcError
from ...results.render_folder import LABELS, PALETTE, RenderFolder
from ...training.run_folder import SEGMENTS_FILE as SEGMENTS
from .mask_exr import write_exr
from .mask_views import Which

if TYPE_CHECKING:
    from bpy.types import bpy_prop_array

EXR = "exr"


@dataclass(frozen=True)
class RenderedMaskSettings:
    """What is wanted, and where."""

    which: Which
    folder: Path
    palette: bool = True
    exr: bool = False
    overwrite: bool = False
    backend: str = "auto"


def label_file(settings: RenderedMaskSettings, view: View) -> Path:
    """Return where the label map of a view is written."""
    return RenderFolder(settings.folder).picture(LABELS, view.stem)


def palette_file(settings: RenderedMaskSettings, view: View) -> Path:
    """Return where the palette picture of a view is written."""
    return RenderFolder(settings.folder).picture(PALETTE, view.stem)


def exr_file(settings: RenderedMaskSettings, view: View) -> Path:
    """Return where the OpenEXR picture of a view is written."""
    return settings.folder / EXR / f"{view.stem}.exr"


def write_exr_of(settings: RenderedMaskSettings, view: View) -> None:
    """Write a finished label map as OpenEXR, too.

    Raises:
        CgcError: the label map is gone or the file cannot be written.
    """
    write_exr(exr_file(settings, view), read_labels(label_file(settings, view)))


def read_labels(path: Path) -> NDArray[np.uint16]:
    """Read a 16-bit label map (H, W) with Blender's own reader.

    Raises:
        CgcError: the file cannot be read.
    """
    try:
        image = bpy.data.images.load(str(path))
    except RuntimeError as error:
        raise CgcError(f"{path} could not be read; render the masks again.") from error
    try:
        colors = image.colorspace_settings
        assert colors is not None
        # Blender reads what can be chosen here from a file.
        colors.name = "Non-Color"  # pyright: ignore[reportAttributeAccessIssue]
        width, height = image.size
        pixels = np.empty((height, width, image.channels), np.float32)
        stored = cast("bpy_prop_array[float]", image.pixels)  # one float, say the stubs
        stored.foreach_get(pixels.reshape(-1))
    finally:
        bpy.data.images.remove(image)
    return np.round(pixels[::-1, :, 0] * 65_535.0).astype(np.uint16)


def listed_for_others(settings: RenderedMaskSettings, views: Sequence[View]) -> tuple[Segment, ...]:
    """Return what segments.json lists, if there are label maps of other views beside it."""
    folder, file = settings.folder / LABELS, settings.folder / SEGMENTS
    ours = {label_file(settings, view) for view in views}
    if not file.is_file() or ours.issuperset(folder.rglob("*.png")):
        return ()
    try:
        return read_segments(file).segments
    except CgcError:  # not ours, or damaged: it is replaced
        return ()


def check_files(settings: RenderedMaskSettings, views: Sequence[View]) -> None:
    """Check that nothing is overwritten that may not be."""
    if settings.overwrite:
        return
    wanted = [label_file(settings, view) for view in views]
    wanted += [palette_file(settings, view) for view in views if settings.palette]
    wanted += [exr_file(settings, view) for view in views if settings.exr]
    there = [file for file in wanted if file.exists()]
    if there:
        raise CgcError(
            f"{len(there)} of the {len(wanted)} files exist already, such as {there[0]}; "
            "choose another folder, or switch on Overwrite."
        )
