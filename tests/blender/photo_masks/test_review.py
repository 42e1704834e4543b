# SPDX-License-Identifier: GPL-3.0-or-later
"""Which label map is under review, what is picked, and what becomes of it; without a mouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.capture.parts import captures, objects_of_kind
from cgc_addon.blender.common.access import of_scene
from cgc_addon.blender.photo_masks import overlay, review, review_operators
from cgc_addon.errors import CgcError
from cgc_addon.masks.label_png import read_label_png

from ..recorded_layout import drawn
from .quarter_masks import quarters, save

SIZE = (64, 52)


def scene() -> bpy.types.Scene:
    return bpy.context.scene


def file_of(dataset: Path, name: str = "0000", level: str = "masks") -> np.ndarray:
    return read_label_png(dataset / level / f"{name}.png").labels


def test_the_map_is_that_of_the_camera(masked: Path) -> None:
    place = review.masks_of_camera(scene())
    assert (place.folder, place.stem) == (masked / "masks", "0000")
    assert (place.camera.width, place.camera.height) == SIZE
    assert review.refresh(scene()).masks == {1: 832, 2: 832, 3: 832}
    bpy.ops.cgc.next_camera()
    assert review.refresh(scene()).file.name == "0001.png"
    bpy.ops.cgc.next_camera()
    with pytest.raises(CgcError, match=r"0002\.png is missing"):
        review.refresh(scene())
    assert review.seen() is None
    assert "make them first" in review.problem()


def test_parts_are_another_level(masked: Path) -> None:
    of_scene(scene()).review_level = "masks_parts"
    with pytest.raises(CgcError, match="masks_parts"):
        review.refresh(scene())
    save(masked / "masks_parts" / "0000.png", quarters())
    assert review.refresh(scene()).file.parent.name == "masks_parts"


def test_masks_have_other_folders_too(masked: Path) -> None:
    (masked / "masks").rename(masked / "seg_masks")
    assert review.refresh(scene()).file.parent.name == "seg_masks"


def test_picking_one_more_and_none(masked: Path) -> None:
    review.refresh(scene())
    review.pick(1)
    review.pick(2, more=True)
    assert review.picked() == (1, 2)
    assert review_operators.selection_sentence() == "2 masks: 1,664 px, 50.0% of the photo"
    review.pick(1, more=True)
    assert review.picked() == (2,)
    assert review_operators.selection_sentence() == "Mask 2: 832 px, 25.0% of the photo"
    review.pick(0)
    assert review.picked() == ()


def test_wrong_masks_are_gone_at_once_and_come_back(masked: Path) -> None:
    review.refresh(scene())
    review.pick(1)
    version = review.version()
    review.mark_wrong()
    assert review.version() > version
    assert review.picked() == ()
    assert not (file_of(masked) == 1).any()
    assert (masked / "masks" / ".originals" / "0000.png").is_file()
    assert review.refresh(scene()) is review.seen()  # what we wrote is not read again
    review.undo_last()
    assert np.array_equal(file_of(masked), quarters())
    with pytest.raises(CgcError, match="Nothing was corrected"):
        review.undo_last()
    with pytest.raises(CgcError, match="Click the mask that is wrong"):
        review.mark_wrong()


def test_merging_waits_for_the_second_click(masked: Path) -> None:
    review.refresh(scene())
    with pytest.raises(CgcError, match="first"):
        review.begin_merge()
    review.pick(3)
    review.begin_merge()
    assert "Click the mask to merge with" in review_operators.status_line()
    review.pick(0)  # the background is no mask
    review.pick(3)
    assert not review.merging() or review.picked() == (3,)
    review.begin_merge()
    review.pick(2)
    assert not review.merging()
    assert review.picked() == (3,)
    labels = file_of(masked)
    assert (labels[quarters() == 2] == 3).all()
    review.pick(1, more=True)
    review.begin_merge()  # two are picked: nothing to wait for
    assert set(np.unique(file_of(masked))) == {0, 3}


def test_what_cannot_be_reviewed_is_said(masked: Path) -> None:
    camera = scene().camera
    camera.data.lens += 5.0
    with pytest.raises(CgcError, match="does not show its photo any more"):
        review.masks_of_camera(scene())
    other = bpy.data.objects.new("mine", bpy.data.cameras.new("mine"))
    scene().collection.objects.link(other)
    scene().camera = other
    with pytest.raises(CgcError, match="is no photo's"):
        review.masks_of_camera(scene())
    scene().camera = None
    with pytest.raises(CgcError, match="is no photo's"):
        review.masks_of_camera(scene())


def test_photos_with_distortion_are_refused(write_capture: Callable[..., Path]) -> None:
    folder = write_capture(cameras=("1 SIMPLE_RADIAL 64 52 70 31 25 0.1",))
    save(folder / "masks" / "0000.png", quarters())
    bpy.ops.cgc.import_colmap(filepath=str(folder))
    with pytest.raises(CgcError, match="lens distortion"):
        review.masks_of_camera(scene())
    review.forget()


def test_a_damaged_map_is_said_and_a_mended_one_read(masked: Path) -> None:
    file = masked / "masks" / "0000.png"
    file.write_bytes(b"nothing")
    with pytest.raises(RuntimeError, match="no PNG"):
        bpy.ops.cgc.mask_overlay()
    save(file, quarters())
    assert review.refresh(scene()).masks


def test_the_panel_shows_what_is_picked(masked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cgc_addon.blender.panels.photo_masks import CGC_PT_photo_mask_review

    assert "Show Masks" in drawn(CGC_PT_photo_mask_review).text
    monkeypatch.setattr(overlay, "is_shown", lambda: True)
    review.refresh(scene())
    review.pick(2)
    panel = drawn(CGC_PT_photo_mask_review)
    assert "0000: 3 masks" in panel.text
    assert "Mask 2: 832 px" in panel.text
    bpy.ops.cgc.mark_mask_wrong()
    assert "1 correction in this photo" in drawn(CGC_PT_photo_mask_review).text
    review.pick(1)
    review.begin_merge()
    assert "Click the mask to merge with" in drawn(CGC_PT_photo_mask_review).text


def test_another_file_begins_anew(masked: Path) -> None:
    review.refresh(scene())
    review.pick(1)
    assert len(objects_of_kind(captures(scene())[0], "CAMERA")) == 4
    bpy.ops.wm.read_factory_settings(use_empty=True)
    assert review.picked() == ()
    assert review.seen() is None
    assert not bpy.ops.cgc.review_masks.poll()
