# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of a dataset: where its photos, cameras and label maps lie, and what made it.

The standard library alone: Blender looks there, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .names import PHOTO_ENDINGS

IMAGES = "images"
INPUT = "input"
"""Where the script of 3DGS has the photos that were solved; read where there is no `IMAGES`."""
LABEL_FOLDERS = ("masks", "seg_masks", "object_mask")
"""Where label maps are looked for; the first folder that exists is taken."""
MASKS = LABEL_FOLDERS[0]
"""Where those that are made here go."""
PARTS = "masks_parts"
"""Where finer label maps of the same photos are: parts of what `LABEL_FOLDERS` have whole."""
ANSWERS = "masks_answers"
"""Where all that the mask model answered about the same photos is kept."""
TRUTH = "gt"
"""Where ground truth is, in the form of label maps."""
NO_PHOTOS = (*LABEL_FOLDERS, PARTS, ANSWERS, TRUTH)
"""Folders of pictures that are named like photos and are none."""
ORIGINALS = ".originals"
"""Within a folder of label maps: those that were corrected by hand, as they were before."""


@dataclass(frozen=True)
class DatasetFolder:
    """Paths of a dataset; creating the object touches nothing on disk."""

    path: Path

    @property
    def images(self) -> Path:
        """The photos, unless a transforms.json tells where they are."""
        return self.path / IMAGES

    @property
    def model(self) -> Path:
        """The COLMAP model that `solve` writes."""
        return self.path / "sparse" / "0"

    @property
    def masks(self) -> Path:
        """The label maps that are made here."""
        return self.path / MASKS

    @property
    def parts(self) -> Path:
        """Finer label maps, of the parts of things."""
        return self.path / PARTS

    @property
    def answers(self) -> Path:
        """Everything that the mask model answered, a file for each photo."""
        return self.path / ANSWERS

    @property
    def truth(self) -> Path:
        """Ground truth for evaluation, in the form of label maps."""
        return self.path / TRUTH

    @property
    def solve_work(self) -> Path:
        """What `solve` needs to go on where it ended."""
        return self.path / "solve"

    @property
    def solve_report(self) -> Path:
        """What came of solving; written last."""
        return self.path / "solve.json"

    @property
    def photo_job(self) -> Path:
        """What the verb `from-photos` was asked for."""
        return self.path / "from_photos.json"

    def photos_folder(self, names: Sequence[str] = (IMAGES, INPUT)) -> Path | None:
        """Return the first of the folders `names` that is there, in any case; else None."""
        return next((found for name in names if (found := self._folder(name)) is not None), None)

    def label_folder(self) -> Path | None:
        """Return the folder of label maps that is read, in any case; None where there is none."""
        return self.photos_folder(LABEL_FOLDERS)

    def _folder(self, name: str) -> Path | None:
        """Return a folder that is called so, else one that is but for upper and lower case."""
        if (self.path / name).is_dir():
            return self.path / name
        try:
            others = sorted(path for path in self.path.iterdir() if path.name.casefold() == name)
        except OSError:
            return None
        return next((path for path in others if path.is_dir()), None)


def label_map_file(folder: Path, stem: str) -> Path:
    """Return a view's label map, whether it exists or not.

    Args:
        folder: of label maps.
        stem: the photo's name without ending; its map is `<stem>.png`, or keeps the photo's ending
            as in `0001.jpg.png`, which is how COLMAP and others call it.
    """
    plain = folder / f"{stem}.png"
    if plain.is_file():
        return plain
    kept = (folder / f"{stem}{ending}.png" for ending in sorted(PHOTO_ENDINGS))
    return next((path for path in kept if path.is_file()), plain)
