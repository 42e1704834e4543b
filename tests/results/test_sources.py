# SPDX-License-Identifier: GPL-3.0-or-later
"""A run folder or a splat of any origin: what it shows, from where, and what its ids are called."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from plyfile import PlyData

from cgc_addon.cgc.segments import Segment, Segments, write_segments
from cgc_addon.dataset.cameras_json import write_cameras_json
from cgc_addon.dataset.load import load_dataset
from cgc_addon.dataset.near_origin import relative_views
from cgc_addon.errors import CgcError
from cgc_addon.results.export import export_segments
from cgc_addon.results.sources import (
    read_splat,
    segments_of_source,
    splat_of_source,
    views_of_source,
)
from cgc_addon.splats.formats import WriteSettings
from cgc_addon.splats.ply import write_ply
from cgc_addon.training.presets import preset


@pytest.fixture
def splat_file(true_splat, tmp_path):
    write_ply(tmp_path / "alone.ply", true_splat)
    return tmp_path / "alone.ply"


def test_the_splat_is_that_of_the_run_or_of_the_file(true_splat, write_run, splat_file):
    for source in (write_run(true_splat).path, splat_file):
        found = splat_of_source(source)
        np.testing.assert_array_equal(found.gaussians.means, true_splat.means)
        assert (found.dropped, found.notes) == (0, ())


def test_a_run_that_did_not_get_to_its_splat_says_so(true_splat, write_run):
    folder = write_run(true_splat)
    folder.splat.unlink()
    with pytest.raises(CgcError, match=r"splat\.ply is missing: .* train --resume"):
        read_splat(folder)


def test_a_run_is_seen_from_its_own_dataset_at_its_own_size(true_splat, write_run, tiny_dataset):
    folder = write_run(true_splat)
    found = views_of_source(folder.path, None, np.zeros(3))
    for one, other in zip(found, load_dataset(tiny_dataset).scene.views, strict=True):
        assert (one.name, one.camera) == (other.name, other.camera)
        np.testing.assert_array_equal(one.world_to_camera, other.world_to_camera)
    folder.start(tiny_dataset, replace(preset("draft"), max_size=24), {})
    cameras = {view.camera for view in views_of_source(folder.path, None, np.zeros(3))}
    assert {(camera.width, camera.height) for camera in cameras} == {(24, 18)}


def test_cameras_can_be_named_and_must_be_for_a_file(splat_file, tiny_dataset, tmp_path):
    views = load_dataset(tiny_dataset).scene.views
    write_cameras_json(tmp_path / "cameras.json", views[:3])
    from_file = views_of_source(splat_file, tmp_path / "cameras.json", np.zeros(3))
    assert [view.name for view in from_file] == ["0000.png", "0001.png", "0002.png"]
    assert len(views_of_source(splat_file, tiny_dataset, np.zeros(3))) == 12
    with pytest.raises(CgcError, match=r"name a dataset or a cameras\.json with --cameras"):
        views_of_source(splat_file, None, np.zeros(3))


def test_cameras_can_be_a_transforms_json(splat_file, tiny_dataset, tmp_path):
    views = load_dataset(tiny_dataset).scene.views[:3]
    folder = tmp_path / "nerfstudio"
    shutil.copytree(tiny_dataset / "images", folder / "images")
    camera = views[0].camera
    described = {
        "camera_model": "PINHOLE",
        "w": camera.width,
        "h": camera.height,
        "fl_x": camera.fx,
        "fl_y": camera.fy,
        "cx": camera.cx,
        "cy": camera.cy,
        "frames": [
            {
                "file_path": f"images/{view.name}",
                # OpenGL's cameras look along -z, with y up.
                "transform_matrix": (
                    np.linalg.inv(view.world_to_camera) @ np.diag([1.0, -1.0, -1.0, 1.0])
                ).tolist(),
            }
            for view in views
        ],
    }
    file = folder / "transforms.json"
    file.write_text(json.dumps(described))
    found = views_of_source(splat_file, file, np.zeros(3))
    for one, other in zip(found, views, strict=True):
        assert (one.name, one.camera) == (other.name, other.camera)
        np.testing.assert_allclose(one.world_to_camera, other.world_to_camera, atol=1e-6)


def test_names_are_those_of_the_run_of_a_named_file_or_automatic(
    true_splat, write_run, splat_file, tmp_path
):
    ball = Segment(3, "Ball", (1, 2, 3), 0, (0.0,) * 16)
    write_segments(tmp_path / "names.json", Segments((ball,)))
    folder = write_run(true_splat)
    named = segments_of_source(folder.path, true_splat, tmp_path / "names.json")
    assert (named[3].name, named[3].color, named[3].count) == ("Ball", (1, 2, 3), 60)
    assert named[1].name == "Segment 001"
    write_segments(folder.segments, Segments((replace(ball, name="Of the run"),)))
    assert segments_of_source(folder.path, true_splat, None)[3].name == "Of the run"
    assert segments_of_source(splat_file, true_splat, None)[3].name == "Segment 003"


def test_a_splat_without_segments_has_no_names(true_splat, splat_file):
    with pytest.raises(CgcError, match="has no segments to name or colour"):
        segments_of_source(splat_file, replace(true_splat, segments=None), None)


def test_views_and_splats_of_a_run_in_map_coordinates_are_in_one_frame(
    true_splat, write_run, tiny_dataset, tmp_path
):
    """The run keeps its origin, whatever the cameras are written in."""
    folder = write_run(true_splat)
    record = json.loads(folder.config.read_text())
    origin = np.array([500_120.0, 4_649_780.0, 120.0])
    folder.config.write_text(json.dumps({**record, "origin": origin.tolist()}))
    splat = splat_of_source(folder.path)
    assert splat.origin.tolist() == origin.tolist()
    near = load_dataset(tiny_dataset).scene.views
    for written in (near, relative_views(near, -origin)):
        write_cameras_json(tmp_path / "cameras.json", written)
        views = views_of_source(folder.path, tmp_path / "cameras.json", splat.origin)
        for view, expected in zip(views, near, strict=True):
            np.testing.assert_allclose(view.center(), expected.center(), atol=1e-6)
    exported = tmp_path / "out.ply"
    export_segments(folder.path, exported, None, WriteSettings("ply"))
    x = PlyData.read(exported)["vertex"]["x"]
    assert x.dtype == np.float64
    np.testing.assert_allclose(x - origin[0], splat.gaussians.means[:, 0], atol=1e-7)
    again = splat_of_source(exported)
    places = again.gaussians.means + again.origin
    np.testing.assert_allclose(places, splat.gaussians.means + origin, atol=1e-5)
    said: list[str] = []
    export_segments(folder.path, tmp_path / "a.ply", None, WriteSettings("plain"), said.append)
    assert "stay relative to (500120, 4649780, 120)" in said[0]
