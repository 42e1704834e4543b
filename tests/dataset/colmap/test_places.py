# SPDX-License-Identifier: GPL-3.0-or-later
"""The model of most photos is found wherever programs leave it, or a sentence names the place."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cgc_addon.dataset.colmap.places import count_photos, describe_choice, find_model
from cgc_addon.errors import CgcError

from .test_model import write_text


@pytest.fixture
def write_models(make_capture: Callable, write_dataset: Callable) -> Callable[..., Path]:
    """Return a function that writes models of some photos each to places of one dataset."""

    def write(*, binary: bool = True, **counts: int) -> Path:
        folder = Path()
        for place, count in counts.items():
            capture = make_capture(count=count)
            folder = write_dataset(capture, binary=binary, place=place.replace("_", "/"))
        return folder

    return write


@pytest.mark.parametrize(
    "place",
    [
        "sparse/0",
        "sparse/1",
        "sparse",
        ".",
        "colmap/sparse/0",
        "distorted/sparse/0",
        "colmap/sparse",
    ],
)
def test_finds_the_model(place, make_capture, write_dataset):
    folder = write_dataset(make_capture(), place=place)
    assert find_model(folder).resolve() == (folder / place).resolve()


@pytest.mark.parametrize("binary", [True, False])
def test_of_numbered_models_that_of_most_photos_is_taken(binary, write_models):
    folder = write_models(binary=binary, sparse_0=2, sparse_1=5, sparse_2=3, sparse_10=4)
    place = find_model(folder)
    assert place == folder / "sparse" / "1"
    assert count_photos(place) == 5
    sentence = describe_choice(folder, place)
    assert f"{place} with 5 photos is read" in sentence
    assert sentence.endswith("left out: 0 with 2, 2 with 3, 10 with 4.")


def test_of_equal_models_the_first_number_is_taken(write_models):
    folder = write_models(sparse_10=3, sparse_2=3)
    assert find_model(folder) == folder / "sparse" / "2"


def test_a_damaged_model_does_not_stand_in_the_way_of_a_whole_one(write_models):
    folder = write_models(sparse_0=4, sparse_1=2)
    (folder / "sparse/0/images.bin").write_bytes(b"")
    assert find_model(folder) == folder / "sparse" / "1"


def test_a_single_model_needs_no_words(write_models):
    folder = write_models(sparse_0=2)
    (folder / "sparse" / "1").mkdir()  # holds nothing
    assert describe_choice(folder, find_model(folder)) is None


def test_what_other_programs_keep_for_themselves_comes_last(write_models):
    folder = write_models(colmap_sparse_0=5, sparse=2)
    assert find_model(folder) == folder / "sparse"


def test_missing_folder_no_model_and_half_a_model(tmp_path):
    with pytest.raises(CgcError, match="is not a folder"):
        find_model(tmp_path / "nothing")
    with pytest.raises(CgcError, match="holds no COLMAP model"):
        find_model(tmp_path)
    write_text(tmp_path)
    (tmp_path / "points3D.txt").unlink()
    with pytest.raises(CgcError, match=r"holds cameras\.txt, images\.txt, but"):
        find_model(tmp_path)


def test_a_model_somewhere_else_is_named(write_models, tmp_path):
    folder = write_models(sparse_0=2)
    shutil.move(folder / "sparse", folder / "project" / "sparse")
    with pytest.raises(CgcError, match="holds a COLMAP model in project/sparse/0, where none"):
        find_model(folder)
