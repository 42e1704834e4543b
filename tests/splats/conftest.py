# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats and scenes made up for these tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cgc_addon.dataset.scene import PinholeCamera, Scene, View
from cgc_addon.splats.gaussians import Gaussians


def random_gaussians(
    count: int = 20,
    degree: int = 3,
    seed: int = 0,
    features: bool = True,
    segments: bool = True,
) -> Gaussians:
    generator = np.random.default_rng(seed)

    def normal(*shape: int) -> np.ndarray:
        return generator.normal(size=shape).astype(np.float32)

    return Gaussians(
        means=normal(count, 3),
        log_scales=normal(count, 3) - 3.0,
        quats=normal(count, 4),
        logit_opacities=normal(count),
        sh=normal(count, (degree + 1) ** 2, 3),
        features=normal(count, 16) if features else None,
        segments=generator.integers(0, 5, size=count).astype(np.int32) if segments else None,
    )


def look_at(eye: np.ndarray, target: np.ndarray) -> np.ndarray:
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    pose = np.eye(4)
    pose[:3, :3] = rotation
    pose[:3, 3] = -rotation @ eye
    return pose


def ring_scene(views: int = 6, points: int = 200, seed: int = 0) -> Scene:
    """Cameras on a ring of radius 2 that look at a cloud of radius about 0.5."""
    generator = np.random.default_rng(seed)
    camera = PinholeCamera(64, 48, 60.0, 58.0, 33.0, 23.0)
    eyes = [
        np.array([2.0 * np.cos(angle), 2.0 * np.sin(angle), 0.3])
        for angle in np.arange(views) / views * 2.0 * np.pi
    ]
    return Scene(
        views=tuple(
            View(f"{index}.png", camera, look_at(eye, np.zeros(3)))
            for index, eye in enumerate(eyes)
        ),
        points=generator.normal(scale=0.3, size=(points, 3)).astype(np.float32),
        point_colors=generator.integers(0, 256, size=(points, 3)).astype(np.uint8),
        extent=2.0,
        up=np.array([0.0, 0.0, 1.0]),
    )


@pytest.fixture(scope="module")
def make_gaussians() -> Callable[..., Gaussians]:
    return random_gaussians


@pytest.fixture(scope="module")
def make_scene() -> Callable[..., Scene]:
    return ring_scene
