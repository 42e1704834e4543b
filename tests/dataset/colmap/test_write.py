# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written as a COLMAP text model comes back, here and in pycolmap."""

from __future__ import annotations

import numpy as np
import pycolmap
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from cgc_addon.dataset.colmap.model import read_model
from cgc_addon.dataset.colmap.write import write_colmap_text
from cgc_addon.dataset.scene import PinholeCamera, Scene, View
from cgc_addon.errors import CgcError


def random_scene(seed: int, views: int = 5, points: int = 7) -> Scene:
    rng = np.random.default_rng(seed)
    cameras = [
        PinholeCamera(640, 480, *rng.uniform(100, 900, 2), *rng.uniform(-50, 700, 2))
        for _ in range(2)
    ]
    made = []
    for index in range(views):
        pose = np.eye(4)
        pose[:3, :3] = Rotation.random(random_state=seed + index).as_matrix()
        pose[:3, 3] = rng.normal(size=3) * 10.0 ** rng.uniform(-6, 6)
        made.append(View(f"a b/{index:03d}.jpg", cameras[index % 2], pose))
    positions = (rng.normal(size=(points, 3)) * 10.0 ** rng.uniform(-6, 6)).astype(np.float32)
    colors = rng.integers(0, 256, (points, 3), dtype=np.uint8)
    return Scene(tuple(made), positions, colors, 1.0, np.array([0.0, 0.0, 1.0]))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(seed=st.integers(0, 10_000), points=st.integers(0, 9))
def test_round_trip(seed, points, tmp_path):
    scene = random_scene(seed, points=points)
    write_colmap_text(tmp_path, scene)
    model = read_model(tmp_path)
    assert len(model.cameras) == 2
    for view, image in zip(scene.views, model.images, strict=True):
        camera = view.camera
        assert image.name == view.name
        read = model.cameras[image.camera_id]
        assert (read.model, read.width, read.height) == ("PINHOLE", 640, 480)
        assert read.params == (camera.fx, camera.fy, camera.cx, camera.cy)
        np.testing.assert_allclose(image.world_to_camera, view.world_to_camera, atol=1e-14)
    np.testing.assert_array_equal(model.points, scene.points)
    np.testing.assert_array_equal(model.point_colors, scene.point_colors)


def test_pycolmap_reads_it(tmp_path):
    scene = random_scene(1)
    for view in scene.views:  # pycolmap takes a name up to its first blank
        object.__setattr__(view, "name", view.name.replace(" ", "_"))
    write_colmap_text(tmp_path / "sparse/0", scene)
    model = pycolmap.Reconstruction(tmp_path / "sparse/0")
    images = {image.name: image for image in model.images.values()}
    for view in scene.views:
        image = images[view.name]
        np.testing.assert_allclose(
            image.cam_from_world().matrix(), view.world_to_camera[:3], atol=1e-12
        )
        np.testing.assert_array_equal(image.camera.calibration_matrix(), view.camera.matrix())
    positions = [point.xyz for _, point in sorted(model.points3D.items())]
    np.testing.assert_array_equal(np.float32(positions), scene.points)


def test_a_binary_model_in_the_way_is_refused(tmp_path):
    pycolmap.synthesize_dataset(pycolmap.SyntheticDatasetOptions()).write_binary(tmp_path)
    with pytest.raises(CgcError, match="holds a binary COLMAP model"):
        write_colmap_text(tmp_path, random_scene(0))
    assert not (tmp_path / "cameras.txt").exists()
