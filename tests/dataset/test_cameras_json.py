# SPDX-License-Identifier: GPL-3.0-or-later
"""cameras.json: exact round trips, and a sentence for everything that is no camera."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from cgc_addon.dataset.cameras_json import read_cameras_json, write_cameras_json
from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.errors import CgcError

GOOD = {
    "name": "front.png",
    "width": 64,
    "height": 48,
    "fx": 50.0,
    "fy": 51,
    "cx": 32.5,
    "cy": 24.0,
    "world_to_camera": np.eye(4).tolist(),
}


def test_round_trip(tmp_path):
    rng = np.random.default_rng(0)
    views = []
    for index in range(5):
        pose = np.eye(4)
        pose[:3, :3] = Rotation.random(random_state=index).as_matrix()
        pose[:3, 3] = rng.normal(size=3)
        camera = PinholeCamera(640, 480 + index, *rng.uniform(100, 900, 4))
        views.append(View(f"turn/{5 - index}.png", camera, pose))
    write_cameras_json(tmp_path / "cameras.json", views)
    read = read_cameras_json(tmp_path / "cameras.json")
    assert [(v.name, v.camera) for v in read] == [(v.name, v.camera) for v in views]
    for one, other in zip(read, views, strict=True):
        np.testing.assert_array_equal(one.world_to_camera, other.world_to_camera)


def test_numbers_with_four_digits_and_whole_floats_pass(tmp_path):
    pose = np.eye(4)
    pose[:3, :3] = np.round(Rotation.random(random_state=0).as_matrix(), 4)
    record = {**GOOD, "width": 64.0, "world_to_camera": pose.tolist()}
    (tmp_path / "c.json").write_text(json.dumps([record]))
    (view,) = read_cameras_json(tmp_path / "c.json")
    assert view.camera == PinholeCamera(64, 48, 50.0, 51.0, 32.5, 24.0)


def mirrored() -> list[list[float]]:
    return np.diag([1.0, 1.0, -1.0, 1.0]).tolist()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": 3}, 'must be an object with a "name"'),
        ({"name": "../x"}, "no path below"),
        ({"name": ""}, "no path below"),
        ({"width": 0}, "0×48 px"),
        ({"width": 64.5}, "64.5×48 px"),
        ({"height": 1e9}, "give whole numbers"),
        ({"height": "48"}, '"height" must be a number'),
        ({"height": True}, '"height" must be a number'),
        ({"fx": None}, '"fx" must be a number'),
        ({"fx": float("nan")}, '"fx" must be a number'),
        ({"fx": 10**400}, '"fx" must be a number'),
        ({"fy": -1}, "focal length -1 px"),
        ({"cx": float("inf")}, '"cx" must be a number'),
        ({"world_to_camera": None}, "four rows of four"),
        ({"world_to_camera": [[1, 0], [0, 1]]}, "four rows of four"),
        ({"world_to_camera": [[1, 0, 0, 0], [0, 1, 0]]}, "four rows of four"),
        ({"world_to_camera": [["a"] * 4] * 4}, "four rows of four"),
        ({"world_to_camera": [[float("nan")] * 4] * 4}, "four rows of four"),
        ({"world_to_camera": (2 * np.eye(4)).tolist()}, "not a rotation and a shift"),
        ({"world_to_camera": mirrored()}, "not a rotation and a shift"),
        ({"world_to_camera": np.ones((4, 4)).tolist()}, "not a rotation and a shift"),
    ],
)
def test_what_is_wrong_is_said(change, reason, tmp_path):
    (tmp_path / "c.json").write_text(json.dumps([GOOD, {**GOOD, "name": "back.png", **change}]))
    with pytest.raises(CgcError) as caught:
        read_cameras_json(tmp_path / "c.json")
    message = str(caught.value)
    assert "c.json: camera 2" in message
    assert reason in message
    assert "\n" not in message


@pytest.mark.parametrize("content", ["[]", "{}", "3", "null"])
def test_what_is_no_list_is_refused(content, tmp_path):
    (tmp_path / "c.json").write_text(content)
    with pytest.raises(CgcError, match="must be a list of one or more cameras"):
        read_cameras_json(tmp_path / "c.json")


def test_missing_file_broken_json_missing_key_and_equal_names(tmp_path):
    path = tmp_path / "c.json"
    with pytest.raises(CgcError, match="is missing"):
        read_cameras_json(path)
    path.write_text("[{")
    with pytest.raises(CgcError, match="not valid JSON"):
        read_cameras_json(path)
    path.write_text(json.dumps([{k: v for k, v in GOOD.items() if k != "cy"}]))
    with pytest.raises(CgcError, match='"cy" must be a number, but is None'):
        read_cameras_json(path)
    path.write_text(json.dumps([GOOD, {**GOOD, "name": "FRONT.jpg"}]))
    with pytest.raises(CgcError, match="same name up to case and ending"):
        read_cameras_json(path)


def test_the_file_of_3dgs_is_read(tmp_path):
    """It tells where the camera is in the world, not how the world is before it."""
    turn = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    record = {
        "id": 3, "img_name": "DSC.0679", "width": 64, "height": 48, "fx": 50.0, "fy": 51.0,
        "position": [1.0, 2.0, 3.0], "rotation": turn.tolist(),
    }  # fmt: skip
    path = tmp_path / "cameras.json"
    path.write_text(json.dumps([record, {**record, "img_name": "0680.JPG"}]))
    view, other = read_cameras_json(path)
    assert (view.name, view.stem, other.stem) == ("DSC.0679.png", "DSC.0679", "0680")
    assert view.camera == PinholeCamera(64, 48, 50.0, 51.0, 32.0, 24.0)
    np.testing.assert_allclose(view.center(), [1, 2, 3])
    # What the camera has ahead is the third column of its rotation.
    seen = view.world_to_camera @ [*(np.array([1.0, 2.0, 3.0]) + 5 * turn[:, 2]), 1.0]
    np.testing.assert_allclose(seen[:3], [0, 0, 5], atol=1e-12)


@pytest.mark.parametrize(
    "change",
    [{"rotation": [[1, 2], [3, 4]]}, {"position": None}, {"rotation": np.zeros((3, 3)).tolist()}],
)
def test_a_pose_of_3dgs_that_is_none(change, tmp_path):
    record = {
        "img_name": "a", "width": 64, "height": 48, "fx": 50.0, "fy": 51.0,
        "position": [1.0, 2.0, 3.0], "rotation": np.eye(3).tolist(),
    }  # fmt: skip
    (tmp_path / "cameras.json").write_text(json.dumps([{**record, **change}]))
    with pytest.raises(CgcError, match=r'camera 1 \(a.png\) must have a "position"'):
        read_cameras_json(tmp_path / "cameras.json")
