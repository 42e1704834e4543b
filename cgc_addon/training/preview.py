# SPDX-License-Identifier: GPL-3.0-or-later
"""A small file that shows how a training looks so far, for whoever watches it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..cgc.segments import distinct_colors
from ..splats.gaussians import Gaussians
from ..splats.spherical_harmonics import CONSTANT_BASIS
from .parameters import Parameters

MOST_POINTS = 100_000
FAINTEST = 1 / 255
"""Gaussians of less opacity than this are not shown."""
SEGMENT_SHARE = 0.6
"""How much of a point's colour is its segment's, once there are segments."""

Points = NDArray[np.float32]
"""(M, 7): x y z, radius, in scene units; red green blue, sRGB 0 to 1."""


class Preview:
    """Writes points to a file every now and then, and tells."""

    def __init__(self, path: Path, seconds: float, tell: Callable[[Path], None]) -> None:
        """Describe a preview.

        Args:
            path: of the file, replaced as a whole each time.
            seconds: from one writing to the next.
            tell: called after each.
        """
        self._path, self._seconds, self._tell = path, seconds, tell
        self._next = 0.0

    def offer(self, points: Callable[[], Points]) -> None:
        """Write a preview if it is time for one."""
        if time.perf_counter() >= self._next:
            self.show(points())

    def show(self, points: Points) -> None:
        """Write a preview now. One that cannot be written is left out: the training is not."""
        if self._write(points):
            self._tell(self._path)
        self._next = time.perf_counter() + self._seconds

    def _write(self, points: Points) -> bool:
        temporary = self._path.with_name(f".{self._path.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                np.save(file, points, allow_pickle=False)
            temporary.replace(self._path)  # Windows refuses while somebody reads the old one
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            return False
        return True


def points_of_parameters(parameters: Parameters) -> Points:
    """Return the points of a training as it stands; touches neither gradients nor random state."""
    means, log_scales, logits, harmonics = (
        parameters[name].detach().cpu().numpy() for name in ("means", "scales", "opacities", "sh0")
    )
    return _points(means, log_scales, logits, harmonics[:, 0])[0]


def points_of_gaussians(gaussians: Gaussians, segments: NDArray[np.int32] | None = None) -> Points:
    """Return the points of a splat, tinted by the segment (N,) of each, 0 = none, if given."""
    points, shown = _points(
        gaussians.means, gaussians.log_scales, gaussians.logit_opacities, gaussians.sh[:, 0]
    )
    if segments is not None:
        palette = distinct_colors(int(segments.max(initial=0))).astype(np.float32) / 255
        tinted = np.flatnonzero(segments[shown])
        shade = palette[segments[shown[tinted]] - 1]
        points[tinted, 4:] += SEGMENT_SHARE * (shade - points[tinted, 4:])
    return points


def _points(
    means: NDArray[np.float32],
    log_scales: NDArray[np.float32],
    logit_opacities: NDArray[np.float32],
    constants: NDArray[np.float32],
) -> tuple[Points, NDArray[np.int64]]:
    """Return the Gaussians that show most, by opacity times radius, and which ones they are.

    Args:
        means: (N, 3) scene units.
        log_scales: (N, 3) logarithms of the standard deviations; their mean makes the radius.
        logit_opacities: (N,) before the sigmoid.
        constants: (N, 3) constant harmonics, which make the mean colour over all directions.
    """
    radii = np.exp((log_scales[:, 0] + log_scales[:, 1] + log_scales[:, 2]) / 3)
    with np.errstate(over="ignore"):  # a large enough number is as good as infinite here
        opacities = 1 / (1 + np.exp(-logit_opacities))
    shown = np.flatnonzero(opacities >= FAINTEST)
    if len(shown) > MOST_POINTS:
        weights = (opacities * radii)[shown]
        most = np.argpartition(weights, len(shown) - MOST_POINTS)[-MOST_POINTS:]
        shown = shown[np.sort(most)]
    points = np.empty((len(shown), 7), np.float32)
    points[:, :3], points[:, 3] = means[shown], radii[shown]
    points[:, 4:] = np.clip(0.5 + np.float32(CONSTANT_BASIS) * constants[shown], 0, 1)
    return points, shown
