# SPDX-License-Identifier: GPL-3.0-or-later
"""Models are kept by time; the one with most photos counts, and none that is damaged."""

from __future__ import annotations

from itertools import count

import pycolmap
import pytest

from cgc_addon.reconstruction.colmap.child.kept_models import FIRST, GROWN, KeptModels


@pytest.fixture
def model():
    options = pycolmap.SyntheticDatasetOptions(num_points3D=20)
    return pycolmap.synthesize_dataset(options)


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_model_is_kept_when_it_is_time_and_alone(model, tmp_path) -> None:
    kept = KeptModels(tmp_path / "part", 20.0, count(0.0, 8.0).__next__)
    kept.offer(FIRST, model)  # after 8 s; one more may end after 16
    assert not (tmp_path / "part").exists()
    kept.offer(FIRST, model)
    photos = model.num_reg_images()
    assert names(tmp_path / "part") == [f"first-{photos:06d}"]
    (found,) = kept.growing(FIRST)
    assert found.num_reg_images() == photos
    assert found.num_points3D() == 20
    assert kept.growing(GROWN) == []
    assert kept.whole() is None


def test_of_several_the_one_with_most_photos_that_is_whole_counts(model, tmp_path) -> None:
    for photos in (3, 4):
        (tmp_path / f"first-{photos:06d}").mkdir()
        model.write(tmp_path / f"first-{photos:06d}")
    kept = KeptModels(tmp_path, 0.0)
    points = tmp_path / "first-000004" / "points3D.bin"
    points.write_bytes(points.read_bytes()[:30])
    assert len(kept.growing(FIRST)) == 1
    (tmp_path / "first-000003" / "cameras.bin").unlink()
    assert kept.growing(FIRST) == []


def test_all_models_take_the_place_of_the_one_that_grew(model, tmp_path) -> None:
    kept = KeptModels(tmp_path / "part", 0.0, count().__next__)
    kept.offer(FIRST, model)
    kept.keep_whole([model, model])
    assert names(tmp_path / "part") == ["whole"]
    found = kept.whole()
    assert found is not None
    assert len(found) == 2
    kept.offer(GROWN, model)
    assert len(kept.growing(GROWN)) == 1
    (tmp_path / "part" / "whole" / "1" / "images.bin").write_bytes(b"half")
    assert kept.whole() is None
    kept.remove()
    assert not (tmp_path / "part").exists()
