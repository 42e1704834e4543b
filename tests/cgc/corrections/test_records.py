# SPDX-License-Identifier: GPL-3.0-or-later
"""Corrections are read back as they were written; what is no such file is refused by name."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cgc_addon.cgc.corrections.records import Correction, read_corrections, write_corrections
from cgc_addon.cgc.corrections.shapes import Shape
from cgc_addon.errors import CgcError

SHAPE = Shape(np.float32([[0, 1, 2], [3, 4, 5]]), np.array([True, False]))
MADE = (
    Correction("join", "join 3 (Segment 003) and 5 (Ü)", SHAPE),
    Correction("split", "split", SHAPE, None, None, np.float32([[7, 8, 9]])),
    Correction("object", "add", SHAPE, "Pinguin", (1, 2, 255)),
    Correction("unassign", "", SHAPE),
)


def test_they_are_read_back_as_they_were_written(tmp_path):
    path = tmp_path / "corrections.npz"
    write_corrections(path, MADE)
    read = read_corrections(path)
    assert [(o.kind, o.text, o.name, o.color) for o in read] == [
        (o.kind, o.text, o.name, o.color) for o in MADE
    ]
    for one, other in zip(read, MADE, strict=True):
        assert np.array_equal(one.shape.points, other.shape.points)
        assert np.array_equal(one.shape.inside, other.shape.inside)
        assert np.array_equal(one.apart, other.apart)


def test_none_and_no_file_are_no_corrections(tmp_path):
    assert read_corrections(tmp_path / "corrections.npz") == ()
    write_corrections(tmp_path / "corrections.npz", ())
    assert read_corrections(tmp_path / "corrections.npz") == ()


def written(path, records, version=1, **arrays):
    text = json.dumps({"version": version, "corrections": records}).encode()
    good = {"points_1": SHAPE.points, "inside_1": SHAPE.inside, "apart_1": SHAPE.points[:0]}
    np.savez(path, records=np.frombuffer(text, np.uint8), **(good | arrays))
    return path


@pytest.mark.parametrize(
    ("record", "arrays", "said"),
    [
        ({"kind": "merge", "text": ""}, {}, "no known kind"),
        ({"kind": "join"}, {}, "no text"),
        ({"kind": "join", "text": "", "name": ""}, {}, "name of an object"),
        ({"kind": "join", "text": "", "color": [1, 2, 256]}, {}, "colour"),
        ([], {}, "damaged"),
        ({"kind": "join", "text": ""}, {"points_1": np.zeros((2, 2), np.float32)}, "shapes"),
        ({"kind": "join", "text": ""}, {"points_1": np.zeros((2, 3))}, "types"),
        ({"kind": "join", "text": ""}, {"points_1": np.full((2, 3), np.nan, "f")}, "no numbers"),
        ({"kind": "join", "text": ""}, {"inside_1": np.zeros(2, bool)}, "no points"),
    ],
)
def test_what_is_none_is_refused_with_the_file_and_the_reason(tmp_path, record, arrays, said):
    path = written(tmp_path / "corrections.npz", [record], **arrays)
    with pytest.raises(CgcError, match=said) as raised:
        read_corrections(path)
    assert str(path) in str(raised.value)


def test_those_of_a_later_version_ask_for_an_update(tmp_path):
    path = written(tmp_path / "corrections.npz", [], version=2)
    with pytest.raises(CgcError, match="later version"):
        read_corrections(path)
