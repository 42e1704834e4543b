# SPDX-License-Identifier: GPL-3.0-or-later
"""Corrections reach the disk at once, and nothing of the original is ever lost."""

import numpy as np
import pytest
from PIL import Image

from cgc_addon.dataset.label_maps import match_label_maps
from cgc_addon.errors import CgcError
from cgc_addon.masks import review as module
from cgc_addon.masks.corrections import merge, removal
from cgc_addon.masks.review import correct, open_review, restore, undo

IDS = np.array([[0, 1, 1, 2], [3, 3, 2, 2], [3, 0, 4, 4]], np.uint8)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "masks" / "left").mkdir(parents=True)
    image = Image.fromarray(IDS)
    image.putpalette([value for one in range(256) for value in (one, 9, 9)])
    image.save(tmp_path / "masks" / "left" / "a.png")
    return tmp_path / "masks"


def on_disk(folder):
    return np.asarray(Image.open(folder / "left" / "a.png"))


def test_corrected_undone_restored(folder):
    before = (folder / "left" / "a.png").read_bytes()
    review = open_review(folder, "left/a")
    assert review.masks == {1: 2, 2: 3, 3: 3, 4: 2}
    assert review.mask_at(0.3, 0.1) == 1
    assert (review.mask_at(0.0, 0.0), review.mask_at(1.0, 0.5), review.mask_at(-0.1, 0.5)) == (
        0,
        0,
        0,
    )
    assert review.mask_at(0.999, 0.999) == 4
    review = correct(correct(review, removal([1])), merge([2, 4]))
    assert on_disk(folder).tolist() == [[0, 0, 0, 2], [3, 3, 2, 2], [3, 0, 2, 2]]
    assert (folder / ".originals" / "left" / "a.png").read_bytes() == before
    assert Image.open(folder / "left" / "a.png").mode == "P"
    assert match_label_maps(folder, ["left/a.jpg"])[1] == 0  # what is hidden is no label map

    again = open_review(folder, "left/a")  # another day
    assert again.corrections == review.corrections
    again = undo(again)
    assert on_disk(folder).tolist() == [[0, 0, 0, 2], [3, 3, 2, 2], [3, 0, 4, 4]]
    again = undo(correct(again, removal([3])))
    again = undo(undo(again))
    assert (folder / "left" / "a.png").read_bytes() == before
    assert not list((folder / ".originals").rglob("*.*"))
    correct(again, removal([3]))
    restore(open_review(folder, "left/a"))
    assert (folder / "left" / "a.png").read_bytes() == before


def test_a_map_that_keeps_the_ending_of_its_photo_is_corrected_where_it_lies(folder):
    kept = (folder / "left" / "a.png").rename(folder / "left" / "a.jpg.png")
    correct(open_review(folder, "left/a"), removal([3]))
    assert not (folder / "left" / "a.png").exists()
    assert 3 not in np.asarray(Image.open(kept))
    assert open_review(folder, "left/a").corrections


def test_what_changes_nothing_is_no_correction(folder):
    review = open_review(folder, "left/a")
    assert correct(review, removal([9])) is review
    assert undo(review) is review
    assert not (folder / ".originals").exists()


def test_a_map_that_was_made_anew_begins_anew(folder):
    correct(open_review(folder, "left/a"), removal([1]))
    other = np.full((3, 4), 7, np.uint8)
    Image.fromarray(other).save(folder / "left" / "a.png")
    review = open_review(folder, "left/a")
    assert review.corrections == ()
    review = correct(review, removal([7]))
    assert not on_disk(folder).any()
    restore(review)
    assert np.array_equal(on_disk(folder), other)


@pytest.mark.parametrize("action", ["second", "undo"])
def test_an_end_in_the_middle_of_a_correction_loses_nothing(folder, monkeypatch, action):
    review = correct(open_review(folder, "left/a"), removal([1]))
    name = "write_label_png" if action == "second" else "write_json"
    if action == "undo":
        review = correct(review, removal([2]))

    def killed(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, name, killed)
    with pytest.raises(KeyboardInterrupt):
        correct(review, removal([2])) if action == "second" else undo(review)
    monkeypatch.undo()
    again = open_review(folder, "left/a")
    assert again.corrections == (removal([1]),)
    restore(again)
    assert np.array_equal(on_disk(folder), IDS)


def test_an_original_that_cannot_be_read_is_not_believed(folder):
    correct(open_review(folder, "left/a"), removal([1]))
    (folder / ".originals" / "left" / "a.png").write_bytes(b"damaged")
    review = open_review(folder, "left/a")
    assert review.corrections == ()
    assert 1 not in review.masks


def test_a_photo_without_masks_is_said(folder):
    with pytest.raises(CgcError, match="has no masks; make them first"):
        open_review(folder, "b")
