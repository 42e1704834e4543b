# SPDX-License-Identifier: GPL-3.0-or-later
"""gsplat's DefaultStrategy under a cap on the number of Gaussians."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from gsplat.strategy import DefaultStrategy
from gsplat.strategy.ops import remove, reset_opa
from numpy.typing import NDArray
from torch import Tensor

from ..ranks import ALONE, Ranks
from .batch import multiple_within
from .config import DensifySettings
from .parameters import Optimizers, Parameters

_SUMS = ("grad2d", "count")
"""What the strategy keeps for each Gaussian: sums over the views that show it."""


class Densifier:
    """Clones, splits and prunes between steps; its state is `state`, plain tensors and numbers."""

    def __init__(self, settings: DensifySettings, extent: float, seed: int) -> None:
        self._settings, self._seed = settings, seed
        self._strategy = DefaultStrategy(
            prune_opa=settings.prune_opacity,
            grow_grad2d=settings.gradient,
            grow_scale3d=settings.clone_below,
            prune_scale3d=settings.prune_scale,
            refine_start_iter=settings.start,
            refine_stop_iter=settings.stop,
            refine_every=settings.every,
            reset_every=settings.reset_opacity_every or 2**31,
        )
        self.state: dict[str, Any] = self._strategy.initialize_state(scene_scale=extent)

    def before_backward(
        self, parameters: Parameters, optimizers: Optimizers, step: int, info: dict[str, Any]
    ) -> None:
        """Keep the image-plane gradients of this step."""
        if step < self._settings.stop:
            self._strategy.step_pre_backward(parameters, optimizers, self.state, step, info)

    def after_backward(self, step: int, info: dict[str, Any]) -> None:
        """Add to `info` what is counted of its view: whoever drew it does so, others meanwhile."""
        if step < self._settings.stop:
            info["sums"] = _seen_in(info)

    def after_step(
        self,
        parameters: Parameters,
        optimizers: Optimizers,
        step: int,
        *infos: dict[str, Any],
        ranks: Ranks = ALONE,
        batch: int = 1,
    ) -> bool:
        """Refine when it is time; return whether the set of Gaussians changed.

        Entries of `parameters` are replaced in place, with their optimizers' moments.

        Args:
            parameters: after Adam's step.
            optimizers: of them.
            step: number of the first photo of the step.
            infos: of the renderings of this process, as `after_backward` left them.
            ranks: processes that did the step.
            batch: photos of the step, of all processes together.
        """
        settings = self._settings
        if step >= settings.stop:
            return False
        due = multiple_within(step, batch, settings.every)
        if due is not None and not settings.start < due < settings.stop:
            due = None
        self._count(infos, ranks)
        if due is not None:
            info = infos[0]
            self._strategy.grow_grad2d = self._threshold(len(parameters["means"]))
            counted = {**info, "radii": torch.zeros_like(info["radii"])}
            # Where the halves of a split go is drawn from PyTorch's global generator.
            with torch.random.fork_rng():
                torch.manual_seed(self._seed * 1_000_003 + due)
                self._strategy.step_post_backward(parameters, optimizers, self.state, due, counted)
        # gsplat 1.5.3 never resets: it parses `step % n == 0 & step > 0` as a chain of comparisons.
        if settings.reset_opacity_every and multiple_within(
            step, batch, settings.reset_opacity_every
        ):
            reset_opa(
                params=parameters,
                optimizers=optimizers,
                state=self.state,
                value=settings.prune_opacity * 2.0,
            )
        return due is not None

    def drop(
        self, parameters: Parameters, optimizers: Optimizers, which: NDArray[np.bool_]
    ) -> None:
        """Take Gaussians out, `which` (N,), with their moments and what is kept of them."""
        mask = torch.from_numpy(which).to(parameters["means"].device)
        remove(params=parameters, optimizers=optimizers, state=self.state, mask=mask)

    def _count(self, infos: Sequence[dict[str, Any]], ranks: Ranks) -> None:
        """Add the image-plane gradients of all views of a step to what is kept of them.

        As `DefaultStrategy` does, with all Gaussians at once.
        """
        found: Tensor = infos[0]["sums"]
        for info in infos[1:]:
            found.add_(info["sums"])
        ranks.sum([found])
        for name, values in zip(_SUMS, found, strict=True):
            before = self.state[name]
            self.state[name] = values.clone() if before is None else before.add_(values)

    def _threshold(self, count: int) -> float:
        """Return the gradient above which no more Gaussians lie than the cap leaves room for."""
        room = self._settings.cap - count
        gradients: Tensor = self.state["grad2d"]
        if room <= 0:
            return float("inf")
        if room >= count:
            return self._settings.gradient
        mean = gradients / self.state["count"].clamp_min(1)
        largest = torch.topk(mean, room + 1).values[-1].item()
        return max(self._settings.gradient, largest)


def _seen_in(info: dict[str, Any]) -> Tensor:
    """Return what one view adds to each of `_SUMS` (2, N): gradients are those of single photos."""
    across, down = info["means2d"].grad[0].unbind(dim=1)
    across = across * (0.5 * info["width"] * info["n_cameras"])
    down = down * (0.5 * info["height"] * info["n_cameras"])
    radii = info["radii"][0]
    shown = ((radii[:, 0] > 0) & (radii[:, 1] > 0)).to(across.dtype)
    return torch.stack([across.square_().addcmul_(down, down).sqrt_().mul_(shown), shown])
