# SPDX-License-Identifier: GPL-3.0-or-later
"""The photos of a capture as camera objects, each with its photo behind the scene."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import bpy
from mathutils import Matrix

from ..common.access import of_camera, of_collection, of_object
from .cameras import apply_intrinsics, camera_data, camera_matrix
from .files import CaptureFiles, Photo
from .parts import objects_of_kind, part, root_of

if TYPE_CHECKING:
    from bpy.types import Camera, Collection, Image, Object, StringProperty

_PHOTO_OPACITY = 0.5
_MARK = "cgc_photo"
"""Custom property of the images that were put behind cameras here, and not by the user."""
_NEAREST = 1e-3
_FARTHEST = 10.0
"""Clip range of the cameras, in extents and in reaches of the capture."""


def load_photos(files: CaptureFiles) -> dict[Path, Image]:
    """Make the image data-blocks of all photos; Blender reads each when it is first drawn."""
    found = [photo.file for photo in files.photos if photo.file is not None]
    return {file: bpy.data.images.load(str(file), check_existing=True) for file in found}


def show_cameras(
    capture: Collection,
    files: CaptureFiles,
    images: Mapping[Path, Image] | None,
    frustum_size: float,
) -> list[Object]:
    """Bring the cameras of a capture in line with its files: moved, added or removed.

    Args:
        capture: with its root.
        files: what is to be shown.
        images: from `load_photos`; None hides the photos.
        frustum_size: how large cameras are drawn, scene units; 0 chooses it for new cameras and
            leaves the others.

    Returns:
        The cameras in the order of the photos.
    """
    existing = _by_photo(capture)
    is_first = cameras_collection(capture) is None
    collection, root = part(capture, "CAMERAS", "Cameras"), root_of(capture)
    if is_first:
        collection.hide_select = True  # a click at the scene means what is behind them
    name_length = cast("StringProperty", bpy.types.ID.bl_rna.properties["name"]).length_max - 1
    scale = root.matrix_basis.median_scale
    shown = []
    for photo in files.photos:
        item = existing.pop(photo.view.name, None)
        is_new = item is None
        if item is None:
            item = _new_camera(photo.view.name, name_length)
        if item.parent != root:
            item.parent = root
            item.matrix_parent_inverse.identity()
        data = camera_data(item)
        item.matrix_basis = Matrix(camera_matrix(photo.view.world_to_camera).tolist())
        apply_intrinsics(data, photo.view.camera)
        data.clip_start = _NEAREST * files.extent * scale
        data.clip_end = _FARTHEST * files.reach * scale
        if frustum_size or is_new:
            data.display_size = frustum_size or default_frustum_size(files) * scale
        _show_photo(data, photo, images)
        if is_new:
            collection.objects.link(item)
        shown.append(item)
    for item in existing.values():
        _remove(item)
    return shown


def cameras_collection(capture: Collection) -> Collection | None:
    """Return the collection of a capture's cameras, None where there is none."""
    every = capture.children_recursive
    return next((one for one in every if of_collection(one).kind == "CAMERAS"), None)


def default_frustum_size(files: CaptureFiles) -> float:
    """Return a width of cameras, in units of the capture's frame, at which they hide little."""
    return files.extent * min(0.1, 0.5 / math.sqrt(len(files.photos)))


def _by_photo(capture: Collection) -> dict[str, Object]:
    """Return the camera of each photo; copies that a person made of them become that person's."""
    found: dict[str, Object] = {}
    for item in objects_of_kind(capture, "CAMERA"):
        photo = of_camera(camera_data(item)).photo
        if photo in found:
            of_object(item).kind = "NONE"
        else:
            found[photo] = item
    return found


def _new_camera(photo: str, name_length: int) -> Object:
    name = _shortened(photo, name_length)
    data = bpy.data.cameras.new(name)
    of_camera(data).photo = photo
    item = bpy.data.objects.new(name, data)
    of_object(item).kind = "CAMERA"
    item.rotation_mode = "QUATERNION"
    # Where a photo was taken is a measurement; nothing but an import changes it unasked.
    item.lock_location = item.lock_rotation = item.lock_scale = (True, True, True)
    item.lock_rotation_w = item.lock_rotations_4d = True
    return item


def _shortened(name: str, length: int) -> str:
    """Return what fits into `length` bytes (63 before Blender 5.0): the end, where names differ."""
    encoded = name.encode()
    if len(encoded) <= length:
        return name
    mark = "…"
    return mark + encoded[len(encoded) - length + len(mark.encode()) :].decode(errors="ignore")


def _show_photo(data: Camera, photo: Photo, images: Mapping[Path, Image] | None) -> None:
    """Put the photo behind the camera, or hide the one that was put there."""
    image = images[photo.file] if images is not None and photo.file is not None else None
    place = next((b for b in data.background_images if _is_ours(b.image)), None)
    if image is None:
        if place is not None:
            place.show_background_image = False
        return
    if place is None:
        place = data.background_images.new()
        place.alpha = _PHOTO_OPACITY
        # The photo is what the camera sees to the last pixel; FIT would leave a border where
        # these are not square (fx ≠ fy).
        place.frame_method = "STRETCH"
        data.show_background_images = True
    before, place.image = place.image, image
    image[_MARK] = photo.view.name
    place.show_background_image = True
    _remove_unused([before])


def _remove(item: Object) -> None:
    """Remove a camera with its data and its photo, unless something else uses them."""
    data = camera_data(item)
    images = [b.image for b in data.background_images]
    bpy.data.objects.remove(item)
    if not data.users:
        bpy.data.cameras.remove(data)
        _remove_unused(images)


def _remove_unused(images: Iterable[Image | None]) -> None:
    for image in images:
        if image is not None and _is_ours(image) and not image.users:
            bpy.data.images.remove(image)


def _is_ours(image: Image | None) -> bool:
    return image is not None and _MARK in image
