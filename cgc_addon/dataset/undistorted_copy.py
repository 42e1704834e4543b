# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of the photos of a dataset as pinhole cameras see them, for programs that know no other.

DIR/images/       the photos, under the names they have in the dataset
DIR/cameras.json  the cameras that took them so
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ..errors import CgcError
from ..files import replacing
from ..progress import Reporter, ShouldStop, never, silent, track
from .cameras_json import write_cameras_json
from .image_files import JPEG_ENDINGS, has_other_colors, write_photo
from .load import Dataset
from .near_origin import relative_views
from .photo_files import PhotoFiles
from .photos import PhotoStore
from .pinhole import is_pinhole
from .scene import View


def write_undistorted(
    dataset: Dataset,
    output: Path,
    *,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> tuple[View, ...]:
    """Write the photos of a dataset at its working size, undistorted, and then their cameras.

    Photos that need no change are copied as they are. JPEG stays JPEG; all else becomes PNG, and
    its name ends so. cameras.json comes last: where it is, all photos are.

    Args:
        dataset: whose photos are read.
        output: folder, made if missing; what is in it is overwritten.
        report: progress.
        should_stop: asked between photos.

    Returns:
        The views as they are in cameras.json.

    Raises:
        CgcError: a photo is damaged, `output` cannot be written, or holds the photos themselves.
        Interrupted: `should_stop` said so; photos written until then stay, each of them whole.
    """
    folder, cameras = output / "images", output / "cameras.json"
    views = tuple(replace(view, name=_written_name(view.name)) for view in dataset.scene.views)
    files = dataset.store.files
    for view, file in zip(views, files, strict=True):
        if (folder / view.name).parent.resolve() == file.photo.parent.resolve():
            raise CgcError(
                f"{folder} holds the photos themselves, which their undistorted copies would "
                "overwrite; name another folder."
            )
    try:
        cameras.unlink(missing_ok=True)
    except OSError as error:
        raise CgcError(f"{cameras} could not be removed: {error.strerror or error}.") from error
    # Each photo is used once: nothing but the maps of their cameras is worth keeping.
    store = PhotoStore(files, dataset.scene.views, cache_bytes=0)
    for index in track(range(len(views)), "Undistorting photos", report, should_stop):
        path = folder / views[index].name
        if _is_ready(files[index], views[index]):
            _copy(files[index].photo, path)
        else:
            write_photo(path, store.photo(index))
    written = relative_views(views, -dataset.scene.origin)
    write_cameras_json(cameras, written)
    return written


def _written_name(name: str) -> str:
    path = PurePosixPath(name)
    kept = path.suffix.lower() in (*JPEG_ENDINGS, ".png")
    return name if kept else path.with_suffix(".png").as_posix()


def _is_ready(file: PhotoFiles, view: View) -> bool:
    """Say whether the photo on disk is already what the view shows."""
    same_size = (file.camera.width, file.camera.height) == (view.camera.width, view.camera.height)
    same_kind = file.photo.suffix == PurePosixPath(view.name).suffix
    fits = is_pinhole(file.camera) and same_size and same_kind and not file.upright
    return fits and not has_other_colors(file.photo)


def _copy(photo: Path, path: Path) -> None:
    with replacing(path) as temporary:
        shutil.copyfile(photo, temporary)
