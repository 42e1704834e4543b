# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of boxes are read; what is wrong in them is named with its place."""

from __future__ import annotations

import json

import pytest

from cgc_addon.errors import CgcError
from cgc_addon.results.boxes import NamedThing, ShownThing, read_boxes

GOOD = {
    "version": 1,
    "objects": {
        "penguin": [
            {"photo": "0001.jpg", "box": [10, 20.5, 30, 40]},
            {"photo": "0007.jpg", "points": [[12, 14], [20, 25]], "beside": [[1, 2]]},
        ]
    },
}


def read(tmp_path, content):
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    return read_boxes(tmp_path / "boxes.json")


def test_it_is_read_as_it_is_described(tmp_path):
    box = ShownThing("0001.jpg", (10.0, 20.5, 30.0, 40.0), (), ())
    places = ((12.0, 14.0), (20.0, 25.0), (1.0, 2.0))
    points = ShownThing("0007.jpg", None, places, (True, True, False))
    assert read(tmp_path, GOOD) == (NamedThing("penguin", (box, points)),)


def with_entry(**changed):
    return {"version": 1, "objects": {"cup": [{"photo": "a.jpg", "box": [1, 2, 3, 4], **changed}]}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "no file of boxes"),
        ({"version": 2, "objects": {}}, "no file of boxes"),
        ({"version": 1, "objects": {}}, "names no objects"),
        ({"version": 1, "objects": {"": []}}, "name is empty"),
        ({"version": 1, "objects": {"cup": []}}, "cup: there is no list"),
        (
            {"version": 1, "objects": {"cup": [{"box": [1, 2, 3, 4]}]}},
            'entry 1: "photo" is missing',
        ),
        (with_entry(box=[3, 2, 1, 4]), 'cup, entry 1: "box" is not four numbers'),
        (with_entry(box=[1, 2, 3, "4"]), '"box" is not four'),
        (with_entry(box=[1, 2, 3, float("inf")]), '"box" is not four'),
        (with_entry(box=None), 'neither "box" nor "points"'),
        (with_entry(points=[[1]]), '"points" is not a list of places'),
        (with_entry(beside=3), '"beside" is not a list of places'),
        (
            {"version": 1, "objects": {"cup": 2 * [{"photo": "a.jpg", "box": [1, 2, 3, 4]}]}},
            "a photo comes twice",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path, content, said):
    with pytest.raises(CgcError, match=r"boxes\.json") as raised:
        read(tmp_path, content)
    assert said in str(raised.value)
