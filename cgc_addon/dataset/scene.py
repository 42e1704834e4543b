# SPDX-License-Identifier: GPL-3.0-or-later
"""What a capture is once it has been read: pinhole views of one scene, and its sparse points."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PinholeCamera:
    """Intrinsics without distortion, in pixels; the centre of the first pixel is (0.5, 0.5).

    Example:
        >>> camera = PinholeCamera(width=640, height=480, fx=500.0, fy=500.0, cx=320.0, cy=240.0)
        >>> camera.matrix().tolist()
        [[500.0, 0.0, 320.0], [0.0, 500.0, 240.0], [0.0, 0.0, 1.0]]
        >>> camera.resized(320, 240)
        PinholeCamera(width=320, height=240, fx=250.0, fy=250.0, cx=160.0, cy=120.0)
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    def matrix(self) -> NDArray[np.float64]:
        """Return the intrinsic matrix K (3, 3)."""
        return np.array(
            [[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]], dtype=np.float64
        )

    def resized(self, width: int, height: int) -> PinholeCamera:
        """Return the camera of the same photo at another size in pixels."""
        x, y = width / self.width, height / self.height
        return PinholeCamera(width, height, self.fx * x, self.fy * y, self.cx * x, self.cy * y)


@dataclass(frozen=True, eq=False)
class View:
    """One photo: where it was taken from and what belongs to it on disk.

    Example:
        >>> pose = np.eye(4)
        >>> pose[:3, 3] = [0, 0, 5]  # what lies at the origin is 5 units before the camera
        >>> view = View("left/0001.jpg", PinholeCamera(64, 48, 50.0, 50.0, 32.0, 24.0), pose)
        >>> view.stem, view.center().tolist()
        ('left/0001', [0.0, 0.0, -5.0])
    """

    name: str
    """Path of the photo below the images folder, with forward slashes: "left/0001.jpg"."""
    camera: PinholeCamera
    world_to_camera: NDArray[np.float64]
    """(4, 4) rigid; camera axes are COLMAP's: x right, y down, z forward; scene units."""

    @property
    def stem(self) -> str:
        """The name without its ending: label maps and renders of this view are called so."""
        return str(Path(self.name).with_suffix("").as_posix())

    def center(self) -> NDArray[np.float64]:
        """Return the camera's place in the world (3,), scene units."""
        rotation, translation = self.world_to_camera[:3, :3], self.world_to_camera[:3, 3]
        return -rotation.T @ translation

    def resized(self, width: int, height: int) -> View:
        """Return the same view at another size in pixels."""
        return replace(self, camera=self.camera.resized(width, height))


@dataclass(frozen=True, eq=False)
class SurfacePoints:
    """Points all over the surfaces that several photos agree on."""

    points: NDArray[np.float32]
    """(D, 3) scene units."""
    colors: NDArray[np.uint8]
    """(D, 3) sRGB."""
    normals: NDArray[np.float32]
    """(D, 3) unit vectors, towards a camera that sees the point."""

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True, eq=False)
class Scene:
    """All views of a capture in name order, and the sparse points of its reconstruction."""

    views: tuple[View, ...]
    points: NDArray[np.float32]
    """(P, 3) scene units."""
    point_colors: NDArray[np.uint8]
    """(P, 3) sRGB."""
    extent: float
    """Radius around the mean camera centre that holds all cameras but outlying ones, scene units,
    > 0."""
    up: NDArray[np.float64]
    """(3,) unit vector, the world direction that the cameras have above them."""
    origin: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    """(3,) what all places are relative to, in the frame of the files, scene units."""
    surface: SurfacePoints | None = None
    """What matching the photos found beside the sparse points, where that was done."""
    gains: NDArray[np.float32] | None = None
    """(V,) how many times as bright as the scene each photo is, in sRGB; None: all are alike."""
