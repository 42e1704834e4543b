# SPDX-License-Identifier: GPL-3.0-or-later
"""Other programs' masks become label maps of a dataset; what they are is told by their content.

Recognised are: label maps in grey, with a palette or with a colour for each object; NumPy arrays of
ids; a folder for each photo with a picture for each object; the JSON of Segment Anything's
automatic generator; COCO files.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...dataset.folder import DatasetFolder, label_map_file
from ...dataset.image_files import write_grey
from ...errors import CgcError
from ...progress import Reporter, ShouldStop, never, silent, track
from ..review import forget_corrections
from .annotations import ENDING, find_annotations
from .maps import Findings, Photo, is_hidden, natural_words, photos_of
from .pictures import find_arrays, find_pictures


@dataclass(frozen=True)
class ImportSummary:
    """What came of an import."""

    folder: Path
    """That holds the label maps now."""
    kind: str
    """What was found, in words."""
    how: str
    """How it was matched with the photos, in words."""
    imported: tuple[str, ...]
    """Photos that got a label map."""
    kept: tuple[str, ...]
    """Photos that had one, which was not replaced."""
    without: tuple[str, ...]
    """Photos for which there is none."""
    strangers: tuple[str, ...]
    """Files, or names in a file, that belong to no photo."""

    def sentences(self) -> list[str]:
        """Return what a person should know, a sentence each."""
        total = len(self.imported) + len(self.kept)
        said = [f"Found {self.kind} for {total} photos, matched {self.how}."]
        if self.kept:
            said.append(
                f"{len(self.kept)} photos have a label map already, which was left as it is; "
                "--overwrite replaces them."
            )
        if self.without:
            said.append(
                f"{len(self.without)} photos have no masks here: {natural_words(self.without)}."
            )
        if self.strangers:
            said.append(
                f"{len(self.strangers)} files belong to no photo of the dataset and are unused: "
                f"{natural_words(self.strangers)}."
            )
        return said


def import_label_maps(
    source: Path,
    dataset: Path,
    *,
    overwrite: bool = False,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> ImportSummary:
    """Write label maps for the photos of a dataset, made from another program's masks.

    Where several masks cover a pixel, the smallest has it.

    Args:
        source: a folder of masks, or a file of masks for all photos; nothing in it is changed.
        dataset: holds `images/`; its folder of label maps is made if missing.
        overwrite: replace label maps that are there.
        report: progress.
        should_stop: asked between photos.

    Returns:
        What was imported, and what was not.

    Raises:
        CgcError: no masks are recognised, a file is damaged, or masks are not of their photo's
            shape. Sizes that the files tell beforehand are checked before anything is written.
        Interrupted: `should_stop` said so; label maps written until then stay.
    """
    photos = photos_of(dataset)
    target = _target(source, dataset)
    findings = _find(source, photos)
    for found in findings.maps:
        if found.size is not None:
            found.photo.check_shape(found.size, found.place)
    has_one = {
        photo.stem
        for photo in photos
        if not overwrite and label_map_file(target, photo.stem).exists()
    }
    wanted = [found for found in findings.maps if found.photo.stem not in has_one]
    for found in track(wanted, "Importing masks", report, should_stop):
        ids = found.read()
        found.photo.check_shape((ids.shape[1], ids.shape[0]), found.place)
        write_grey(label_map_file(target, found.photo.stem), _smallest_type(ids))
        forget_corrections(target, found.photo.stem)
    found_for = {found.photo.stem for found in findings.maps}
    return ImportSummary(
        target,
        findings.kind,
        findings.how,
        imported=tuple(found.photo.name for found in wanted),
        kept=tuple(p.name for p in photos if p.stem in has_one & found_for),
        without=tuple(p.name for p in photos if p.stem not in has_one | found_for),
        strangers=findings.strangers,
    )


def _smallest_type(ids: NDArray[np.uint16]) -> NDArray[np.uint8] | NDArray[np.uint16]:
    return ids.astype(np.uint8) if ids.max() <= 255 else ids


def _target(source: Path, dataset: Path) -> Path:
    """Return the folder for the label maps: the one in use, unless that is the source."""
    folder = DatasetFolder(dataset)
    target = folder.label_folder() or folder.masks
    if target != folder.masks and _is_within(source, target):
        target = folder.masks
    if _is_within(source, target):
        raise CgcError(
            f"{source} is where the dataset's own label maps lie, and importing would replace the "
            "files that are read; move it somewhere else and name it there."
        )
    return target


def _is_within(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _find(source: Path, photos: tuple[Photo, ...]) -> Findings:
    if source.is_file():
        folder, files = source.parent, [source]
    elif source.is_dir():
        folder = source
        files = [
            path
            for path in sorted(source.rglob("*"))
            if path.is_file() and not is_hidden(path, source)
        ]
    else:
        raise CgcError(f"{source} does not exist; name the folder of masks to import.")
    for find in (find_annotations, find_arrays, find_pictures):
        if findings := find(folder, files, photos):
            return findings
    raise CgcError(_why_none(source, files, photos))


def _why_none(source: Path, files: list[Path], photos: tuple[Photo, ...]) -> str:
    endings = sorted({path.suffix.lower() or path.name for path in files})
    if not files:
        return f"{source} is empty; name the folder of masks to import."
    if {".jpg", ".jpeg"} & set(endings) and not {".png", ".npy", ENDING} & set(endings):
        return (
            f"{source} holds JPEG files, which blur ids at the edges; export the masks as PNG and "
            "import those."
        )
    return (
        f"{source} holds no masks for these photos ({len(files)} files: "
        f"{natural_words(endings, 5)}); masks are label maps (.png, .npy), a folder for each photo "
        "with a PNG for each object, or JSON of Segment Anything, LabelMe or COCO, named like the "
        "photos: "
        f"{natural_words([photo.name for photo in photos], 2)}."
    )
