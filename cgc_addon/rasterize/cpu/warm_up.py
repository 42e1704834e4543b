# SPDX-License-Identifier: GPL-3.0-or-later
"""A drawing so small that running it is nothing, and that makes Numba compile every kernel."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from ...dataset.scene import PinholeCamera, View
from ..blending_node import blend_features
from ..interface import NEAR_PLANE, Backend, SplatTensors
from .drawing import SUM_PARTS
from .kernels.backward import differentiate, sum_pairs
from .kernels.projection import project_backward
from .projection import camera_floats

VIEW = View("warm-up", PinholeCamera(16, 16, 16.0, 16.0, 8.0, 8.0), np.eye(4))


def stages(backend: Backend) -> list[Callable[[], None]]:
    """Return calls that together use all kernels, each a few seconds to compile.

    Args:
        backend: whose kernels.
    """
    return [lambda: _draw(backend), *_of_training(backend), *_after_training(backend)]


def stages_before_the_rest(
    backend: Backend, compiled: Callable[[str], bool]
) -> list[Callable[[], None]]:
    """Return calls that use the kernels training needs, while another process compiles most.

    Args:
        backend: whose kernels.
        compiled: waits until that process has compiled a stage; False if it will not.
    """

    def wait() -> None:
        compiled(LAST_OF_TRAINING)

    return [lambda: _draw(backend), wait, *_of_training(backend)]


def stages_beside(backend: Backend) -> list[Callable[[], None]]:
    """Return calls that use all other kernels, without those of `_draw` as far as training goes."""

    def step() -> None:
        _step(backend)

    def loss() -> None:
        _lose(backend)

    return [backward_kernels, step, loss, *_after_training(backend)]


LAST_OF_TRAINING = "loss"
"""Name of the last stage of `stages_beside` that training needs."""


def _splat() -> SplatTensors:
    return SplatTensors(
        means=torch.tensor([[0.0, 0.0, 1.0]], requires_grad=True),
        quats=torch.tensor([[1.0, 0.0, 0.0, 0.0]]),
        scales=torch.full((1, 3), 0.1),
        opacities=torch.full((1,), 0.5),
        sh0=torch.zeros(1, 1, 3),
        shN=torch.zeros(1, 15, 3),
    )


def _draw(backend: Backend) -> None:
    with torch.no_grad():
        backend.render(_splat(), VIEW, features=torch.ones(1, 16))


def _lose(backend: Backend) -> None:
    rgb = torch.zeros(16, 16, 3, requires_grad=True)
    backend.photometric_loss(rgb, torch.ones(16, 16, 3)).backward()


def _step(backend: Backend) -> None:
    together, means = backend.photos_together(), torch.zeros(1, 3)
    if together is not None:
        lengths = together.lengths_by_distance(means, torch.zeros(3), 1.0)
        moments, gradients = (torch.zeros(1, 3), torch.zeros(1, 3)), [torch.zeros(1, 3)]
        together.adam_steps(means, moments, gradients, [1.0], (0.9, 0.999), 0, lengths)


def _of_training(backend: Backend) -> list[Callable[[], None]]:
    def backward() -> None:
        backend.render(_splat(), VIEW).rgb.sum().backward()

    return [backward, lambda: _step(backend), lambda: _lose(backend)]


def _after_training(backend: Backend) -> list[Callable[[], None]]:
    splat = _splat()

    def labels() -> None:
        backend.render_labels(splat, VIEW, torch.ones(1, dtype=torch.int32))

    def weights() -> None:
        matrix = backend.blending_weights(splat, VIEW, torch.arange(256))
        matrix.strongest_labels(np.ones(1, np.int32))
        features = torch.ones(1, 16, requires_grad=True)
        blend_features(matrix.rows(np.arange(16)), features).sum().backward()

    def split() -> None:
        backend.render_split(splat, VIEW, torch.ones(16, 16))

    return [weights, labels, split]


def backward_kernels() -> None:
    """Run the backward pass of nothing: kernels take the types of their arguments from that."""
    floats, ints = np.empty(0, np.float32), np.empty(0, np.int32)
    starts = np.zeros(2, np.int64)
    differentiate(
        floats, floats, 0, 0, 0, starts, np.zeros(1, np.int64), ints, ints, np.empty(0, np.uint64),
        1, 16, 16, np.zeros(768, np.float32), np.ones(256, np.float32), floats,
        np.zeros(768, np.float32), np.zeros(256, np.float32), floats, floats,
    )  # fmt: skip
    sum_pairs(floats, ints, starts, 0, 0, SUM_PARTS, floats, floats, floats, floats)
    project_backward(
        *(floats,) * 6, 45, 16, camera_floats(VIEW, NEAR_PLANE), ints, *(floats,) * 8
    )  # fmt: skip
