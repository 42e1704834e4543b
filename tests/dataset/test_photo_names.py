# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos are found whatever the programs and disks in between did to their names."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from cgc_addon.dataset.load import load_dataset
from cgc_addon.dataset.photo_names import FileNames
from cgc_addon.errors import CgcError

NAMES = [f"000{number}.png" for number in range(4)]
COMPOSED = "K\u00fcche \u00e9t\u00e9 "
DECOMPOSED = unicodedata.normalize("NFD", COMPOSED)


@pytest.fixture
def rename(make_capture: Callable, write_dataset: Callable) -> Callable[..., Path]:
    """Return a function that names the photos of a dataset on disk and in its text model."""

    def write(in_model: Sequence[str], on_disk: Sequence[str], encoding: str = "utf-8") -> Path:
        folder = write_dataset(make_capture(), binary=False)
        images = folder / "sparse/0/images.txt"
        text = images.read_text()
        (folder / "images").rename(folder / "before")
        for name, model_name, disk_name in zip(NAMES, in_model, on_disk, strict=True):
            text = text.replace(f" {name}", f" {model_name}")
            path = folder / "images" / disk_name
            path.parent.mkdir(parents=True, exist_ok=True)
            (folder / "before" / name).rename(path)
        shutil.rmtree(folder / "before")
        images.write_bytes(text.encode(encoding))
        return folder

    return write


def named(pattern: str) -> list[str]:
    return [pattern.format(n) for n in range(4)]


@pytest.mark.parametrize(
    ("in_model", "on_disk"),
    [
        ("000{}.png", "000{}.PNG"),
        ("Left/000{}.PNG", "left/000{}.png"),
        ("images/000{}.png", "000{}.png"),
        ("images/left/000{}.png", "left/000{}.png"),
        ("/mnt/scans/desk/images/000{}.png", "000{}.png"),
        ("C:\\Users\\user\\desk\\images\\000{}.png", "000{}.PNG"),
        ("../images/000{}.png", "000{}.png"),
        ("2024-05-01_12:30:0{}.png", "2024-05-01_12:30:0{}.png"),
        ("a/12:30:0{}.png", "a/12:30:0{}.png"),
        (COMPOSED + "{}.png", DECOMPOSED + "{}.png"),
        (DECOMPOSED + "{}.png", COMPOSED + "{}.png"),
    ],
)  # fmt: skip
def test_photos_are_found_and_called_as_on_disk(in_model, on_disk, rename):
    dataset = load_dataset(rename(named(in_model), named(on_disk)))
    assert [view.name for view in dataset.scene.views] == named(on_disk)
    assert dataset.warnings == ()
    assert dataset.store.photo(3).shape == (52, 64, 3)


def test_order_is_that_of_the_names_on_disk(rename):
    folder = rename(["a.png", "B.png", "c.png", "d.png"], ["a.png", "b.png", "C.png", "d.png"])
    names = [view.name for view in load_dataset(folder).scene.views]
    assert names == sorted(names) == ["C.png", "a.png", "b.png", "d.png"]


def test_folders_are_not_left_away_for_one_photo_alone(rename):
    """The photo that is missing in right/ is not the one that lies beside it."""
    folder = rename(
        ["left/a.png", "left/b.png", "right/c.png", "right/d.png"],
        ["left/a.png", "left/b.png", "right/c.png", "d.png"],
    )
    dataset = load_dataset(folder)
    assert [view.name for view in dataset.scene.views] == [
        "left/a.png",
        "left/b.png",
        "right/c.png",
    ]
    assert f"(right/d.png may be {folder}/images/d.png)" in dataset.warnings[0]


@pytest.mark.parametrize(
    ("encoding", "letters"),
    [("cp932", "\u5199\u771f\u8868"), ("cp1252", "\u00e9t\u00e9"), ("cp1251", "\u0444\u043e")],
)
def test_names_in_a_code_page_of_windows_are_told_by_the_photos(encoding, letters, rename):
    dataset = load_dataset(rename(named(letters + "{}.png"), named(letters + "{}.png"), encoding))
    assert [view.name for view in dataset.scene.views] == named(letters + "{}.png")


def test_names_in_a_code_page_of_a_binary_model(rename, make_capture, write_dataset):
    folder = rename(named("\u00e9t\u00e9{}.png"), named("\u00e9t\u00e9{}.png"))
    model = write_dataset(make_capture()) / "sparse/0"
    data = (model / "images.bin").read_bytes()
    for number, name in enumerate(NAMES):
        data = data.replace(name.encode(), f"\u00e9t\u00e9{number}.png".encode("cp1252"))
    (model / "images.bin").write_bytes(data)
    names = [view.name for view in load_dataset(folder).scene.views]
    assert names == named("\u00e9t\u00e9{}.png")


def test_names_in_a_code_page_of_photos_that_are_not_there(rename):
    folder = rename(named("\u5199\u771f{}.png"), named("photo{}.png"), "cp932")
    with pytest.raises(CgcError, match=r"sparse/0: names of photos are not UTF-8, and in no code"):
        load_dataset(folder)


def test_two_names_of_one_photo_are_refused(rename):
    nfc, nfd = COMPOSED + "1.png", DECOMPOSED + "1.png"
    folder = rename([nfc, nfd, "b.png", "c.png"], ["1.png", nfc, "b.png", "c.png"])
    with pytest.raises(CgcError, match="have the same name up to case and ending"):
        load_dataset(folder)


def test_label_maps_are_found_in_any_case_and_form(rename, save_ids):
    folder = rename(named(COMPOSED + "{}.png"), named(COMPOSED + "{}.png"))
    save_ids(folder / f"masks/{DECOMPOSED.upper()}1.PNG", np.full((52, 64), 9, dtype=np.uint8))
    assert load_dataset(folder).store.labels(1).max() == 9


def test_of_two_files_alike_none_is_guessed(tmp_path):
    for name in ("a.JPG", "A.jpg"):
        (tmp_path / name).write_bytes(b"")
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this disk does not tell them apart")
    assert FileNames(tmp_path).find("a.jpg") is None
    assert FileNames(tmp_path).find("a.JPG") == "a.JPG"
