# SPDX-License-Identifier: GPL-3.0-or-later
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cgc_addon.dataset.image_files import read_grey, write_grey, write_photo
from cgc_addon.dataset.mask_answers import checksum, read_answers
from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.masks.corrections import removal
from cgc_addon.masks.generate import MaskSettings, make_masks
from cgc_addon.masks.proposals import ProposalSettings
from cgc_addon.masks.review import correct, open_review

from .painted_model import PaintedModel, painted_photo

FINE = MaskSettings(proposals=ProposalSettings(points_per_side=24))


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png", "left/c.png"):
        write_photo(tmp_path / "images" / name, painted_photo())
    return tmp_path


def label_map(dataset: Path, name: str, folder: str = "masks") -> np.ndarray:
    return read_grey(dataset / folder / f"{name}.png")


def test_objects_and_parts_come_out_as_they_are_painted(dataset: Path) -> None:
    summary = make_masks(dataset, PaintedModel(), FINE)
    assert (summary.made, summary.skipped, summary.empty) == (3, 0, 0)
    photo = painted_photo()
    for name in ("a", "b", "left/c"):
        objects, parts = label_map(dataset, name), label_map(dataset, name, "masks_parts")
        assert objects.dtype == parts.dtype == np.uint16
        assert objects.shape == parts.shape == photo.shape[:2]
        assert len(np.unique(objects)) == 1 + 3
        assert len(np.unique(parts)) == 1 + 4
        for thing in (100, 150):
            _, counts = np.unique(objects[photo[..., 0] == thing], return_counts=True)
            assert counts.max() > 0.95 * counts.sum()
        # Each part lies in one object.
        for part in np.unique(parts[parts > 0]):
            inside = objects[parts == part]
            assert (inside == np.bincount(inside).argmax()).mean() > 0.95


def test_all_answers_are_kept_beside_the_maps(dataset: Path) -> None:
    make_masks(dataset, PaintedModel(), FINE)
    for stem in ("a", "b", "left/c"):
        answers = read_answers(dataset / "masks_answers" / f"{stem}.npz")
        painted = label_map(dataset, stem)
        assert answers.map_checksum == checksum(painted)
        assert len(answers) == len(np.unique(painted[painted > 0])) + 2  # and the box's halves


def test_one_level_alone_writes_no_parts(dataset: Path) -> None:
    make_masks(dataset, PaintedModel(), MaskSettings("objects", FINE.proposals))
    assert len(np.unique(label_map(dataset, "a"))) == 1 + 3
    assert not (dataset / "masks_parts").exists()


def test_what_is_done_is_not_done_again(dataset: Path) -> None:
    make_masks(dataset, PaintedModel(), FINE, only=["a"])
    before = (dataset / "masks" / "a.png").stat().st_mtime_ns
    model = PaintedModel()
    summary = make_masks(dataset, model, FINE, only=["NEW"])
    assert (summary.made, summary.skipped) == (2, 1)
    assert (dataset / "masks" / "a.png").stat().st_mtime_ns == before
    again = PaintedModel()
    assert make_masks(dataset, again, FINE).made == 0
    assert again.asked == []


def test_overwriting_makes_it_anew_and_forgets_what_was_corrected(dataset: Path) -> None:
    make_masks(dataset, PaintedModel(), FINE)
    review = open_review(dataset / "masks", "a")
    correct(review, removal(review.masks))
    assert not label_map(dataset, "a").any()
    assert make_masks(dataset, PaintedModel(), FINE, only=["a"], overwrite=True).made == 1
    assert label_map(dataset, "a").any()
    assert not list((dataset / "masks" / ".originals").iterdir())


def test_a_stop_keeps_what_is_made_and_the_next_run_goes_on(dataset: Path) -> None:
    maps = dataset / "masks"

    def should_stop() -> bool:
        return any(maps.glob("*.png"))

    with pytest.raises(Interrupted):
        make_masks(dataset, PaintedModel(photos_at_once=1), FINE, should_stop=should_stop)
    made = len(list(maps.rglob("*.png")))
    assert 1 <= made < 3
    assert make_masks(dataset, PaintedModel(), FINE).made == 3 - made


def test_progress_counts_photos(dataset: Path) -> None:
    told = []
    make_masks(dataset, PaintedModel(), FINE, report=told.append)
    assert [(one.done, one.total) for one in told] == [(0, 3), (1, 3), (2, 3), (3, 3), (3, 3)]


def test_a_photo_of_nothing_gets_an_empty_map_and_a_sentence(dataset: Path) -> None:
    write_photo(dataset / "images" / "b.png", np.zeros((64, 96, 3), np.uint8))
    said = []
    assert make_masks(dataset, PaintedModel(), FINE, say=said.append).empty == 1
    assert not label_map(dataset, "b").any()
    assert len(said) == 1
    assert "b.png" in said[0]


def test_maps_of_large_photos_are_smaller_than_these(tmp_path: Path) -> None:
    photo = np.repeat(np.repeat(painted_photo(), 12, axis=0), 12, axis=1)
    write_photo(tmp_path / "images" / "large.png", photo)
    make_masks(tmp_path, PaintedModel(), MaskSettings(longest_side=300, proposals=FINE.proposals))
    assert label_map(tmp_path, "large").shape == (200, 300)


def test_photos_stored_on_their_side_are_looked_at_as_stored(tmp_path: Path) -> None:
    # Without cameras nobody says that they were turned; a label map fits the file.
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "images").mkdir()
    Image.fromarray(painted_photo()).save(tmp_path / "images" / "a.png", exif=exif)
    make_masks(tmp_path, PaintedModel(), FINE)
    assert label_map(tmp_path, "a").shape == (64, 96)


def test_a_damaged_photo_is_named(dataset: Path) -> None:
    photo = dataset / "images" / "b.png"
    photo.write_bytes(photo.read_bytes()[:60])
    with pytest.raises(CgcError, match=r"b\.png.*damaged"):
        make_masks(dataset, PaintedModel(), FINE)


@pytest.mark.parametrize(
    ("folder", "sentence"),
    [("seg_masks", "seg_masks holds label maps already"), ("object_mask", "object_mask")],
)
def test_label_maps_of_another_kind_are_not_pushed_aside(dataset, folder, sentence) -> None:
    write_grey(dataset / folder / "a.png", np.ones((64, 96), np.uint8))
    with pytest.raises(CgcError, match=sentence):
        make_masks(dataset, PaintedModel(), FINE)
    assert not (dataset / "masks").exists()


def test_a_pattern_that_fits_no_photo_is_an_error(dataset: Path) -> None:
    with pytest.raises(CgcError, match=r"no photo 'd\*'"):
        make_masks(dataset, PaintedModel(), FINE, only=["a", "d*"])


@pytest.mark.parametrize("make", [False, True])
def test_without_photos_the_folder_is_named(tmp_path: Path, make: bool) -> None:
    if make:
        (tmp_path / "images").mkdir()
    with pytest.raises(CgcError, match="images"):
        make_masks(tmp_path, PaintedModel(), FINE)
