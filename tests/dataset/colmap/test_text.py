# SPDX-License-Identifier: GPL-3.0-or-later
"""images.txt is read with and without its lines of 2D points, and no image is lost in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from cgc_addon.dataset.colmap.text import count_images, read_images
from cgc_addon.errors import CgcError

POSE = "0.5 0.5 0.5 0.5 1 2 3 7"


def names(folder: Path, *lines: str) -> list[str]:
    file = folder / "images.txt"
    file.write_text("\n".join(lines) + "\n")
    found = [image.name for image in read_images(file)]
    assert count_images(file) == len(found)
    return found


@pytest.mark.parametrize(
    "between",
    [
        [],
        [""],
        ["10.5 20.5 -1 30.5 40.5 7 50.5 60.5 8 70.5 80.5 9"],
        ["100 200 -1 300 400 7 50 60 8 70 80 9"],  # as whole numbers it could be an image, too
        ["1 2 -1", ""],
        ["# a comment"],
    ],
)
@pytest.mark.parametrize("name", ["000{}.jpg", "scan of cup{}.jpg", "1 2 3 4 5 {}.jpg", "{}"])
def test_every_image_is_read_whatever_is_between(between, name, tmp_path):
    wanted = [name.format(number) for number in range(4)]
    lines = [line for n, text in enumerate(wanted) for line in (f"{n} {POSE} {text}", *between)]
    assert names(tmp_path, "# IMAGES", *lines) == wanted


def test_the_two_forms_may_be_mixed(tmp_path):
    lines = [f"1 {POSE} a b c.jpg", f"2 {POSE} b.jpg", "1 2 -1", f"3 {POSE} c.jpg", ""]
    assert names(tmp_path, *lines, f"4 {POSE} d.jpg") == ["a b c.jpg", "b.jpg", "c.jpg", "d.jpg"]


def test_what_may_be_an_image_or_points_is_said(tmp_path):
    upright = "1 0 0 0 1 2 3 7"
    with pytest.raises(CgcError, match=r"line 2 may be an image called '10 20 30' or the 2D"):
        names(tmp_path, f"1 {upright} 10 20 29", f"2 {upright} 10 20 30")


@pytest.mark.parametrize("line", ["1 2", "x y 3", "1.5 2.5 0.5"])
def test_what_is_neither_is_damage(line, tmp_path):
    with pytest.raises(CgcError, match=r"line 2 should be X Y POINT3D_ID triples or IMAGE_ID QW"):
        names(tmp_path, f"1 {POSE} a.jpg", line)
