# SPDX-License-Identifier: GPL-3.0-or-later
"""Which label map is under review, what is picked, and what becomes of it; without a mouse."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.capture.camera_operators import look_through
from cgc_addon.blender.capture.parts import captures, objects_of_kind
from cgc_addon.blender.common.access import of_scene
from cgc_addon.blender.photo_masks import overlay, review, review_operators
from cgc_addon.errors import CgcError
from cgc_addon.masks.label_png import read_label_png

from ..panels.test_sidebar import drawn

SIZE = (64, 52)


def save(path: Path, labels: np.ndarray) -> None:
    """Write an 8-bit grey PNG by hand."""
    height, width = labels.shape
    rows = np.hstack([np.zeros((height, 1), np.uint8), labels.astype(np.uint8)])
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in chunks
        )
    )


def quarters() -> np.ndarray:
    labels = np.zeros((52, 64), np.uint8)
    labels[:26, :32], labels[:26, 32:], labels[26:, :32] = 1, 2, 3
    return labels


@pytest.fixture
def dataset(write_capture: Callable[..., Path]) -> Iterator[Path]:
    folder = write_capture()
    for name in ("0000", "0001"):
        save(folder / "masks" / f"{name}.png", quarters())
    assert bpy.ops.cgc.import_colmap(filepath=str(folder)) == {"FINISHED"}
    yield folder
    review.forget()


def scene() -> bpy.types.Scene:
    return bpy.context.scene


def file_of(dataset: Path, name: str = "0000", level: str = "masks") -> np.ndarray:
    return read_label_png(dataset / level / f"{name}.png").labels


def test_the_map_is_that_of_the_camera(dataset: Path) -> None:
    place = review.masks_of_camera(scene())
    assert (place.folder, place.stem) == (dataset / "masks", "0000")
    assert (place.camera.width, place.camera.height) == SIZE
    assert review.refresh(scene()).masks == {1: 832, 2: 832, 3: 832}
    bpy.ops.cgc.next_camera()
    assert review.refresh(scene()).file.name == "0001.png"
    bpy.ops.cgc.next_camera()
    with pytest.raises(CgcError, match=r"0002\.png is missing"):
        review.refresh(scene())
    assert review.seen() is None
    assert "make them first" in review.problem()


def test_parts_are_another_level(dataset: Path) -> None:
    of_scene(scene()).review_level = "masks_parts"
    with pytest.raises(CgcError, match="masks_parts"):
        review.refresh(scene())
    save(dataset / "masks_parts" / "0000.png", quarters())
    assert review.refresh(scene()).file.parent.name == "masks_parts"


def test_masks_have_other_folders_too(dataset: Path) -> None:
    (dataset / "masks").rename(dataset / "seg_masks")
    assert review.refresh(scene()).file.parent.name == "seg_masks"


def test_picking_one_more_and_none(dataset: Path) -> None:
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


def test_wrong_masks_are_gone_at_once_and_come_back(dataset: Path) -> None:
    review.refresh(scene())
    review.pick(1)
    version = review.version()
    review.mark_wrong()
    assert review.version() > version
    assert review.picked() == ()
    assert not (file_of(dataset) == 1).any()
    assert (dataset / "masks" / ".originals" / "0000.png").is_file()
    assert review.refresh(scene()) is review.seen()  # what we wrote is not read again
    review.undo_last()
    assert np.array_equal(file_of(dataset), quarters())
    with pytest.raises(CgcError, match="Nothing was corrected"):
        review.undo_last()
    with pytest.raises(CgcError, match="Click the mask that is wrong"):
        review.mark_wrong()


def test_merging_waits_for_the_second_click(dataset: Path) -> None:
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
    labels = file_of(dataset)
    assert (labels[quarters() == 2] == 3).all()
    review.pick(1, more=True)
    review.begin_merge()  # two are picked: nothing to wait for
    assert set(np.unique(file_of(dataset))) == {0, 3}


def test_scripts_correct_by_number(dataset: Path) -> None:
    assert bpy.ops.cgc.mark_mask_wrong(ids="1") == {"FINISHED"}
    assert bpy.ops.cgc.merge_masks(ids="3, 2") == {"FINISHED"}
    assert set(np.unique(file_of(dataset))) == {0, 3}
    assert bpy.ops.cgc.undo_mask_correction() == {"FINISHED"}
    assert set(np.unique(file_of(dataset))) == {0, 2, 3}
    assert bpy.ops.cgc.restore_masks() == {"FINISHED"}
    assert np.array_equal(file_of(dataset), quarters())
    with pytest.raises(RuntimeError, match="no numbers"):
        bpy.ops.cgc.merge_masks(ids="a b")
    with pytest.raises(RuntimeError, match="two masks or more"):
        bpy.ops.cgc.merge_masks(ids="3")
    with pytest.raises(RuntimeError, match="with the mouse"):
        bpy.ops.cgc.review_masks()


def test_a_click_in_the_viewport_finds_its_pixel(dataset: Path) -> None:
    look_through(bpy.context, scene().camera)
    render = scene().render
    projection = scene().camera.calc_matrix_camera(
        bpy.context.evaluated_depsgraph_get(),
        x=render.resolution_x, y=render.resolution_y,
        scale_x=render.pixel_aspect_x, scale_y=render.pixel_aspect_y,
    )  # fmt: skip
    view = SimpleNamespace(view_perspective="CAMERA", window_matrix=projection)
    area = SimpleNamespace(spaces=SimpleNamespace(active=SimpleNamespace(region_3d=view)))
    region = SimpleNamespace(width=640, height=520)  # ten pixels for one of the photo
    review.refresh(scene())
    for place, mask in (((315.0, 515.0), 1), ((325.0, 265.0), 2), ((315.0, 255.0), 3),
                        ((325.0, 255.0), 0), ((-5.0, 300.0), 0)):  # fmt: skip
        review_operators.pick_in_region(scene(), area, region, place, more=False)
        assert review.picked() == ((mask,) if mask else ())
    view.view_perspective = "PERSP"
    with pytest.raises(CgcError, match="Look through the camera"):
        review_operators.pick_in_region(scene(), area, region, (1.0, 1.0), more=False)


def test_what_cannot_be_reviewed_is_said(dataset: Path) -> None:
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


def test_a_damaged_map_is_said_and_a_mended_one_read(dataset: Path) -> None:
    file = dataset / "masks" / "0000.png"
    file.write_bytes(b"nothing")
    with pytest.raises(RuntimeError, match="no PNG"):
        bpy.ops.cgc.mask_overlay()
    save(file, quarters())
    assert review.refresh(scene()).masks


def test_the_panel_shows_what_is_picked(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_another_file_begins_anew(dataset: Path) -> None:
    review.refresh(scene())
    review.pick(1)
    assert len(objects_of_kind(captures(scene())[0], "CAMERA")) == 4
    bpy.ops.wm.read_factory_settings(use_empty=True)
    assert review.picked() == ()
    assert review.seen() is None
    assert not bpy.ops.cgc.review_masks.poll()
