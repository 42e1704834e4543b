# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos and model as pinhole cameras see them."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import Any

from ....progress import Progress, Reporter

STAGE = "Undistorting photos"
_JPEG_QUALITY = 95
_LOOK_SECONDS = 0.3


def undistort(
    *,
    model: str,
    photos: str,
    output: str,
    names: dict[str, str],
    threads: int,
    report: Reporter,
    opacities: str | None = None,
) -> dict[str, Any]:
    """Write undistorted photos into `output/images` and the model, tracks kept, into `…/sparse`.

    Args:
        model: folder of the solved model.
        photos: folder of the working copies.
        output: folder, emptied first.
        names: name in the dataset of each working copy.
        threads: to use.
        report: takes progress.
        opacities: folder of further pictures of some of the working copies, of the same names; they
            come into `output/opacities`.

    Returns:
        The number of photos.
    """
    import pycolmap

    target = Path(output)
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    total = pycolmap.Reconstruction(model).num_reg_images()
    finished = threading.Event()

    def watch() -> None:
        while not finished.wait(_LOOK_SECONDS):
            written = sum(path.is_file() for path in (target / "images").rglob("*"))
            report(Progress(STAGE, min(written, total), total))

    report(Progress(STAGE, 0, total))
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        pycolmap.undistort_images(
            target, model, photos, jpeg_quality=_JPEG_QUALITY, num_threads=threads
        )
    finally:
        finished.set()
        watcher.join()
    if opacities is not None:
        _undistort_some(model, Path(opacities), target / "opacities", threads)
    _rename(target, names)
    report(Progress(STAGE, total, total))
    return {"photos": total}


def _undistort_some(model: str, pictures: Path, output: Path, threads: int) -> None:
    """Undistort pictures that only some photos of a model have."""
    import pycolmap

    solved = pycolmap.Reconstruction(model)
    for image in [solved.image(number) for number in solved.reg_image_ids()]:
        if not (pictures / image.name).is_file():
            solved.deregister_frame(image.frame_id)
    if not solved.num_reg_images():
        return
    work = output.with_name("reduced")
    (work / "model").mkdir(parents=True)
    solved.write(work / "model")
    pycolmap.undistort_images(work, work / "model", pictures, num_threads=threads)
    (work / "images").rename(output)
    shutil.rmtree(work)


def _rename(target: Path, names: dict[str, str]) -> None:
    """Give the photos their names in the dataset, where COLMAP could not use these."""
    import pycolmap

    solved = pycolmap.Reconstruction(target / "sparse")
    images = [solved.image(number) for number in solved.reg_image_ids()]
    if all(names[image.name] == image.name for image in images):
        return
    for image in images:
        name = names[image.name]
        if name != image.name:
            path = target / "images" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            (target / "images" / image.name).rename(path)
            image.name = name
    for folder in sorted((target / "images").rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    solved.write(target / "sparse")
