# SPDX-License-Identifier: GPL-3.0-or-later
"""A dataset is one thing however it is named, and its photos lie where programs leave them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cgc_addon.dataset.load import load_dataset
from cgc_addon.dataset.solved import (
    dataset_at,
    dataset_of_model,
    find_solved,
    has_cameras,
    photos_folder,
    read_solved,
)


@pytest.mark.parametrize(
    "place", ["sparse/0", "sparse/1", "sparse", "colmap/sparse/0", "distorted/sparse/0"]
)
def test_the_place_of_a_model_leads_to_its_dataset(
    make_capture: Callable, write_dataset: Callable, place: str
) -> None:
    folder = write_dataset(make_capture(), place=place)
    assert has_cameras(folder)
    assert dataset_of_model(folder / place) == folder
    assert find_solved(folder) == folder / place
    assert len(load_dataset(folder).scene.views) == 4


def test_a_dataset_may_be_called_like_a_folder_of_other_programs(
    make_capture: Callable, write_dataset: Callable
) -> None:
    folder = write_dataset(make_capture()).rename(write_dataset(make_capture()).parent / "colmap")
    assert dataset_of_model(folder / "sparse" / "0") == folder


def test_the_smaller_of_two_models_is_its_own_dataset_with_photos_and_masks_above(
    make_capture: Callable, write_dataset: Callable, save_ids: Callable
) -> None:
    write_dataset(make_capture(count=2))
    folder = write_dataset(make_capture(count=4), place="sparse/1")
    save_ids(folder / "masks/0000.png", np.ones((52, 64), np.uint8))
    small = folder / "sparse" / "0"
    assert dataset_of_model(folder / "sparse" / "1") == folder
    assert dataset_of_model(small) == small
    dataset = load_dataset(small)
    assert [view.name for view in dataset.scene.views] == ["0000.png", "0001.png"]
    assert dataset.store.has_labels(0)
    assert "since you chose it" in dataset.warnings[0]
    assert "1 with 4" in dataset.warnings[0]


def test_the_larger_model_is_trained_and_said(
    make_capture: Callable, write_dataset: Callable
) -> None:
    write_dataset(make_capture(count=2))
    folder = write_dataset(make_capture(count=4), place="sparse/1")
    dataset = load_dataset(folder)
    assert len(dataset.scene.views) == 4
    assert "with 4 photos is read, the one of most photos" in dataset.warnings[0]
    assert dataset.warnings[0].endswith("left out: 0 with 2.")


def test_a_transforms_json_goes_before_the_model_that_nerfstudio_keeps(
    make_capture: Callable, write_dataset: Callable
) -> None:
    folder = write_dataset(make_capture(), place="colmap/sparse/0")
    (folder / "transforms.json").write_text("{}")
    assert find_solved(folder) == folder / "transforms.json"


def test_photos_of_the_script_of_3dgs(make_capture: Callable, write_dataset: Callable) -> None:
    folder = write_dataset(make_capture(), place="distorted/sparse/0")
    (folder / "images").rename(folder / "input")
    assert photos_folder(folder) == folder / "input"
    (folder / "images").mkdir()  # for undistorted copies, which are of other cameras
    assert read_solved(folder).photos == folder / "input"


def test_photos_in_input_where_there_is_no_images(
    make_capture: Callable, write_dataset: Callable
) -> None:
    folder = write_dataset(make_capture())
    (folder / "images").rename(folder / "input")
    assert len(load_dataset(folder).scene.views) == 4


def test_without_photos_the_usual_folder_is_named(
    make_capture: Callable, write_dataset: Callable, tmp_path: Path
) -> None:
    folder = write_dataset(make_capture())
    (folder / "images").rename(tmp_path / "elsewhere")
    assert photos_folder(folder) == folder / "images"


def test_the_folder_of_the_cameras_means_the_dataset_unless_it_is_one_itself(
    tmp_path: Path,
) -> None:
    for below in ("sparse", "sparse/0", "colmap/sparse/0"):
        assert dataset_at(tmp_path / "desk" / below) == tmp_path / "desk"
    (tmp_path / "sparse" / "images").mkdir(parents=True)
    assert dataset_at(tmp_path / "sparse") == tmp_path / "sparse"


@pytest.mark.parametrize("name", ["images", "Images", "masks"])
def test_photos_and_masks_lead_to_their_dataset(
    make_capture: Callable, write_dataset: Callable, name: str
) -> None:
    dataset = write_dataset(make_capture())
    (dataset / name).mkdir(exist_ok=True)
    assert dataset_at(dataset / name) == dataset


def test_photos_without_cameras_are_no_dataset(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    assert dataset_at(tmp_path / "images") == tmp_path / "images"
