# SPDX-License-Identifier: GPL-3.0-or-later
"""Where COLMAP models lie in a dataset, and which of several is taken: the one of most photos.

COLMAP numbers the models that it could not join. nerfstudio keeps its models in `colmap/sparse`,
the script of 3DGS keeps those with lens distortion in `distorted/sparse`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...errors import CgcError
from ..folder import DatasetFolder
from ..other_programs import ARCHIVES, name_other_program
from . import binary as colmap_binary
from . import text as colmap_text

MODEL_FILES = ("cameras", "images", "points3D")
ENDINGS = (".bin", ".txt")
"""Binary first: where both are whole, that is read."""
SPARSE = "sparse"
DISTORTED = "distorted"
FURTHER_HOMES = ("colmap", DISTORTED)
"""Folders of a dataset with a `sparse` of their own, which other programs leave there."""
_ELSEWHERE = tuple(
    f"{above}cameras{ending}" for above in ("*/", "*/*/", "*/*/*/") for ending in ENDINGS
)
"""Where a model is looked for only to name it."""


def ending_of_model(folder: Path) -> str | None:
    """Return ".bin" or ".txt", whichever kind of model is whole in `folder`, binary first."""
    for ending in ENDINGS:
        if all((folder / (name + ending)).is_file() for name in MODEL_FILES):
            return ending
    return None


def model_places(folder: Path, *, further: bool = False) -> list[Path]:
    """Return the folders that may hold a dataset's model, there or not, the first looked in first.

    Args:
        folder: of the dataset.
        further: those of `FURTHER_HOMES` instead.
    """
    if further:
        homes = [folder / home / SPARSE for home in FURTHER_HOMES]
        return [place for home in homes for place in (*_numbered(home), home)]
    sparse = DatasetFolder(folder).model.parent
    return [*_numbered(sparse), sparse, folder]


def find_whole_model(folder: Path, *, further: bool = False) -> Path | None:
    """Return the first place with a whole model; of numbered ones that of most photos.

    Args:
        folder: of the dataset.
        further: look in `FURTHER_HOMES` instead.
    """
    place = next((p for p in model_places(folder, further=further) if ending_of_model(p)), None)
    if place is None or place == folder or not place.name.isdecimal():
        return place
    models = [place, *models_beside(place)]
    # Of equals `max` keeps the first, that is the smallest number.
    return place if len(models) == 1 else max(sorted(models, key=_number), key=count_photos)


def find_model(folder: Path) -> Path:
    """Return the folder that holds the model, see `model_places`.

    Raises:
        CgcError: there is no such folder, or no complete model in it.
    """
    if folder.is_file() and folder.suffix.lower() in ARCHIVES:
        raise CgcError(
            f"{folder} is an archive; unpack it and give the folder that comes out of it."
        )
    if not folder.is_dir():
        raise CgcError(f"{folder} is not a folder; give the folder that holds images/ and sparse/.")
    for further in (False, True):
        if found := find_whole_model(folder, further=further):
            return found
    for candidate in (*model_places(folder), *model_places(folder, further=True)):
        files = (name + ending for name in MODEL_FILES for ending in ENDINGS)
        if found := [file for file in files if (candidate / file).is_file()]:
            raise CgcError(
                f"{candidate} holds {', '.join(found)}, but a COLMAP model is cameras, images and "
                "points3D, all three .bin or all three .txt; export the model again."
            )
    elsewhere = (path.parent for pattern in _ELSEWHERE for path in sorted(folder.glob(pattern)))
    if other := next((place for place in elsewhere if ending_of_model(place)), None):
        raise CgcError(
            f"{folder} holds a COLMAP model in {other.relative_to(folder).as_posix()}, where none "
            "is looked for; name the folder that belongs to it, or move the model to sparse/0."
        )
    if (told := name_other_program(folder)) is not None:
        raise CgcError(told)
    raise CgcError(
        f"{folder} holds no COLMAP model: neither sparse/0, nor sparse, nor the folder itself has "
        "cameras.bin or cameras.txt, and there is no transforms.json either; run `solve` on the "
        "photos or copy the model there."
    )


def models_beside(place: Path) -> list[Path]:
    """Return the other whole models of a numbered folder's home, by number."""
    if not place.name.isdecimal():
        return []
    return [p for p in _numbered(place.parent) if p.name != place.name and ending_of_model(p)]


def count_photos(place: Path) -> int:
    """Return how many photos a whole model has, as far as that is told quickly; 0 if damaged."""
    ending = ending_of_model(place)
    reader = colmap_binary if ending == ".bin" else colmap_text
    try:
        return reader.count_images(place / f"images{ending}")
    except (CgcError, OSError):
        return 0


def describe_choice(folder: Path, place: Path) -> str | None:
    """Return a sentence on a dataset's models where there are several, None where there are not.

    Args:
        folder: of the dataset.
        place: of the model that is read.
    """
    if not (others := models_beside(place)):
        return None
    told = ", ".join(f"{other.name} with {count_photos(other)}" for other in others)
    why = "since you chose it" if place == folder else "the one of most photos"
    return (
        f"{place} with {count_photos(place)} photos is read, {why}; the other models beside it "
        f"could not be joined to it and are left out: {told}."
    )


def dataset_above(place: Path) -> Path | None:
    """Return the dataset that the folder of a model lies in by its name, None if it lies in none.

    Example:
        >>> dataset_above(Path("desk/sparse/1")).as_posix()
        'desk'
        >>> dataset_above(Path("desk/colmap/sparse/0")).as_posix()
        'desk'
        >>> dataset_above(Path("desk")) is None
        True
    """
    sparse = place.parent if place.name.isdecimal() else place
    if sparse.name != SPARSE:
        return None
    home = sparse.parent
    # A dataset may itself be called "colmap".
    inner = home.name in FURTHER_HOMES and DatasetFolder(home).photos_folder() is None
    return home.parent if inner else home


def _numbered(sparse: Path) -> Iterator[Path]:
    """Yield the numbered folders in `sparse`, by number."""
    try:
        found = [path for path in sparse.iterdir() if path.name.isdecimal() and path.is_dir()]
    except OSError:  # there is none, or no permission: then nothing in it can be read either
        found = []
    yield from sorted(found, key=_number)


def _number(place: Path) -> tuple[int, str]:
    return int(place.name), place.name
