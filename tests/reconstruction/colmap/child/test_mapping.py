# SPDX-License-Identifier: GPL-3.0-or-later
"""Matches become a model, written in one step."""

from __future__ import annotations

import pycolmap
import pytest

from cgc_addon.reconstruction.colmap.child.mapping import STAGE
from cgc_addon.reconstruction.colmap.process import run_stage
from cgc_addon.reconstruction.colmap.sparse_models import read_models


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
