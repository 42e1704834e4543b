# SPDX-License-Identifier: GPL-3.0-or-later
"""`pick` names what is at a place of a view, and writes it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cgc_addon.cli import main
from cgc_addon.dataset.cameras_json import write_cameras_json
from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.ply import read_ply, write_ply


@pytest.fixture
def pick(tmp_path):
    """Return a function that picks from two balls, segments 3 and 5, and gives the exit code."""
    write_ply(
        tmp_path / "splat.ply",
        Gaussians(
            means=np.float32([[-1, 0, 6], [1, 0, 6]]),
            log_scales=np.full((2, 3), np.log(0.3), np.float32),
            quats=np.tile(np.float32([1, 0, 0, 0]), (2, 1)),
            logit_opacities=np.full(2, 6.0, np.float32),
            sh=np.ones((2, 1, 3), np.float32),
            segments=np.array([3, 5], np.int32),
        ),
    )
    camera = PinholeCamera(60, 20, 60.0, 60.0, 30.0, 10.0)
    write_cameras_json(tmp_path / "cameras.json", [View("0001.png", camera, np.eye(4))])
    command = ["pick", str(tmp_path / "splat.ply"), "--cameras", str(tmp_path / "cameras.json")]
    return lambda *options: main([*command, "--backend", "cpu", *options])


def test_it_says_the_segment_and_writes_its_gaussians(pick, tmp_path, capsys):
    output = tmp_path / "ball.ply"
    assert pick("--view", "0001.png", "--at", "40,10", "-o", str(output), "--json") == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["segments"] == [{"id": 5, "name": "Segment 005"}]
    assert result["gaussians"] == 1
    assert result["file"] == str(output)
    assert read_ply(output).gaussians.means.tolist() == [[1.0, 0.0, 6.0]]


def test_without_an_output_nothing_is_written(pick, tmp_path, capsys):
    before = set(tmp_path.iterdir())
    assert pick("--view", "0001", "--at", "20,10", "40,10") == 0
    assert "3 (Segment 003), 5 (Segment 005): 2 Gaussians." in capsys.readouterr().out
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("wrong", [("--at", "40"), ("--at", "a,b"), ("--min-cosine", "2")])
def test_what_is_no_place_is_refused(pick, wrong, capsys):
    assert pick("--view", "0001", "--at", "1,1", *wrong) == 2
    assert wrong[1] in capsys.readouterr().err


def test_a_splat_without_features_cannot_be_picked_by_them(pick, capsys):
    assert pick("--view", "0001", "--at", "20,10", "--by", "feature") == 1
    assert "no features" in capsys.readouterr().err
