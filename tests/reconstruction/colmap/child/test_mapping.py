# SPDX-License-Identifier: GPL-3.0-or-later
"""Matches become a model, written in one step."""

from __future__ import annotations

import pycolmap
import pytest

from cgc_addon.errors import Interrupted
from cgc_addon.reconstruction.colmap.child.mapping import STAGE
from cgc_addon.reconstruction.colmap.process import run_stage
from cgc_addon.reconstruction.colmap.sparse_models import read_models


def mapped(made_up, tmp_path, report=lambda _progress: None, should_stop=lambda: False) -> None:
    run_stage(
        "mapping",
        {"database": str(made_up / "database.db"), "photos": str(made_up / "photos"),
         "output": str(tmp_path / "models"), "threads": 1, "seed": 0, "state_seconds": 0.0},
        tmp_path / "log.txt",
        report=report,
        should_stop=should_stop,
    )  # fmt: skip


def test_a_killed_call_goes_on_where_it_was(made_up, tmp_path):
    told = []
    with pytest.raises(Interrupted):
        mapped(made_up, tmp_path, told.append, lambda: bool(told) and told[-1].done >= 4)
    assert not (tmp_path / "models").exists()
    kept = list((tmp_path / "models.part").glob("first-*"))
    assert kept
    again = []
    mapped(made_up, tmp_path, again.append)
    assert again[0].done >= 3
    (model,) = read_models(tmp_path / "models")
    assert len(model.files) == 6
    assert model.points == 80
    assert model.reprojection_error < 0.01
    assert not (tmp_path / "models.part").exists()


def test_a_damaged_model_of_a_killed_call_is_made_anew(made_up, tmp_path):
    folder = tmp_path / "models.part" / "first-000005"
    folder.mkdir(parents=True)
    (folder / "images.bin").write_bytes(b"half")
    told = []
    mapped(made_up, tmp_path, told.append)
    assert told[0].done == 0
    assert len(read_models(tmp_path / "models")[0].files) == 6


def test_photos_are_placed_and_the_model_is_described(made_up, tmp_path):
    (tmp_path / "models.tmp").mkdir()  # of a call that was killed
    (tmp_path / "models.tmp" / "rest").touch()
    told = []
    run_stage(
        "mapping",
        {"database": str(made_up / "database.db"), "photos": str(made_up / "photos"),
         "output": str(tmp_path / "models"), "threads": 1, "seed": 0},
        tmp_path / "log.txt",
        report=told.append,
    )  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == ["0", "models.json"]
    assert not (tmp_path / "models.tmp").exists()
    (model,) = read_models(tmp_path / "models")
    assert model.files == tuple(sorted(path.name for path in (made_up / "photos").iterdir()))
    assert model.points == 80
    assert model.reprojection_error < 0.01
    (camera,) = model.cameras
    assert (camera["model"], camera["names"]) == ("SIMPLE_RADIAL", "f, cx, cy, k")
    assert camera["parameters"] == pytest.approx([220, 100, 75, 0.05], rel=1e-2)
    assert pycolmap.Reconstruction(tmp_path / "models" / "0").num_reg_images() == 6
    assert {progress.stage for progress in told} == {STAGE}
    assert told[-1].done == told[-1].total == 6
