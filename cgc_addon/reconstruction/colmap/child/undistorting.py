# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos and model as pinhole cameras see them."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path
from typing import Any

from ....errors import CgcError
from ....files import read_json, write_json
from ....progress import Progress, Reporter

STAGE = "Undistorting photos"
_JPEG_QUALITY = 95
_LOOK_SECONDS = 0.3
_FIRST_BATCH, _BATCH_SECONDS = 8, 5.0
"""Photos to begin with, and how long those take that are done at once: what a kill costs."""
_RECORD = "written.json"
"""File beside the photos, which COLMAP itself may leave half-written."""


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
        output: folder; photos that an earlier call has written for the same model are kept.
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
    solved = pycolmap.Reconstruction(model)
    files = sorted(solved.image(number).name for number in solved.reg_image_ids())
    total, record = len(files), target / _RECORD
    ready = [file for file in _recorded(record, files) if (target / "images" / file).is_file()]
    if not ready:
        if target.exists():
            shutil.rmtree(target)
        target.mkdir(parents=True)
    # At least one: with it the model is written, whose names a call before may have changed.
    missing = [file for file in files if file not in set(ready)] or files[:1]
    finished = threading.Event()

    def watch() -> None:
        while not finished.wait(_LOOK_SECONDS):
            written = sum(path.is_file() for path in (target / "images").rglob("*"))
            report(Progress(STAGE, min(written, total), total))

    report(Progress(STAGE, len(ready), total))
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        batch = _FIRST_BATCH
        while missing:
            began = time.perf_counter()
            now, missing = missing[:batch], missing[batch:]
            pycolmap.undistort_images(
                target, model, photos, now, jpeg_quality=_JPEG_QUALITY, num_threads=threads
            )
            ready += now
            write_json(record, {"files": ready})
            seconds = max(time.perf_counter() - began, 1e-3)
            batch = max(1, int(len(now) * _BATCH_SECONDS / seconds))
    finally:
        finished.set()
        watcher.join()
    if opacities is not None:
        _undistort_some(model, Path(opacities), target / "opacities", threads)
    _rename(target, names)
    record.unlink()
    report(Progress(STAGE, total, total))
    return {"photos": total}


def _recorded(record: Path, files: list[str]) -> list[str]:
    """Return which photos were whole when an earlier call ended, none where nobody knows."""
    try:
        value = read_json(record)
        found = [str(file) for file in value["files"]]
    except (CgcError, KeyError, TypeError):
        return []
    return found if set(found) <= set(files) else []


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
