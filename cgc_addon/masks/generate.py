# SPDX-License-Identifier: GPL-3.0-or-later
"""Label maps for the photos of a dataset, one after the other; what is done is never done again."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..dataset.folder import MASKS, DatasetFolder, label_map_file
from ..dataset.image_files import read_photo, write_grey
from ..dataset.mask_answers import checksum, write_answers
from ..dataset.resize import fitted_size
from ..errors import CgcError
from ..progress import Progress, Reporter, ShouldStop, never, silent
from .label_map import SPECK_SHARE, flatten, without_specks
from .levels import DEFAULT_LEVELS, Levels
from .models.interface import Embedding, MaskModel
from .parallel import in_parallel
from .photos import MaskPhoto, photos_to_mask
from .proposals import Proposals, ProposalSettings, propose
from .review import forget_corrections

MAKING_MASKS = "Making masks"
"""Stage of the progress."""


@dataclass(frozen=True)
class MaskSettings:
    """What label maps are to hold."""

    levels: Levels = DEFAULT_LEVELS
    """both: also write finer maps, of parts, into `masks_parts/`."""
    proposals: ProposalSettings = field(default_factory=ProposalSettings)
    longest_side: int = 1024
    """Of the label maps, px, which may be smaller than their photos: masks hold no more detail."""


@dataclass(frozen=True)
class MaskSummary:
    """What was made."""

    made: int
    skipped: int
    """Photos that had a label map."""
    empty: int
    """Photos, of those made, in which nothing was found."""
    points_asked: float
    """Mean of the photos made."""
    seconds_per_photo: float

    def sentence(self, dataset: Path) -> str:
        """Say it to the user."""
        words = f"{self.made} label maps made in {DatasetFolder(dataset).masks}"
        if self.made:
            words += f", {self.seconds_per_photo:.1f} s and {self.points_asked:.0f} points a photo"
        if self.skipped:
            words += f"; {self.skipped} photos had one"
        if self.empty:
            words += f"; in {self.empty} photos nothing was found"
        return words + "."


def make_masks(
    dataset: Path,
    model: MaskModel,
    settings: MaskSettings | None = None,
    *,
    only: Sequence[str] = (),
    overwrite: bool = False,
    report: Reporter = silent,
    say: Callable[[str], None] = lambda _sentence: None,
    should_stop: ShouldStop = never,
) -> MaskSummary:
    """Make label maps for the photos of a dataset.

    Args:
        dataset: folder that holds `images/`; with cameras, only photos that have one are used.
        model: finds the masks.
        settings: see there; defaults if None.
        only: names of photos or patterns such as "left/*"; "new", the default, means all that have
            no label map yet.
        overwrite: make those anew that exist, corrections included.
        report: progress.
        say: takes sentences that the user should read.
        should_stop: asked between calls of the model.

    Raises:
        CgcError: no such photos, a photo is damaged, label maps of another kind are in the way, or
            the folder cannot be written.
        Interrupted: `should_stop` said so; label maps made until then stay.
    """
    settings = settings or MaskSettings()
    proposals = replace(settings.proposals, look_for_parts=settings.levels == "both")
    settings = replace(settings, proposals=proposals)
    existing = DatasetFolder(dataset).label_folder()
    if existing is not None and existing.name != MASKS:
        raise CgcError(
            f"{existing} holds label maps already, and those in {MASKS}/ would be taken in "
            "their place; move that folder away first."
        )
    photos = chosen_photos(dataset, photos_to_mask(dataset), only)
    waiting = [photo for photo in photos if overwrite or not _map(dataset, photo).is_file()]
    began = time.perf_counter()
    asked = empty = done = 0
    report(Progress(MAKING_MASKS, 0, len(waiting)))

    def make(photo: MaskPhoto, pause: Callable[[], None]) -> Made:
        return make_label_map(dataset, photo, model, settings, pause)

    for made in in_parallel(waiting, make, model.photos_at_once, should_stop):
        done += 1
        asked += made.points_asked
        if made.masks == 0:
            empty += 1
            say(f"In {made.photo.name} nothing was found; its label map is empty.")
        numbers = {"masks": made.masks, "points": made.points_asked}
        report(Progress(MAKING_MASKS, done, len(waiting), numbers))
    report(Progress(MAKING_MASKS, done, done))
    return MaskSummary(
        made=done,
        skipped=len(photos) - done,
        empty=empty,
        points_asked=asked / max(1, done),
        seconds_per_photo=(time.perf_counter() - began) / max(1, done),
    )


@dataclass(frozen=True)
class Made:
    """What became of one photo."""

    photo: MaskPhoto
    masks: int
    """Objects in its label map."""
    points_asked: int


def make_label_map(
    dataset: Path,
    photo: MaskPhoto,
    model: MaskModel,
    settings: MaskSettings,
    pause: Callable[[], None] = lambda: None,
) -> Made:
    """Make the label maps of one photo and write them.

    Args:
        dataset: folder that gets `masks/`, `masks_parts/` and `masks_answers/`.
        photo: one of it.
        model: finds the masks.
        settings: what to look for.
        pause: called between calls of the model; what it raises leaves everything as it was.

    Raises:
        CgcError: the photo is damaged, or a folder cannot be written.
    """
    pixels = read_photo(photo.path, upright=photo.upright)
    pause()
    embedding = model.embed(pixels)
    found = propose(model, embedding, settings.proposals, pause=pause)
    objects, parts = label_maps(found, embedding, settings)
    folder = DatasetFolder(dataset)
    if parts is not None:
        write_grey(folder.parts / f"{photo.stem}.png", parts)
    answers = replace(found.answers, map_checksum=checksum(objects))
    write_answers(folder.answers / f"{photo.stem}.npz", answers)
    # The objects' map comes last: it is what says that the photo is done.
    write_grey(_map(dataset, photo), objects)
    for maps in (folder.masks, folder.parts):
        forget_corrections(maps, photo.stem)
    count = len(np.unique(objects[objects > 0]))
    return Made(photo, count, found.points_asked)


def chosen_photos(
    dataset: Path, photos: Sequence[MaskPhoto], only: Sequence[str]
) -> list[MaskPhoto]:
    """Return the photos that `only` names.

    Raises:
        CgcError: a name or pattern fits none.
    """
    patterns = [pattern for pattern in only if pattern.casefold() != "new"]
    if not patterns:
        return list(photos)
    for pattern in patterns:
        if not any(_fits(photo, pattern) for photo in photos):
            raise CgcError(
                f"{DatasetFolder(dataset).images} has no photo {pattern!r}; name photos as they "
                "are called below that folder, or use patterns such as 'left/*'."
            )
    return [photo for photo in photos if any(_fits(photo, pattern) for pattern in patterns)]


def label_maps(
    found: Proposals, embedding: Embedding, settings: MaskSettings
) -> tuple[NDArray[np.uint16], NDArray[np.uint16] | None]:
    """Return the label map of objects (H, W), and that of parts where both levels are wanted.

    Objects are the best answers to points. Parts are all answers, since smaller ones end on top.
    """
    size = fitted_size((embedding.width, embedding.height), settings.longest_side)
    masks = enlarged(found.logits, size)
    objects = flatten(masks[found.best_of_point])
    parts = flatten(masks) if settings.levels == "both" else None
    return objects, parts


def enlarged(logits: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Return masks (M, H, W) without specks.

    Args:
        logits: (M, h, w) > 0 inside.
        size: new (width, height), px.
    """
    width, height = size
    masks = np.zeros((len(logits), height, width), np.bool_)
    for index, each in enumerate(logits):
        picture = Image.fromarray(each.astype(np.float32))
        grown = np.asarray(picture.resize(size, Image.Resampling.BILINEAR))
        masks[index] = without_specks(grown > 0, SPECK_SHARE * width * height)
    return masks


def _map(dataset: Path, photo: MaskPhoto) -> Path:
    return label_map_file(DatasetFolder(dataset).masks, photo.stem)


def _fits(photo: MaskPhoto, pattern: str) -> bool:
    name = photo.name.casefold()
    wanted = pattern.replace("\\", "/").casefold()
    return any(
        fnmatch.fnmatchcase(one, wanted) for one in (name, photo.stem.casefold(), Path(name).name)
    )
