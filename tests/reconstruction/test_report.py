# SPDX-License-Identifier: GPL-3.0-or-later
import json
from dataclasses import asdict
from pathlib import Path

import pytest

from cgc_addon.files import write_json
from cgc_addon.reconstruction.colmap.database import MatchStatistics
from cgc_addon.reconstruction.colmap.sparse_models import SparseModel
from cgc_addon.reconstruction.photo_list import PhotoList, WorkingPhoto
from cgc_addon.reconstruction.report import SolveReport, make_report, name_some, why_not_solved


def report(photos: int, *placed: int) -> SolveReport:
    listed = [
        WorkingPhoto(f"a {i}.jpg", f"a%20{i}.jpg", "", 40, 30, "", None) for i in range(photos)
    ]
    models, begin = [], 0
    for count in placed:
        files = tuple(photo.file for photo in listed[begin : begin + count])
        models.append(SparseModel(files, 100 * count, 300, 0.61234, 3.0, ({"model": "OPENCV"},)))
        begin += count
    return make_report(
        dataset=Path("/d"),
        source=Path("/p"),
        photos=PhotoList(tuple(listed), (("x.jpg", "it is damaged"),)),
        models=models,
        matches=MatchStatistics(900, 45, 20),
        exhaustive=True,
        seconds={"matching": 2.0, "mapping": 3.0},
        versions={"cgc": "1"},
    )


def test_the_report_tells_what_came_of_it():
    found = report(10, 8)
    assert (found.photos, found.registered, found.points) == (10, 8, 800)
    assert found.unregistered == ("a 8.jpg", "a 9.jpg")
    assert found.left_out == (("x.jpg", "it is damaged"),)
    assert found.components == ({"photos": 8, "points": 800},)
    assert found.mean_reprojection_error == 0.6123
    assert "8 of 10 photos placed, 800 points" in found.sentence()
    (warning,) = found.warnings()
    assert "a 8.jpg, a 9.jpg" in warning


def test_a_complete_solve_warns_of_nothing():
    assert report(5, 5).warnings() == []


def test_few_placed_photos_come_with_advice():
    warnings = report(10, 7).warnings()
    assert "Only 70%" in warnings[-1]
    assert "overlap" in warnings[-1]


def test_other_components_are_told():
    warnings = " ".join(report(20, 12, 6).warnings())
    assert "2 groups" in warnings
    assert "other 6 placed photos" in warnings
    assert str(Path("/d") / "solve" / "models") in warnings


def test_a_report_reads_back_and_a_damaged_one_is_none(tmp_path):
    path = tmp_path / "solve.json"
    assert SolveReport.read(path) is None
    found = report(10, 8)
    write_json(path, {**found.to_json(), "settings": {"seed": 0}})
    assert SolveReport.read(path) == found
    assert json.loads(path.read_text())["unregistered"] == ["a 8.jpg", "a 9.jpg"]
    for text in ("", "[]", "{}", json.dumps({**asdict(found), "unknown": 1})):
        path.write_text(text)
        assert SolveReport.read(path) is None


@pytest.mark.parametrize(("matches", "told"), [
    (MatchStatistics(20, 3, 0), "blurred, dark or blank"),
    (MatchStatistics(900, 3, 0), "no two of the 4 photos"),
    (MatchStatistics(900, 3, 3), "none shows depth"),
])  # fmt: skip
def test_why_nothing_came_of_it(matches, told):
    assert told in str(why_not_solved(Path("/p"), 4, matches))


def test_many_names_are_shortened():
    assert name_some(["a", "b"]) == "a, b"
    assert name_some(list("abcdefgh")) == "a, b, c, d, e and 3 more"
