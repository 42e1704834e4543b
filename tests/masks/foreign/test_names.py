# SPDX-License-Identifier: GPL-3.0-or-later
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgc_addon.masks.foreign.names import place_by_name, place_by_number


@pytest.mark.parametrize(
    ("names", "photos", "how"),
    [
        (["a", "b"], ["a.jpg", "b.JPG"], "by name"),
        (["A", "b"], ["a.jpg", "B.jpg"], "by name"),
        (["a.jpg", "b.jpg"], ["a.jpg", "b.jpg"], "by name"),
        (["left/1", "right/1"], ["left/1.png", "right/1.png"], "by name"),
        (["a_mask", "b_mask"], ["a.jpg", "b.jpg"], "by name but for '_mask'"),
        (["seg-a.v2", "seg-b.v2"], ["a.jpg", "b.jpg"], "by name but for 'seg-' and '.v2'"),
        (["masks/a", "masks/b"], ["a.jpg", "b.jpg"], "by name but for 'masks/'"),
        (["m/left/1_id", "m/right/1_id"], ["left/1.png", "right/1.png"],
         "by name but for 'm/' and '_id'"),
        (["1", "2"], ["left/1.png", "right/2.png"], "by name without folders"),
        (["1_mask", "2_mask"], ["left/1.png", "right/2.png"],
         "by name without folders and but for '_mask'"),
        (["x/1/1_mask", "x/2/2_mask"], ["1.png", "2.png"],
         "by name without folders and but for '_mask'"),
    ],
)  # fmt: skip
def test_names_hold_those_of_the_photos(names, photos, how):
    placement = place_by_name(names, photos)
    stems = [photo.rpartition(".")[0] for photo in photos]
    assert placement.names == dict(zip(stems, names, strict=True))
    assert placement.how == how
    assert placement.doubt == ""


def test_strangers_are_left_out():
    placement = place_by_name(["a_mask", "b_mask", "overview", "c_mask"], ["a.jpg", "b.jpg"])
    assert placement.names == {"a": "a_mask", "b": "b_mask"}


def test_the_rule_that_places_most_is_taken_for_all():
    placement = place_by_name(["a", "a_id", "b_id", "c_id"], ["a.jpg", "b.jpg", "c.jpg"])
    assert placement.names == {"a": "a_id", "b": "b_id", "c": "c_id"}


def test_parts_of_numbers_and_words_are_no_names():
    photos = [f"{number}.jpg" for number in range(10)]
    assert place_by_name([str(number) for number in range(10, 20)], photos).names == {}
    assert place_by_name(["catalogue"], ["cat.jpg"]).names == {}
    assert place_by_name(["0010"], ["10.jpg"]).names == {}


@pytest.mark.parametrize(
    "names",
    [["masks/a", "masks/b", "gt/a", "gt/b"], ["a_id", "b_id", "a_mask", "b_mask"]],
)
def test_two_sets_of_masks_are_a_doubt(names):
    placement = place_by_name(names, ["a.jpg", "b.jpg"])
    assert "several sets of masks" in placement.doubt


def test_two_names_of_one_photo_are_a_doubt():
    placement = place_by_name(["a", "A.jpg", "b"], ["a.jpg", "b.jpg"])
    assert "two sets of masks" in placement.doubt


def test_nothing_is_placed_where_nothing_fits():
    assert place_by_name([], ["a.jpg"]).names == {}
    assert place_by_name(["x", "y"], ["a.jpg"]).names == {}


def test_numbers_count_whatever_is_around_them():
    placement = place_by_number(["m_7", "m_8"], ["IMG_0007.jpg", "IMG_0008.jpg", "IMG_0009.jpg"])
    assert placement is not None
    assert placement.names == {"IMG_0007": "m_7", "IMG_0008": "m_8"}
    assert "number" in placement.how


def test_counting_from_0_or_1_goes_by_order():
    placement = place_by_number(["0", "1", "2"], ["f1.jpg", "f2.jpg", "f3.jpg"])
    assert placement is not None
    assert placement.names == {"f1": "0", "f2": "1", "f3": "2"}
    assert "order" in placement.how


def test_order_is_that_of_numbers():
    placement = place_by_number(["m2", "m10", "m1"], ["a.jpg", "b.jpg", "c.jpg"])
    assert placement is not None
    assert placement.names == {"a": "m1", "b": "m2", "c": "m10"}


def test_neither_numbers_nor_order_without_reason():
    assert place_by_number(["m7", "m8"], ["f1.jpg", "f2.jpg", "f3.jpg"]) is None
    assert place_by_number([], []) is None


STEMS = st.lists(st.from_regex(r"[a-z]{1,3}[0-9]{0,4}", fullmatch=True), unique=True, min_size=1)


@settings(deadline=None)
@given(STEMS, st.sampled_from(["", "_", "mask_", "m/", "m/n/x-"]),
       st.sampled_from(["", "_", "_mask", ".jpg"]))  # fmt: skip
def test_whatever_is_added_to_all_names_is_found(stems, before, after):
    placement = place_by_name([before + s + after for s in stems], [f"{s}.jpg" for s in stems])
    assert placement.names == {stem: before + stem + after for stem in stems}
    assert placement.doubt == ""
