# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos, label maps and ground truth of the views, undistorted and at the size asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .byte_cache import ByteCache
from .image_files import may_be_transparent, read_opacity, read_photo
from .label_maps import has_one_mask, read_label_map
from .mask_answers import MaskAnswers, checksum, read_answers
from .photo_files import PhotoFiles
from .pinhole import is_pinhole
from .resize import area_average, level_size, nearest
from .scene import View
from .undistort import (
    positions_in_pinhole,
    remap_bilinear,
    remap_nearest,
    source_positions,
    valid_pixels,
)

CACHE_BYTES = 1 << 30
MAP_CACHE_BYTES = 256 << 20
_LOOKED_AT = 3
"""Photos with room for transparency, and none in it: then no photo is cut out."""
_CUT_OUT_SHARE = 0.01
"""Of the pixels of a photo; fewer transparent ones are an edge that was straightened."""


class PhotoStore:
    """Decodes what is asked for and keeps it while memory allows.

    Level 0 is the working size, the size of the views' cameras; level 1 has half its width and
    height, level 2 a quarter, rounded down. Photos are area averages, ids nearest neighbours.
    Arrays are shared with later calls: do not write into them. Calls from several threads are
    fine, and the same call always returns the same values.
    """

    def __init__(
        self,
        files: Sequence[PhotoFiles],
        views: Sequence[View],
        *,
        cache_bytes: int = CACHE_BYTES,
        map_cache_bytes: int = MAP_CACHE_BYTES,
    ) -> None:
        """Take the files of the views; nothing is read yet.

        Args:
            files: one for each view.
            views: with undistorted cameras of the working size.
            cache_bytes: most memory that is kept for pixels.
            map_cache_bytes: most memory that is kept for undistortion maps.
        """
        self._files = tuple(files)
        self._views = tuple(views)
        self._pixels = ByteCache(cache_bytes)
        self._maps = ByteCache(map_cache_bytes)

    def __len__(self) -> int:
        return len(self._views)

    @property
    def cached_bytes(self) -> int:
        """Memory that is kept for pixels and maps now."""
        return self._pixels.size + self._maps.size

    @property
    def files(self) -> tuple[PhotoFiles, ...]:
        """Where the pixels of each view come from."""
        return self._files

    def has_labels(self, index: int) -> bool:
        """Say whether the view has a label map."""
        return self._files[index].labels is not None

    def has_truth(self, index: int) -> bool:
        """Say whether the view has ground truth."""
        return self._files[index].truth is not None

    @cached_property
    def rest_is_a_mask(self) -> bool:
        """Whether no label map has two masks: they show one object then, and the rest.

        Looks at label maps until one has two, as a rule the first.

        Raises:
            CgcError: a file is missing or damaged.
        """
        paths = [files.labels for files in self._files if files.labels is not None]
        return bool(paths) and all(has_one_mask(read_label_map(path)) for path in paths)

    @cached_property
    def are_cut_out(self) -> bool:
        """Whether photos are transparent around what they show, told by the first few that can be.

        Raises:
            CgcError: a photo is missing or damaged.
        """
        looked_at = 0
        for index in range(len(self)):
            if not may_be_transparent(self._files[index].photo):
                continue
            if np.mean(self.opacity(index) == 0) > _CUT_OUT_SHARE:
                return True
            looked_at += 1
            if looked_at == _LOOKED_AT:
                break
        return False

    def view(self, index: int, level: int = 0) -> View:
        """Return the view with its camera at the size of a level."""
        view = self._views[index]
        return view.resized(*level_size((view.camera.width, view.camera.height), level))

    def photo(self, index: int, level: int = 0) -> NDArray[np.uint8]:
        """Return the photo (H, W, 3) sRGB; black where an undistorted one shows nothing.

        Raises:
            CgcError: the file is missing or damaged.
        """
        return self._pixels.get(("photo", index, level), lambda: self._make_photo(index, level))

    def opacity(self, index: int, level: int = 0) -> NDArray[np.uint8]:
        """Return how opaque the photo is (H, W), 255 = wholly; `photo` shows it over black.

        Raises:
            CgcError: the file is missing or damaged.
        """
        return self._pixels.get(("opacity", index, level), lambda: self._make_opacity(index, level))

    def labels(self, index: int, level: int = 0) -> NDArray[np.int32] | None:
        """Return the label map (H, W), 0 = unlabelled, or None if the view has none.

        Raises:
            CgcError: the file is missing or damaged.
        """
        path = self._files[index].labels
        return None if path is None else self._ids("labels", path, index, level)

    def masks(self, index: int, level: int = 0) -> NDArray[np.int32] | None:
        """Return the masks (H, W) to tell apart, 0 = unlabelled, or None if the view has none.

        These are `labels`; where `rest_is_a_mask`, what has no label there has the next id.

        Raises:
            CgcError: a file is missing or damaged.
        """
        ids = self.labels(index, level)
        if ids is None or not self.rest_is_a_mask or not ids.any():
            return ids
        covered = self.valid(index, level)
        rest = (ids == 0) if covered is None else (ids == 0) & covered
        return np.where(rest, ids.max() + 1, ids)

    def parts(self, index: int, level: int = 0) -> NDArray[np.int32] | None:
        """Return the label map of parts (H, W), 0 = unlabelled, or None if the view has none.

        Raises:
            CgcError: the file is missing or damaged.
        """
        path = self._files[index].parts
        return None if path is None else self._ids("parts", path, index, level)

    def answers(self, index: int) -> MaskAnswers | None:
        """Return what the mask model answered about the photo, or None where nobody knows.

        None, too, where the label map is not the one that was painted from it: corrections and
        masks of other programs count more.

        Raises:
            CgcError: a file is missing or damaged.
        """
        files = self._files[index]
        if files.answers is None or files.labels is None:
            return None
        found = read_answers(files.answers)
        painted = checksum(read_label_map(files.labels)) == found.map_checksum
        return found if painted else None

    def answer_cells(self, index: int, answers: MaskAnswers) -> NDArray[np.int32]:
        """Return the cell of the masks of `answers` that each pixel (H, W) lies in.

        −1 where an undistorted photo shows nothing.
        """
        cells = np.arange(1, answers.width * answers.height + 1, dtype=np.int32)
        cells = cells.reshape(answers.height, answers.width)
        source, camera = self._files[index].camera, self.view(index).camera
        if is_pinhole(source):
            cells = nearest(cells, (camera.width, camera.height))
        else:
            cells = remap_nearest(cells, source, self._positions(index, 0))
        return cells - np.int32(1)

    def truth(self, index: int, level: int = 0) -> NDArray[np.int32] | None:
        """Return the ground truth (H, W), 0 = background, or None if the view has none.

        Raises:
            CgcError: the file is missing or damaged.
        """
        path = self._files[index].truth
        return None if path is None else self._ids("truth", path, index, level)

    def in_view(self, index: int, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return where the view shows what is at places of its photo.

        Args:
            index: of the view.
            points: (P, 2) x and y in pixels of the photo as it is on disk, turned as EXIF says
                where its camera is.

        Returns:
            (P, 2) in pixels of the view at its working size.
        """
        source, target = self._files[index].camera, self.view(index).camera
        if is_pinhole(source):
            scale = (target.width / source.width, target.height / source.height)
            return np.asarray(points, np.float64) * scale
        return positions_in_pinhole(source, target, points)

    def valid(self, index: int, level: int = 0) -> NDArray[np.bool_] | None:
        """Return (H, W): which pixels the photo covers; None if all, as nearly always.

        Undistortion leaves uncovered pixels only where distortion is so strong that the pinhole
        camera would otherwise become smaller than a fifth of the photo.
        """
        camera = self._files[index].camera
        if is_pinhole(camera):
            return None
        covered = valid_pixels(self._positions(index, level))
        return None if covered.all() else covered

    def _make_photo(self, index: int, level: int) -> NDArray[np.uint8]:
        camera = self.view(index, level).camera
        size = (camera.width, camera.height)
        if level > 0:
            return area_average(self.photo(index), size)
        files = self._files[index]
        return self._at_working_size(read_photo(files.photo, upright=files.upright), index)

    def _make_opacity(self, index: int, level: int) -> NDArray[np.uint8]:
        camera = self.view(index, level).camera
        files = self._files[index]
        opacity = read_opacity(files.photo, upright=files.upright)
        if opacity is None:
            return np.full((camera.height, camera.width), 255, np.uint8)
        picture = self._at_working_size(np.repeat(opacity[..., None], 3, axis=2), index)
        return area_average(picture, (camera.width, camera.height))[..., 0]

    def _at_working_size(self, photo: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
        """Return a picture (H, W, 3) of the size on disk as the view's camera sees it."""
        files, camera = self._files[index], self.view(index).camera
        size = (camera.width, camera.height)
        if is_pinhole(files.camera):
            return area_average(photo, size)
        # The photo is shrunk first, so that the samples taken from it leave nothing out.
        scale = min(1.0, camera.fx / files.camera.focal_lengths[0])
        shrunk = (round(photo.shape[1] * scale), round(photo.shape[0] * scale))
        photo = area_average(photo, (max(1, shrunk[0]), max(1, shrunk[1])))
        return remap_bilinear(photo, files.camera, self._positions(index, 0))

    def _ids(self, kind: str, path: Path, index: int, level: int) -> NDArray[np.int32]:
        def make() -> NDArray[np.int32]:
            ids = read_label_map(path)
            camera = self.view(index, level).camera
            source = self._files[index].camera
            if is_pinhole(source):
                ids = nearest(ids, (camera.width, camera.height))
            else:
                ids = remap_nearest(ids, source, self._positions(index, level))
            return ids.astype(np.int32)

        return self._pixels.get((kind, index, level), make)

    def _positions(self, index: int, level: int) -> NDArray[np.float32]:
        source, target = self._files[index].camera, self.view(index, level).camera
        return self._maps.get((source, target), lambda: source_positions(source, target))
