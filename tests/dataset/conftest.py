# SPDX-License-Identifier: GPL-3.0-or-later
"""Small captures in temporary folders; their models are written by pycolmap itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pycolmap
import pytest
from PIL import Image

CAMERA_EXAMPLES = {
    "SIMPLE_PINHOLE": [70.0, 31.0, 25.0],
    "PINHOLE": [70.0, 75.0, 31.0, 25.0],
    "SIMPLE_RADIAL": [70.0, 31.0, 25.0, 0.08],
    "SIMPLE_RADIAL_FISHEYE": [70.0, 31.0, 25.0, 0.03],
    "RADIAL": [70.0, 31.0, 25.0, 0.1, -0.04],
    "RADIAL_FISHEYE": [70.0, 31.0, 25.0, 0.03, -0.01],
    "OPENCV": [70.0, 75.0, 31.0, 25.0, 0.1, -0.05, 0.002, -0.003],
    "OPENCV_FISHEYE": [70.0, 75.0, 31.0, 25.0, 0.02, -0.01, 0.005, 0.001],
    "FULL_OPENCV": [70.0, 75.0, 31.0, 25.0, 0.1, -0.05, 0.002, -0.003, 0.01, 0.02, 0.01, 0.005],
    "FOV": [70.0, 75.0, 31.0, 25.0, 0.6],
    "THIN_PRISM_FISHEYE": [
        *(70.0, 75.0, 31.0, 25.0, 0.02, -0.01, 0.002, -0.003, 0.004, 0.001, 0.002, 0.003),
    ],
    "RAD_TAN_THIN_PRISM_FISHEYE": [
        *(70.0, 75.0, 31.0, 25.0, 0.02, -0.01, 0.004, 0.001, 0.0, 0.0),
        *(0.002, -0.003, 0.001, 0.002, 0.001, 0.0),
    ],
    "SIMPLE_DIVISION": [70.0, 31.0, 25.0, -0.08],
    "DIVISION": [70.0, 75.0, 31.0, 25.0, -0.08],
    "SIMPLE_FISHEYE": [70.0, 31.0, 25.0],
    "FISHEYE": [70.0, 75.0, 31.0, 25.0],
    "EUCM": [70.0, 75.0, 31.0, 25.0, 0.6, 1.1],
    "EQUIRECTANGULAR": [64.0, 52.0],
}
"""A camera of 64×52 px of every model, with a plausible distortion."""
WIDTH, HEIGHT = 64, 52


@dataclass
class Capture:
    """What a dataset is made of, before it is written."""

    cameras: dict[int, pycolmap.Camera]
    images: list[tuple[str, int, np.ndarray, np.ndarray]]
    """Name, camera id, quaternion wxyz, translation."""
    points: np.ndarray
    colors: np.ndarray
    photo_sizes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def reconstruction(self) -> pycolmap.Reconstruction:
        model = pycolmap.Reconstruction()
        for camera in self.cameras.values():
            model.add_camera_with_trivial_rig(camera)
        for number, (name, camera_id, quaternion, translation) in enumerate(self.images, start=1):
            keypoints = pycolmap.Point2DList(
                [pycolmap.Point2D(np.array([3.0, 4.0])) for _ in self.points]
            )
            image = pycolmap.Image(
                name=name, points2D=keypoints, camera_id=camera_id, image_id=number
            )
            rotation = pycolmap.Rotation3d(np.roll(quaternion, -1))  # xyzw
            pose = pycolmap.Rigid3d(rotation, translation)
            model.add_image_with_trivial_frame(image, pose)
        for number, (position, color) in enumerate(zip(self.points, self.colors, strict=True)):
            track = pycolmap.Track()
            if self.images:
                track.add_element(1 + number % len(self.images), number)
            point = pycolmap.Point3D(xyz=position, track=track, color=color)
            model.add_point3D_with_id(number + 1, point)
        return model


def random_photo(seed: int, width: int, height: int) -> np.ndarray:
    """A smooth colour image (height, width, 3) that compresses and interpolates well."""
    x, y = np.meshgrid(np.linspace(0, 3, width), np.linspace(0, 3, height))
    waves = np.stack([np.sin(x + seed), np.cos(y * 1.3 - seed), np.sin(x * y)], axis=-1)
    return np.uint8(127.5 + 120 * waves)


@pytest.fixture
def camera_examples() -> dict[str, list[float]]:
    return dict(CAMERA_EXAMPLES)


@pytest.fixture
def make_capture() -> Callable[..., Capture]:
    """Return a function that makes a capture of a ring of level cameras around the z axis."""

    def make(
        count: int = 4, model: str = "PINHOLE", points: int = 20, params: list[float] | None = None
    ) -> Capture:
        rng = np.random.default_rng(0)
        camera = pycolmap.Camera(
            model=model, width=WIDTH, height=HEIGHT, params=params or CAMERA_EXAMPLES[model]
        )
        camera.camera_id = 1
        images = []
        for index in range(count):
            angle = 2 * np.pi * index / count
            forward = -np.array([np.cos(angle), np.sin(angle), 0.3])
            forward /= np.linalg.norm(forward)
            right = np.cross(forward, [0.0, 0.0, 1.0])
            right /= np.linalg.norm(right)
            rotation = np.stack([right, np.cross(forward, right), forward])
            center = 4.0 * np.array([np.cos(angle), np.sin(angle), 0.3])
            quaternion = np.roll(pycolmap.Rotation3d(rotation).quat, 1)
            images.append((f"{index:04d}.png", 1, quaternion, -rotation @ center))
        return Capture(
            {1: camera},
            images,
            rng.normal(size=(points, 3)),
            rng.integers(0, 256, (points, 3), dtype=np.uint8),
        )

    return make


@pytest.fixture
def write_dataset(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes photos and model of a capture and gives the folder back."""

    def write(capture: Capture, *, binary: bool = True, place: str = "sparse/0") -> Path:
        folder = tmp_path / "capture"
        model_folder = folder / place
        model_folder.mkdir(parents=True, exist_ok=True)
        model = capture.reconstruction()
        if binary:
            model.write_binary(model_folder)
        else:
            model.write_text(model_folder)
        for index, (name, camera_id, _, _) in enumerate(capture.images):
            camera = capture.cameras[camera_id]
            size = capture.photo_sizes.get(name, (camera.width, camera.height))
            path = folder / "images" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random_photo(index, *size)).save(path)
        return folder

    return write


@pytest.fixture
def save_ids() -> Callable[[Path, np.ndarray], None]:
    """Return a function that writes ids as PNG, 8 or 16 bits as the array has."""

    def save(path: Path, ids: np.ndarray) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(ids).save(path)

    return save
