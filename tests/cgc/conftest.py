# SPDX-License-Identifier: GPL-3.0-or-later
"""A small capture whose objects are known: balls of Gaussians on a plate, seen from all around."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from cgc_addon.cgc.observations import Observation
from cgc_addon.rasterize.blending import BlendingMatrix

WIDTH, HEIGHT, PIXELS_PER_UNIT = 40, 30, 9.0
CENTERS = np.array(
    [[-1.2, -0.5, 0.4], [0.0, -0.6, 0.4], [1.2, -0.5, 0.4], [-0.7, 0.7, 0.4], [0.6, 0.7, 0.4]]
)
PLATE = len(CENTERS) + 1


@dataclass
class Capture:
    means: np.ndarray
    """(N, 3)"""
    truth: np.ndarray
    """(N,) object of each Gaussian, 1 to 6; 6 is the plate."""
    blending: list[BlendingMatrix]
    """All pixels of each view."""
    truth_maps: list[np.ndarray]
    """(H, W) object of each pixel, 0 where nothing is."""

    def observations(self, *, mess: float = 0.0, seed: int = 0) -> list[Observation]:
        """Masks whose ids differ between views; a share `mess` of the objects in two halves."""
        generator = np.random.default_rng(seed)
        found = []
        for blending, truth in zip(self.blending, self.truth_maps, strict=True):
            labels = truth.astype(np.int32)
            for identifier in range(1, PLATE):
                inside = truth == identifier
                if inside.any() and generator.random() < mess:
                    half = inside & (np.arange(WIDTH)[None] > np.median(np.nonzero(inside)[1]))
                    labels[half] = PLATE + identifier
            shuffled = np.concatenate([[0], 1 + generator.permutation(2 * PLATE)])
            found.append(Observation(blending, shuffled[labels].reshape(-1).astype(np.int32)))
        return found

    def exact_observations(self) -> list[Observation]:
        """Ground truth as labels."""
        return [
            Observation(blending, truth.reshape(-1).astype(np.int32))
            for blending, truth in zip(self.blending, self.truth_maps, strict=True)
        ]


def look(means: np.ndarray, turn: float, tilt: float) -> BlendingMatrix:
    """Blend round Gaussians of one size, seen along parallel rays, as a renderer would."""
    cos, sin = np.cos(turn), np.sin(turn)
    x = cos * means[:, 0] + sin * means[:, 1]
    y = -sin * means[:, 0] + cos * means[:, 1]
    down, depth = (
        np.sin(tilt) * y - np.cos(tilt) * means[:, 2],
        np.cos(tilt) * y + np.sin(tilt) * -means[:, 2],
    )
    order = np.argsort(depth, kind="stable")
    columns, rows = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    offset_x = columns.reshape(-1, 1) - (WIDTH / 2 + PIXELS_PER_UNIT * x[order])
    offset_y = rows.reshape(-1, 1) - (HEIGHT / 2 + PIXELS_PER_UNIT * down[order])
    alpha = 0.8 * np.exp(-(offset_x**2 + offset_y**2) / (2 * 1.2**2))
    alpha[alpha < 1 / 255] = 0
    through = np.cumprod(np.concatenate([np.ones((len(alpha), 1)), 1 - alpha], 1), 1)[:, :-1]
    weights = alpha * through
    pixel, entry = np.nonzero(weights > 0.01)
    starts = np.searchsorted(pixel, np.arange(WIDTH * HEIGHT + 1))
    return BlendingMatrix(
        starts.astype(np.int64),
        order[entry].astype(np.int32),
        weights[pixel, entry].astype(np.float32),
        len(means),
    )


def label_map(blending: BlendingMatrix, labels: np.ndarray) -> np.ndarray:
    """Return the label (H, W) that most of each pixel is made of, 0 where nothing is."""
    dense = np.zeros((len(blending), int(labels.max()) + 1))
    pixel = np.repeat(np.arange(len(blending)), np.diff(blending.starts))
    np.add.at(dense, (pixel, labels[blending.gaussians]), blending.weights)
    dense[:, 0] = 1 - dense.sum(1)
    return dense.argmax(1).reshape(HEIGHT, WIDTH)


@pytest.fixture(scope="session")
def capture() -> Capture:
    generator = np.random.default_rng(4)
    balls = [c + 0.22 * generator.standard_normal((60, 3)) for c in CENTERS]
    plate = np.concatenate(
        [generator.uniform([-2, -1.4], [2, 1.4], (500, 2)), np.full((500, 1), -0.35)], axis=1
    )
    means = np.concatenate([*balls, plate]).astype(np.float32)
    truth = np.concatenate([np.repeat(np.arange(1, PLATE), 60), np.full(500, PLATE)])
    blending = [look(means, turn, 0.7 + 0.1 * (i % 3)) for i, turn in enumerate(np.arange(12) / 2)]
    maps = [label_map(matrix, truth) for matrix in blending]
    return Capture(means, truth.astype(np.int32), blending, maps)
