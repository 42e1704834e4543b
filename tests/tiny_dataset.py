# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a tiny capture, trained on in a second: `python -m tests.tiny_dataset FOLDER`.

A program too, since tests in Blender's Python, which has no torch, let the engine's Python run it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from cgc_addon.dataset.scene import PinholeCamera, Scene, View
from cgc_addon.rasterize import reference
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.spherical_harmonics import CONSTANT_BASIS
from cgc_addon.training.parameters import splat_of

from .colmap_text import write_colmap_text

SEED = 7


def tiny_gaussians(random: np.random.Generator | None = None) -> Gaussians:
    """Return the Gaussians of the four balls, segments 1 to 4, and of the board, segment 0.

    Args:
        random: where they lie exactly; None: as in every tiny dataset.
    """
    random = random or np.random.default_rng(SEED)
    centers = np.array([[0.7, 0.7, 0.35], [-0.7, 0.7, 0.35], [-0.7, -0.7, 0.35], [0.7, -0.7, 0.35]])
    colors = np.array([[0.9, 0.2, 0.1], [0.1, 0.8, 0.2], [0.2, 0.3, 0.9], [0.9, 0.8, 0.1]])
    points, shades, ids = [], [], []
    for number, (center, color) in enumerate(zip(centers, colors, strict=True), start=1):
        directions = random.normal(size=(60, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        points.append(center + 0.35 * directions)
        shades.append(np.clip(color + random.normal(0, 0.08, (60, 3)), 0, 1))
        ids.append(np.full(60, number))
    board = np.concatenate([random.uniform(-1.6, 1.6, (200, 2)), np.zeros((200, 1))], axis=1)
    points, shades, ids = [*points, board], [*shades, np.full((200, 3), 0.5)], [*ids, np.zeros(200)]
    rgb, labels = np.concatenate(shades), np.concatenate(ids).astype(np.int32)
    count = len(labels)
    scales = np.where(labels[:, None] > 0, 0.1, 0.16) * np.ones((count, 3))
    return Gaussians(
        means=np.concatenate(points).astype(np.float32),
        log_scales=np.log(scales).astype(np.float32),
        quats=np.tile(np.float32([1, 0, 0, 0]), (count, 1)),
        logit_opacities=np.full(count, np.log(9.0), np.float32),
        sh=((rgb - 0.5)[:, None] / CONSTANT_BASIS).astype(np.float32),
        segments=labels,
    )


def write_tiny_dataset(folder: Path) -> Path:
    """Write four coloured balls on a board into `folder`: 12 photos of 48×36, masks, ids.

    Label ids are shuffled in every photo; ground truth ids agree. Rendered by the slow reference.
    """
    random = np.random.default_rng(SEED)
    gaussians = tiny_gaussians(random)
    splat = splat_of(gaussians, torch.device("cpu"))
    labels = gaussians.segments
    assert labels is not None
    camera = PinholeCamera(48, 36, 48.0, 47.0, 24.5, 17.5)
    views = []
    for number in range(12):
        angle = 2 * np.pi * number / 12
        place = np.array([3.2 * np.cos(angle), 3.2 * np.sin(angle), 2.0 + 0.5 * (number % 2)])
        forward = np.array([0.0, 0.0, 0.2]) - place
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        pose = np.eye(4)
        pose[:3, :3] = np.stack([right, np.cross(forward, right), forward])
        pose[:3, 3] = -pose[:3, :3] @ place
        views.append(View(f"{number:04d}.png", camera, pose))
    for name in ("images", "masks", "gt"):
        (folder / name).mkdir(parents=True)
    for view in views:
        drawn = reference.render(splat, view, sh_degree=0).rgb.numpy()
        photo = np.round(np.clip(drawn, 0, 1) * 255).astype(np.uint8)
        Image.fromarray(photo).save(folder / "images" / view.name)
        truth = reference.label_map(splat, view, torch.as_tensor(labels))[0].numpy()
        shuffled = np.concatenate([[0], random.permutation(4) + 1])
        Image.fromarray(truth.astype(np.uint16)).save(folder / "gt" / view.name)
        Image.fromarray(shuffled[truth].astype(np.uint16)).save(folder / "masks" / view.name)
    chosen = random.permutation(len(gaussians))[:300]
    write_colmap_text(
        folder / "sparse" / "0",
        Scene(
            tuple(views),
            gaussians.means[chosen],
            np.round((gaussians.sh[chosen, 0] * CONSTANT_BASIS + 0.5) * 255).astype(np.uint8),
            3.5,
            np.array([0.0, 0.0, 1.0]),
        ),
    )
    return folder


if __name__ == "__main__":
    write_tiny_dataset(Path(sys.argv[1]))
