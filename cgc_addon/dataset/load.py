# SPDX-License-Identifier: GPL-3.0-or-later
"""A dataset folder becomes a `Dataset`: checked, undistorted on demand, split for evaluation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from .colmap.records import ColmapCamera
from .framing import (
    describe_outlying,
    outlying_views,
    scene_extent,
    scene_up,
    usual_views,
)
from .image_files import read_small
from .photo_files import add_label_maps, find_photos
from .photos import PhotoStore
from .plausibility import describe_doubts
from .resize import fitted_size
from .scene import PinholeCamera, Scene, View
from .solved import labels_home, read_solved
from .undistort import pinhole_camera


@dataclass(frozen=True, eq=False)
class Dataset:
    """A capture that is ready for training."""

    scene: Scene
    """Views in name order, pinhole cameras of the working size."""
    store: PhotoStore
    """Pixels of the views, by their index in `scene.views`."""
    train: tuple[int, ...]
    test: tuple[int, ...]
    """Indices of the views to train on and of those held out; each view is in one of the two."""
    warnings: tuple[str, ...]
    """What the user should know, a sentence each; nothing has been printed."""


def load_dataset(
    folder: Path,
    *,
    max_size: int | None = None,
    test_every: int | None = None,
    origin: NDArray[np.float64] | None = None,
) -> Dataset:
    """Read cameras, poses and points, and check photos and label maps by their headers.

    No photo is decoded before it is asked for.

    Args:
        folder: holds `images/` and the COLMAP model in `sparse/0/`, `sparse/` or itself, or a
            transforms.json, whose photos may be anywhere below it; may hold label maps in
            `masks/`, `seg_masks/` or `object_mask/`, finer ones of parts in `masks_parts/`, and
            ground truth in `gt/`.
        max_size: longest side of the working size, px; None keeps the undistorted photos' size.
        test_every: n holds out every n-th view in name order, beginning with the first: indices
            0, n, 2n, …; None holds out none.
        origin: (3,) what places are made relative to, in the frame of the files, scene units; None
            chooses: 0 0 0 unless places are far from there.

    Raises:
        CgcError: something in the folder cannot be used; the sentence says what to do.
    """
    folder = Path(folder)
    if max_size is not None and max_size < 1:
        raise CgcError(f"The longest side of a photo cannot be {max_size} px; give 1 or more.")
    solved = read_solved(folder, origin, read_small)
    place, model = solved.place, solved.model
    points = model.points.astype(np.float32)
    warnings = list(model.warnings)
    if not len(points):
        warnings.append(f"{place} has no points; training starts from random ones.")
    found = find_photos(
        solved.photos,
        model.images,
        model.cameras,
        # Below the dataset itself there are masks and what not.
        count_others=solved.photos != folder,
    )
    if len(found.images) == 1:
        warnings.append(f"{place} has one view only; training works, but depth stays unknown.")
    files, label_warnings = add_label_maps(labels_home(folder), found.images, found.files)
    warnings += [*found.warnings, *label_warnings]

    pinholes: dict[ColmapCamera, PinholeCamera] = {}
    views = []
    for image, file in zip(found.images, files, strict=True):
        if file.camera not in pinholes:
            pinhole = pinhole_camera(
                file.camera, f"{place}: camera {image.camera_id} of {image.name}"
            )
            size = fitted_size((pinhole.width, pinhole.height), max_size)
            pinholes[file.camera] = pinhole.resized(*size)
        views.append(View(image.name, pinholes[file.camera], image.world_to_camera))
    if outlying := outlying_views(views, points):
        warnings.append(describe_outlying(place, views, outlying))
    warnings += describe_doubts(place, views, points)
    usual = usual_views(views, points)
    scene = Scene(
        views=tuple(views),
        points=points,
        point_colors=model.point_colors,
        extent=scene_extent(usual, points),
        up=scene_up(usual),
        origin=solved.origin,
    )
    train, test = split(len(views), test_every)
    return Dataset(scene, PhotoStore(files, views), train, test, tuple(warnings))


def at_size(dataset: Dataset, max_size: int | None) -> Dataset:
    """Return a dataset whose photos are at most so large, as `load_dataset` would give it.

    Args:
        dataset: of a larger working size, whose cache of photos is not shared; or of that size,
            which is then returned itself.
        max_size: longest side, px; None: as they are.
    """
    views = []
    for view in dataset.scene.views:
        camera = view.camera
        views.append(view.resized(*fitted_size((camera.width, camera.height), max_size)))
    if all(
        new.camera.width == old.camera.width and new.camera.height == old.camera.height
        for new, old in zip(views, dataset.scene.views, strict=True)
    ):
        return dataset
    scene = replace(dataset.scene, views=tuple(views))
    return replace(dataset, scene=scene, store=PhotoStore(dataset.store.files, views))


def split(count: int, test_every: int | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the indices to train on and those held out: 0, n, 2n, … for `test_every` n.

    Raises:
        CgcError: nothing would be left to train on.

    Example:
        >>> split(6, 3)
        ((1, 2, 4, 5), (0, 3))
        >>> split(3, None)
        ((0, 1, 2), ())
    """
    if test_every is None:
        return tuple(range(count)), ()
    if test_every < 2:
        raise CgcError(f"Every {test_every}. view cannot be held out; give 2 or more, or nothing.")
    test = tuple(range(0, count, test_every))
    train = tuple(index for index in range(count) if index % test_every)
    if not train:
        raise CgcError(
            f"Holding out every {test_every}. of {count} view leaves none to train on; "
            "hold out none."
        )
    return train, test
