# SPDX-License-Identifier: GPL-3.0-or-later
import json

import pycolmap
import pytest

from cgc_addon.reconstruction.colmap.sparse_models import (
    SparseModel,
    ranking,
    read_models,
    write_models,
)


def model(photos: int, points: int = 10) -> SparseModel:
    return SparseModel(
        tuple(f"{i}.jpg" for i in range(photos)), points, 20, 0.5, 2.0, ({"model": "X"},)
    )


def test_the_model_with_most_photos_comes_first_then_most_points():
    models = [model(3, 90), model(9, 10), model(9, 20), model(3, 90)]
    assert ranking(models) == [2, 1, 0, 3]
    assert ranking([]) == []


def write_colmap(folder, photos: int) -> None:
    folder.mkdir(parents=True)
    made = pycolmap.synthesize_dataset(
        pycolmap.SyntheticDatasetOptions(
            num_rigs=1, num_cameras_per_rig=1, num_frames_per_rig=photos, num_points3D=20
        )
    )
    made.write(folder)


def test_models_read_back(tmp_path):
    write_colmap(tmp_path / "0", 4)
    write_models(tmp_path, [model(4), model(2)])
    assert read_models(tmp_path) == [model(4), model(2)]
    write_models(tmp_path, [])
    assert read_models(tmp_path) == []


@pytest.mark.parametrize("damage", ["no list", "torn list", "other list", "torn model", "no model"])
def test_damaged_models_are_none_so_that_they_are_made_anew(tmp_path, damage):
    write_colmap(tmp_path / "0", 4)
    write_models(tmp_path, [model(5 if damage == "other list" else 4)])
    images = tmp_path / "0" / "images.bin"
    if damage == "no list":
        (tmp_path / "models.json").unlink()
    elif damage == "torn list":
        (tmp_path / "models.json").write_text(json.dumps([{"files": []}]))
    elif damage == "torn model":
        images.write_bytes(images.read_bytes()[:-100])
    elif damage == "no model":
        images.unlink()
    assert read_models(tmp_path) is None
