# SPDX-License-Identifier: GPL-3.0-or-later
"""A thing in the middle of its cameras, turned or not: only its colours tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cgc_addon.dataset.colmap.records import ColmapCamera, ColmapImage
from cgc_addon.dataset.image_files import read_small
from cgc_addon.dataset.transforms.frame_by_colors import fits_better

CAMERA = ColmapCamera("PINHOLE", 160, 120, (150.0, 150.0, 80.0, 60.0))
TURN = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])


def ring() -> list[ColmapImage]:
    images = []
    for number in range(8):
        angle = number * np.pi / 4
        place = np.array([3 * np.cos(angle), 3 * np.sin(angle), 1.0])
        ahead = -place / np.linalg.norm(place)
        right = np.cross(ahead, [0, 0, 1.0])
        right /= np.linalg.norm(right)
        pose = np.eye(4)
        pose[:3, :3] = np.stack([right, np.cross(ahead, right), ahead])
        pose[:3, 3] = -pose[:3, :3] @ place
        images.append(ColmapImage(f"{number}.png", 1, pose))
    return images


def ball() -> tuple[np.ndarray, np.ndarray]:
    """Return a ball that is red above, green below, and bluer from south to north."""
    points = np.random.default_rng(0).normal(size=(4000, 3))
    points *= 0.5 / np.linalg.norm(points, axis=1, keepdims=True)
    colors = np.stack([points[:, 2] > 0, points[:, 2] <= 0, points[:, 1] + 0.5], axis=1)
    return points, np.round(255 * np.clip(colors, 0, 1)).astype(np.uint8)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Draw the ball, the nearest points last, before grey."""
    points, colors = ball()
    for image in ring():
        seen = points @ image.world_to_camera[:3, :3].T + image.world_to_camera[:3, 3]
        picture = np.full((120, 160, 3), 128, np.uint8)
        for number in np.argsort(-seen[:, 2]):
            x, y = (150.0 * seen[number, :2] / seen[number, 2] + (80, 60)).astype(int)
            picture[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = colors[number]
        Image.fromarray(picture).save(tmp_path / image.name)
    return tmp_path


def test_points_are_where_photos_have_their_colours(photos: Path) -> None:
    points, colors = ball()
    turned = points @ TURN.T
    assert fits_better(turned, points, colors, ring(), {1: CAMERA}, photos, read_small)
    assert not fits_better(points, turned, colors, ring(), {1: CAMERA}, photos, read_small)


def test_without_colours_or_photos_nothing_is_told(photos: Path, tmp_path: Path) -> None:
    points, colors = ball()
    turned = points @ TURN.T
    grey = np.full_like(colors, 128)
    assert not fits_better(turned, points, grey, ring(), {1: CAMERA}, photos, read_small)
    nowhere = tmp_path / "nowhere"
    assert not fits_better(turned, points, colors, ring(), {1: CAMERA}, nowhere, read_small)
    few = slice(0, 5)
    assert not fits_better(
        turned[few], points[few], colors[few], ring(), {1: CAMERA}, photos, read_small
    )
