# SPDX-License-Identifier: GPL-3.0-or-later
"""What is rendered: the splat of a run, or one of any origin; from which cameras; what it shows.

A "source" is the path that the user names: a run folder, or the file of a splat.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..cgc.segments import Segments, named_segments, read_segments
from ..dataset.cameras_json import read_cameras_json
from ..dataset.load import load_dataset
from ..dataset.near_origin import nearer_frame
from ..dataset.scene import View
from ..dataset.transforms.document import TRANSFORMS_FILES
from ..errors import CgcError
from ..files_together import finish_change
from ..splats.gaussians import Gaussians
from ..splats.loaded import LoadedSplat
from ..splats.pillow_pictures import pillow_codec
from ..splats.ply import read_ply
from ..splats.read import SPLAT_ENDINGS
from ..splats.read import read_splat as read_splat_file
from ..training.run_folder import RunFolder


def read_splat(folder: RunFolder) -> Gaussians:
    """Read the splat of a run.

    Raises:
        CgcError: the run has none yet, or it is damaged.
    """
    folder.read_config()
    finish_change(folder.path)
    if not folder.splat.is_file():
        raise CgcError(
            f"{folder.splat} is missing: the run did not get that far; go on with train --resume."
        )
    return read_ply(folder.splat).gaussians


def splat_of_source(source: Path) -> LoadedSplat:
    """Read the splat of a source, with what is to be said of it.

    Raises:
        CgcError: it is no run folder and no splat, or its splat is missing or damaged.
    """
    if _is_splat_file(source):
        return read_splat_file(source, pillow_codec())
    run = RunFolder(source)
    return LoadedSplat(read_splat(run), dropped=0, notes=(), origin=run.read_origin())


def views_of_source(
    source: Path, cameras: Path | None, origin: NDArray[np.float64]
) -> tuple[View, ...]:
    """Return the views to draw.

    Args:
        source: run folder or splat.
        cameras: a cameras.json, a dataset folder or its transforms.json; None, for a run, means the
            dataset that it was trained on. A run's views have the size that it was trained at.
        origin: (3,) what the splat is relative to, see `LoadedSplat`; so the views will be.

    Raises:
        CgcError: there are no such cameras.
    """
    if cameras is not None and cameras.name in TRANSFORMS_FILES:
        cameras = cameras.parent
    if cameras is not None and cameras.is_file():
        return nearer_frame(read_cameras_json(cameras), origin)
    if not _is_splat_file(source):
        dataset, config = RunFolder(source).read_config()
        return load_dataset(cameras or dataset, max_size=config.max_size, origin=origin).scene.views
    if cameras is None:
        raise CgcError(
            f"{source} does not say from where to look at it; name a dataset or a cameras.json "
            "with --cameras."
        )
    # One that is near says nothing of where it was taken from.
    return load_dataset(cameras, origin=origin if origin.any() else None).scene.views


def segments_of_source(source: Path, gaussians: Gaussians, file: Path | None) -> Segments:
    """Return names and colours of the segments of a source.

    Args:
        source: run folder or splat.
        gaussians: its splat.
        file: a segments.json; None means that of the run. Segments that it does not list, or all
            of a file without one, have automatic names and colours.

    Raises:
        CgcError: the splat has no segments, or the file is missing or damaged.
    """
    if gaussians.segments is None:
        raise CgcError(f"{source} has no segments to name or colour; its photos had no masks.")
    if file is None and not _is_splat_file(source):
        file = RunFolder(source).segments
    return named_segments(gaussians.segments, None if file is None else read_segments(file))


def _is_splat_file(source: Path) -> bool:
    named_so = source.suffix.lower() in SPLAT_ENDINGS and not source.is_dir()
    return named_so or source.is_file()
