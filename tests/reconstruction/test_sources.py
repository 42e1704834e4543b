# SPDX-License-Identifier: GPL-3.0-or-later
import importlib.util

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgc_addon.errors import CgcError
from cgc_addon.reconstruction.sources import Source, find_sources, fingerprint, natural_key


def test_photos_of_all_folders_and_nothing_else(write_photo, tmp_path):
    for name in ("b.jpg", "a/c.PNG", "a/d.tif", ".hidden.jpg", "._x.jpg"):
        write_photo(name)
    folder = tmp_path / "photos"
    (folder / "notes.txt").write_text("x")
    (folder / "walk.mp4").write_bytes(b"x")
    found = find_sources(folder)
    assert [source.name for source in found.photos] == ["a/c.PNG", "a/d.tif", "b.jpg"]
    assert found.left_out == ()


def test_the_dataset_within_the_photos_is_not_searched(write_photo, tmp_path):
    write_photo("a.jpg")
    write_photo("dataset/images/a.jpg")
    found = find_sources(tmp_path / "photos", leave_out=tmp_path / "photos" / "dataset")
    assert [source.name for source in found.photos] == ["a.jpg"]


def test_names_that_differ_only_in_their_ending_are_one_photo(write_photo, tmp_path):
    write_photo("IMG_1.JPG")
    write_photo("img_1.png")
    found = find_sources(tmp_path / "photos")
    assert [source.name for source in found.photos] == ["IMG_1.JPG"]
    assert found.left_out == (("img_1.png", "IMG_1.JPG has the same name up to its ending"),)


def test_raw_and_heic_files_are_told(write_photo, tmp_path):
    write_photo("a.jpg")
    for name in ("b.heic", "c.NEF"):
        (tmp_path / "photos" / name).write_bytes(b"x")
    reasons = dict(find_sources(tmp_path / "photos").left_out)
    assert "develop" in reasons["c.NEF"]
    if importlib.util.find_spec("pillow_heif") is None:
        assert "pillow-heif" in reasons["b.heic"]


def test_photos_of_other_kinds_are_told(write_photo, tmp_path):
    write_photo("a.jpg")
    for name in ("b.jxl", "c.INSP", "._a.jpg"):
        (tmp_path / "photos" / name).write_bytes(b"x")
    found = find_sources(tmp_path / "photos")
    assert [source.name for source in found.photos] == ["a.jpg"]
    reasons = dict(found.left_out)
    assert set(reasons) == {"b.jxl", "c.INSP"}
    assert "convert it to JPEG" in reasons["b.jxl"]
    assert "360° panorama" in reasons["c.INSP"]


@pytest.mark.parametrize(("names", "told"), [
    ([], "holds no photos"),
    (["a.txt"], "holds no photos"),
    (["a.mp4"], "holds videos but no photos"),
    (["a.nef"], "develop"),
    (["a.jxl"], "JPEG XL"),
])  # fmt: skip
def test_folders_without_photos(tmp_path, names, told):
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(CgcError, match=told):
        find_sources(tmp_path)


def test_the_fingerprint_is_of_names_and_contents_and_not_of_the_place(tmp_path):
    def sources(folder: str, contents: dict[str, bytes]) -> list[Source]:
        (tmp_path / folder).mkdir()
        for name, content in contents.items():
            (tmp_path / folder / name).write_bytes(content)
        return [Source(tmp_path / folder / name, name) for name in contents]

    large = bytes(300_000)
    first = fingerprint(sources("1", {"a.jpg": large, "b.jpg": b"y"}))
    assert first == fingerprint(sources("2", {"a.jpg": large, "b.jpg": b"y"}))
    others = (
        {"a.jpg": large}, {"a.jpg": large, "c.jpg": b"y"}, {"a.jpg": large, "b.jpg": b"z"},
        {"a.jpg": large[:-1] + b"!", "b.jpg": b"y"}, {"a.jpg": large + b"\0", "b.jpg": b"y"},
    )  # fmt: skip
    assert all(
        first != fingerprint(sources(f"other{i}", contents)) for i, contents in enumerate(others)
    )


def test_natural_order():
    names = ["photo10", "Photo9", "photo1", "b/1", "a/10", "a/9", "12", "x"]
    assert sorted(names, key=natural_key) == [
        "12", "a/9", "a/10", "b/1", "photo1", "Photo9", "photo10", "x",
    ]  # fmt: skip


@given(st.lists(st.text(), max_size=6))
def test_any_names_can_be_ordered(names):
    assert sorted(sorted(names, key=natural_key)) == sorted(names)
