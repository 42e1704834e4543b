# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgc_addon.reconstruction.photo_list import (
    PhotoList,
    WorkingPhoto,
    describe_cameras,
    group_cameras,
    working_file,
)


def photos(count: int, **fields) -> list[WorkingPhoto]:
    first = WorkingPhoto("0.jpg", "0.jpg", "0.jpg", 400, 300, "phone", 300.0)
    return [replace(first, file=f"{i}.jpg", **fields) for i in range(count)]


def test_photos_that_are_alike_share_one_camera():
    (group,) = group_cameras(photos(20))
    assert (group.model, group.width, group.height, group.focal) == ("OPENCV", 400, 300, 300.0)
    assert group.is_known
    assert len(group.files) == 20


@pytest.mark.parametrize("other", [
    {"width": 300, "height": 400}, {"focal": 600.0}, {"focal": None}, {"camera": "other phone"},
])  # fmt: skip
def test_size_focal_length_and_camera_tell_cameras_apart(other):
    mixed = [*photos(2), *photos(3, **other)]
    assert [len(group.files) for group in group_cameras(mixed)] == [2, 3]


def test_few_photos_get_a_simple_camera_and_a_guess():
    (group,) = group_cameras(photos(3, focal=None))
    assert group.model == "SIMPLE_RADIAL"
    assert (group.focal, group.is_known) == (480.0, False)


def test_the_cameras_are_told():
    assert "from EXIF" in describe_cameras(group_cameras(photos(3)))
    assert "not in EXIF" in describe_cameras(group_cameras(photos(3, focal=None)))
    mixed = group_cameras([*photos(3), *photos(3, focal=None)])
    assert describe_cameras(mixed).startswith("2 cameras")
    assert "of 1," in describe_cameras(mixed)


@given(st.text(), st.text())
def test_working_files_have_no_blanks_and_stay_apart(first, second):
    assert not any(character.isspace() for character in working_file(first))
    assert (working_file(first) == working_file(second)) == (first == second)


def test_a_list_reads_back_and_a_damaged_one_is_none(tmp_path):
    path = tmp_path / "photos.json"
    assert PhotoList.read(path) is None
    written = PhotoList(tuple(photos(2)), (("x.jpg", "damaged"),))
    written.write(path)
    assert PhotoList.read(path) == written
    path.write_text('{"photos": [{"name": 1}], "left_out": []}')
    assert PhotoList.read(path) is None
