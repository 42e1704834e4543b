# SPDX-License-Identifier: GPL-3.0-or-later
"""Features of the photos into the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ....progress import Progress, Reporter
from ...photo_list import CameraGroup
from ..database import files_with_features

STAGE = "Finding features"
_DOUBLED_SIZE = 1000
"""Longest side up to which photos are doubled first, px: larger ones have features enough."""
_MOST_BYTES = 2 << 30
_BYTES_PER_PIXEL = 100
"""Scale space of a photo: Gaussians, their differences and gradients of all octaves."""


def extract(
    *,
    database: str,
    photos: str,
    groups: list[dict[str, Any]],
    max_features: int,
    threads: int,
    seed: int,
    report: Reporter,
) -> dict[str, Any]:
    """Find the features of all photos that have none in the database yet.

    Args:
        database: file, made if missing; one that exists passed `database.is_usable`.
        photos: folder of the working copies.
        groups: fields of each `CameraGroup`.
        max_features: of one photo.
        threads: to use.
        seed: of everything random.
        report: takes progress.

    Returns:
        Under "extracted" for how many photos that was.
    """
    import pycolmap

    pycolmap.set_random_seed(seed)
    cameras = [CameraGroup(**group) for group in groups]
    _write_cameras(Path(database), cameras)
    ready = files_with_features(Path(database))
    total, done, extracted = sum(len(group.files) for group in cameras), 0, 0
    batch_size = 4 * threads  # with fewer, threads would wait for the slowest photo more often
    for number, group in enumerate(cameras, start=1):
        is_doubled = max(group.width, group.height) <= _DOUBLED_SIZE
        pixels = group.width * group.height * (4 if is_doubled else 1)
        options = pycolmap.FeatureExtractionOptions(
            num_threads=threads_that_fit(pixels, threads), use_gpu=False
        )
        options.sift.max_num_features = max_features
        options.sift.first_octave = -1 if is_doubled else 0
        reader = pycolmap.ImageReaderOptions(existing_camera_id=number)
        for start in range(0, len(group.files), batch_size):
            batch = group.files[start : start + batch_size]
            report(Progress(STAGE, done, total))
            missing = [file for file in batch if file not in ready]
            if missing:
                # First the names, in order: many threads would number the images by chance.
                pycolmap.import_images(
                    database, photos, pycolmap.CameraMode.SINGLE, missing, reader
                )
                pycolmap.extract_features(
                    database, photos, missing, pycolmap.CameraMode.SINGLE, reader, options,
                    pycolmap.Device.cpu,
                )  # fmt: skip
            done += len(batch)
            extracted += len(missing)
    report(Progress(STAGE, total, total))
    return {"extracted": extracted}


def threads_that_fit(pixels: int, threads: int) -> int:
    """Return how many photos of so many pixels can be looked at at once in two gigabytes."""
    return max(1, min(threads, _MOST_BYTES // (pixels * _BYTES_PER_PIXEL)))


def _write_cameras(path: Path, groups: list[CameraGroup]) -> None:
    import pycolmap

    with pycolmap.Database.open(path) as database:
        if database.num_cameras():
            return
        with pycolmap.DatabaseTransaction(database):
            for group in groups:
                camera = pycolmap.Camera.create_from_model_name(
                    0, group.model, group.focal, group.width, group.height
                )
                camera.has_prior_focal_length = group.is_known
                database.write_camera(camera)
