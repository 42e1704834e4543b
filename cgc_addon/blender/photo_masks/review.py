# SPDX-License-Identifier: GPL-3.0-or-later
"""The label map of the photo that is looked at, which masks of it are picked, and corrections.

What is corrected is on disk at once, with its original beside it (`masks.review`); what is picked
is of this session and not in the .blend.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ...dataset.folder import LABEL_FOLDERS, label_map_file
from ...dataset.names import stem_of
from ...dataset.scene import PinholeCamera
from ...errors import CgcError
from ...masks.corrections import merge, removal
from ...masks.review import MaskReview, correct, open_review, restore, undo
from ..capture.cameras import camera_data, intrinsics_of
from ..capture.parts import capture_of
from ..common.access import of_camera, of_collection, of_object, of_scene
from ..training.dataset_facts import is_distorted

if TYPE_CHECKING:
    from bpy.types import Scene

OBJECTS = "masks"
_Key = tuple[Path, str]


@dataclass
class _State:
    """Of this session; no bpy object is kept."""

    key: _Key | None = None
    stamp: tuple[int, int] = (0, 0)
    """Of the file: when it was written, and its size."""
    review: MaskReview | None = None
    problem: str = ""
    picked: tuple[int, ...] = ()
    merging: bool = False
    """Whether the next click names what to merge with."""
    version: int = 0
    """Grows whenever there is something new to see."""
    distorted: dict[Path, bool] | None = None


_state = _State()


@dataclass(frozen=True)
class PhotoMasks:
    """Whose label map it is."""

    folder: Path
    """Of label maps."""
    stem: str
    camera: PinholeCamera


def masks_of_camera(scene: Scene) -> PhotoMasks:
    """Return which label map belongs to what the scene's camera sees.

    Raises:
        CgcError: it is the camera of no photo, or its photo has distortion.
    """
    item = scene.camera
    if item is None or item.type != "CAMERA" or of_object(item).kind != "CAMERA":
        raise CgcError("The scene's camera is no photo's; choose Next Camera in the panel Dataset.")
    data, capture = camera_data(item), capture_of(item)
    camera = intrinsics_of(data)
    if capture is None or camera is None:
        raise CgcError(
            f"{item.name} does not show its photo any more; import the capture again to mend it."
        )
    dataset = Path(bpy.path.abspath(of_collection(capture).dataset))
    _check_distortion(dataset)
    return PhotoMasks(
        _folder(dataset, of_scene(scene).review_level), stem_of(of_camera(data).photo), camera
    )


def refresh(scene: Scene) -> MaskReview:
    """Return the label map that the scene's camera looks at; read anew where it has changed.

    Raises:
        CgcError: there is none, or it cannot be read.
    """
    try:
        place = masks_of_camera(scene)
        key = (place.folder, place.stem)
        file = label_map_file(place.folder, place.stem)
        try:
            found = file.stat()
            stamp = (found.st_mtime_ns, found.st_size)
        except OSError:
            stamp = (0, 0)
        if key != _state.key or stamp != _state.stamp:
            if key != _state.key:
                _state.picked, _state.merging = (), False
            _state.key, _state.stamp, _state.review, _state.problem = key, stamp, None, ""
            _state.version += 1
            _state.review = open_review(*key)
            _keep_picked()
    except CgcError as error:
        _state.review, _state.problem = None, str(error)
        raise
    if _state.review is None:
        raise CgcError(_state.problem)
    return _state.review


def seen() -> MaskReview | None:
    """Return the label map that was looked at last; touches no disk."""
    return _state.review


def problem() -> str:
    """Return why there is none, in a sentence."""
    return _state.problem


def picked() -> tuple[int, ...]:
    """Return the masks that are picked, the first one first."""
    return _state.picked


def merging() -> bool:
    """Return whether the next click names what to merge with."""
    return _state.merging


def version() -> int:
    """Return a number that grows whenever there is something new to see."""
    return _state.version


def pick(identifier: int, *, more: bool = False) -> None:
    """Pick a mask, in place of those picked, or too; one that is picked already is let go then.

    While a merge waits for its second mask, merge with this one.

    Raises:
        CgcError: the corrected map cannot be written.
    """
    if _state.merging and identifier and _state.picked:
        if identifier not in _state.picked:
            _state.picked = (*_state.picked, identifier)
            merge_picked()
        return
    if not more:
        _state.picked = (identifier,) if identifier else ()
    elif identifier in _state.picked:
        _state.picked = tuple(one for one in _state.picked if one != identifier)
    elif identifier:
        _state.picked = (*_state.picked, identifier)
    _state.version += 1


def begin_merge() -> None:
    """Merge what is picked; where that is one mask, wait for the click that names the other.

    Raises:
        CgcError: nothing is picked, or the corrected map cannot be written.
    """
    if not _state.picked:
        raise CgcError("Click the mask that is to grow first.")
    if len(_state.picked) > 1:
        merge_picked()
    else:
        _state.merging = True
        _state.version += 1


def end_merge() -> None:
    """Wait for no click any more."""
    _state.merging = False
    _state.version += 1


def merge_picked() -> None:
    """Make one of the masks that are picked, with the number of the first.

    Raises:
        CgcError: fewer than two are picked, or the corrected map cannot be written.
    """
    ids = _state.picked
    if len(ids) < 2:
        raise CgcError("Pick two masks or more to merge them: click, then Shift-click.")
    _change(lambda review: correct(review, merge(ids)))
    _state.picked, _state.merging = ids[:1], False


def mark_wrong() -> None:
    """Take the masks that are picked away: their pixels become unlabelled.

    Raises:
        CgcError: none is picked, or the corrected map cannot be written.
    """
    ids = _state.picked
    if not ids:
        raise CgcError("Click the mask that is wrong first.")
    _change(lambda review: correct(review, removal(ids)))


def undo_last() -> None:
    """Take back the last correction of this photo.

    Raises:
        CgcError: there is none, or the map cannot be written.
    """
    if _state.review is not None and not _state.review.corrections:
        raise CgcError("Nothing was corrected in the masks of this photo.")
    _change(undo)


def restore_all() -> None:
    """Take back all corrections of this photo.

    Raises:
        CgcError: there are none, or the map cannot be written.
    """
    if _state.review is not None and not _state.review.corrections:
        raise CgcError("Nothing was corrected in the masks of this photo.")
    _change(restore)


def forget() -> None:
    """Forget everything."""
    number = _state.version + 1
    _state.__init__()
    _state.version = number


def _change(how: Callable[[MaskReview], MaskReview]) -> None:
    review = _state.review
    if review is None:
        raise CgcError(_state.problem or "Look at the masks of a photo first.")
    changed = how(review)
    _state.review = changed
    found = changed.file.stat()
    _state.stamp = (found.st_mtime_ns, found.st_size)
    _state.version += 1
    _keep_picked()


def _keep_picked() -> None:
    """Let go of masks that are not there any more."""
    if _state.review is not None:
        there = _state.review.masks
        _state.picked = tuple(one for one in _state.picked if one in there)
        _state.merging = _state.merging and bool(_state.picked)


def _folder(dataset: Path, level: str) -> Path:
    """Return the folder of label maps of a level: that of objects may have another name."""
    names = LABEL_FOLDERS if level == OBJECTS else (level,)
    return next((dataset / name for name in names if (dataset / name).is_dir()), dataset / level)


def _check_distortion(dataset: Path) -> None:
    """Check that the camera sees what the photo shows; asked once for each dataset."""
    known = _state.distorted = {} if _state.distorted is None else _state.distorted
    if dataset not in known:
        known[dataset] = is_distorted(dataset)
    if known[dataset]:
        raise CgcError(
            f"The photos of {dataset} have lens distortion, so that their masks do not lie over "
            "what Blender's cameras see; begin with From Photos…, which takes it out."
        )
