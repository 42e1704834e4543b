# SPDX-License-Identifier: GPL-3.0-or-later
"""Learn the features of a finished splat from its observations; the geometry stays as it is.

A step takes one view, renders the features of some thousand of its pixels with the cached blending
weights, and lowers the contrastive loss of their masks. The pixels are drawn evenly over the masks
of the view, and each counts for the area it stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...progress import Progress, Reporter, ShouldStop, never, silent, track
from ...ranks import ALONE, Ranks, share
from ...rasterize.blending_node import blend_features
from ...splats.gaussians import FEATURE_DIMENSION
from ..observations import Observation
from ..settings import FrozenFeatureSettings, SpatialLoss
from .contrastive import contrastive_loss
from .neighbours import nearest_neighbours
from .spatial import NEIGHBOURS, released_spatial_loss, spatial_loss

LEARNING_FEATURES = "Learning features"
"""Stage of the progress."""

State = tuple[dict[str, torch.Tensor], dict[str, Any]]
"""Named tensors and small plain values: all that it takes to go on."""

MINIMUM_ALPHA = 0.5
"""Pixels with less coverage show too little of the splat to learn from."""


class StratifiedPixels:
    """Draws pixels of one view evenly over its masks, and never one twice in a draw."""

    def __init__(self, observation: Observation, minimum_pixels: float, minimum_alpha: float):
        usable = (observation.labels > 0) & (observation.coverage() >= minimum_alpha)
        pixels = np.nonzero(usable)[0]
        _, segment, counts = np.unique(
            observation.labels[pixels], return_inverse=True, return_counts=True
        )
        large = counts * observation.pixel_area >= minimum_pixels
        order = np.argsort(segment, kind="stable")
        order = order[large[segment[order]]]
        self.observation = observation
        self.pixels = pixels[order]
        """(U,) usable pixels, mask by mask."""
        self.counts = counts[large]
        """(K,) usable pixels of each mask."""
        self.starts = np.cumsum(self.counts) - self.counts

    def shuffle(self, generator: np.random.Generator) -> None:
        """Bring the pixels of each mask into a random order."""
        segment = np.repeat(np.arange(len(self.counts)), self.counts)
        self.pixels = self.pixels[np.lexsort((generator.random(len(self.pixels)), segment))]

    def draw(
        self, budget: int, generator: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return about `budget` pixels, and how many pixels of the view each stands for.

        Args:
            budget: pixels wanted in all; fewer where the view has fewer.
            generator: chooses where in each mask's shuffled pixels the draw begins.
        """
        drawn = even_shares(self.counts, budget)
        offsets = generator.integers(0, self.counts)
        within = np.arange(drawn.sum()) - np.repeat(np.cumsum(drawn) - drawn, drawn)
        place = (np.repeat(offsets, drawn) + within) % np.repeat(self.counts, drawn)
        areas = self.counts / np.maximum(drawn, 1) * self.observation.pixel_area
        return (
            self.pixels[np.repeat(self.starts, drawn) + place],
            np.repeat(areas, drawn).astype(np.float32),
        )


def even_shares(counts: NDArray[np.int64], budget: int) -> NDArray[np.int64]:
    """Divide `budget` evenly; what a small one cannot take goes to the larger ones.

    Args:
        counts: (K,) the most that each can take.
        budget: to be divided.

    Returns:
        (K,) shares, each at least 1 and at most its count.
    """
    if counts.sum() <= budget:
        return counts.copy()
    ascending = np.sort(counts)
    left = budget - (np.cumsum(ascending) - ascending)
    limits = left / np.arange(len(counts), 0, -1)
    # The smallest that cannot take all that is left for it sets the limit of all larger ones.
    limit = limits[np.nonzero(ascending >= limits)[0][0]]
    return np.minimum(counts, max(1, int(limit)))


def random_start(count: int, scale: float, seed: int = 0) -> NDArray[np.float32]:
    """Return normally distributed features (N, 16) around 0.

    Args:
        count: N.
        scale: standard deviation.
        seed: of the random numbers.
    """
    generator = np.random.default_rng(seed)
    size = (count, FEATURE_DIMENSION)
    return (scale * generator.standard_normal(size)).astype(np.float32)


def train_features(
    observations: Sequence[Observation],
    start: NDArray[np.float32],
    settings: FrozenFeatureSettings | None = None,
    *,
    minimum_pixels: float = 24.0,
    seed: int = 0,
    means: NDArray[np.floating] | None = None,
    on_step: Callable[[int, torch.Tensor], None] | None = None,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> NDArray[np.float32]:
    """Learn one feature for each Gaussian.

    Args:
        observations: of all labelled views.
        start: (N, D) features to start from, see `random_start` and `spectral_signatures`.
        settings: see there; defaults if None. Start and lifting, of which they tell too, are done
            by the caller.
        minimum_pixels: smaller masks are left out, pixels of the view; see
            `minimum_segment_pixels`.
        seed: of the order of the views and of the pixels drawn.
        means: (N, 3) scene units; needed by the spatial losses alone.
        on_step: called after each step with the number of steps done and the features (N, D),
            not to be changed: for previews.
        report: progress, with the losses of the step.
        should_stop: asked before each step.

    Returns:
        (N, D) features. The same for the same seed and number of threads. `start` where no view
        has two masks to tell apart.

    Raises:
        Interrupted: when `should_stop` says so.
        ValueError: a spatial loss was asked for without `means`.
    """
    trainer = FeatureTrainer(
        observations, start, settings, minimum_pixels=minimum_pixels, seed=seed, means=means
    )
    trainer.run(on_step=on_step, report=report, should_stop=should_stop)
    return trainer.features()


class FeatureTrainer:
    """What `train_features` does, step by step and resumably; its arguments are described there."""

    def __init__(
        self,
        observations: Sequence[Observation],
        start: NDArray[np.float32],
        settings: FrozenFeatureSettings | None = None,
        *,
        minimum_pixels: float = 24.0,
        seed: int = 0,
        means: NDArray[np.floating] | None = None,
        ranks: Ranks = ALONE,
        batch: int = 1,
    ) -> None:
        """Begin a training.

        Args:
            observations: as `train_features` takes them.
            start: likewise.
            settings: likewise.
            minimum_pixels: likewise.
            seed: likewise.
            means: likewise.
            ranks: processes that learn together, each from views of its own; all have the same
                observations.
            batch: views of a step, of all processes together. It counts as so many steps; the mean
                of their gradients goes √batch as far, and what Adam forgets is as much
                (Grendel-GS, arXiv 2406.18533).
        """
        self._settings = settings = settings or FrozenFeatureSettings()
        self._ranks, self._batch = ranks, batch
        self._generator = np.random.default_rng(seed)
        views = [
            StratifiedPixels(observation, minimum_pixels, MINIMUM_ALPHA)
            for observation in observations
        ]
        self._views = [view for view in views if len(view.counts) >= 2]
        self._features = torch.from_numpy(np.array(start, dtype=np.float32)).requires_grad_()
        for view in self._views:
            view.shuffle(self._generator)
        self._spatial_draws = torch.Generator().manual_seed(seed)
        self._spatial = None
        if self._views:
            self._spatial = _spatial_term(settings.spatial, means, self._spatial_draws)
        self._optimizer = torch.optim.Adam(
            [self._features],
            lr=settings.learning_rate,
            betas=(0.9**batch, 0.99**batch),
            eps=1e-15,
            fused=True,
        )
        self._order: list[int] = []
        self._step = 0

    def features(self) -> NDArray[np.float32]:
        """Return the features (N, D) as they stand."""
        return self._features.detach().numpy()

    def state(self) -> State:
        """Return everything that `restore` needs; tensors are not copied."""
        moments = self._optimizer.state.get(self._features, {})
        return (
            {
                "features": self._features.detach(),
                "spatial_draws": self._spatial_draws.get_state(),
                **{f"optimizer.{name}": value for name, value in moments.items()},
            },
            {
                "step": self._step,
                "order": self._order,
                "generator": self._generator.bit_generator.state,
            },
        )

    def restore(self, state: State) -> None:
        """Go on from a state of the same training; it then ends as if it had not been interrupted.

        Raises:
            KeyError: the state is of something else.
        """
        tensors, values = state
        with torch.no_grad():
            self._features.copy_(tensors["features"])
        prefix = "optimizer."
        moments = {
            name.removeprefix(prefix): value
            for name, value in tensors.items()
            if name.startswith(prefix)
        }
        if moments:
            self._optimizer.state[self._features] = moments
        self._spatial_draws.set_state(tensors["spatial_draws"])
        self._step, self._order = int(values["step"]), list(values["order"])
        self._generator.bit_generator.state = values["generator"]

    def run(
        self,
        *,
        on_step: Callable[[int, torch.Tensor], None] | None = None,
        on_pause: Callable[[], None] = lambda: None,
        report: Reporter = silent,
        should_stop: ShouldStop = never,
    ) -> None:
        """Do the steps that are left; `on_pause` is called between two of them.

        Raises:
            Interrupted: `should_stop` said so; the state is that of the last whole step.
        """
        if not self._views:
            return
        numbers: dict[str, float] = {}
        steps = self._settings.steps

        def forward(progress: Progress) -> None:
            report(Progress(progress.stage, self._step, steps, dict(numbers)))

        left = range(self._step, steps, self._batch)
        for step in track(left, LEARNING_FEATURES, forward, should_stop):
            learned = self._train_step(step, numbers)
            self._step = min(step + self._batch, steps)
            if learned and on_step is not None:
                on_step(self._step, self._features.detach())
            on_pause()

    def _train_step(self, step: int, numbers: dict[str, float]) -> bool:
        """Learn from the next views and note the losses; return whether they taught anything."""
        settings, features = self._settings, self._features
        self._optimizer.zero_grad()
        # Each process draws for all views, so that its random numbers stay those of the others.
        drawn = [self._draw() for _ in range(self._batch)]
        losses = [self._contrastive(*one) for one in share(drawn, self._ranks)]
        losses = [loss for loss in losses if loss is not None]
        term = None
        if self._spatial is not None and (losses or self._batch > 1):
            term = self._spatial(features)
            numbers["spatial"] = float(term.detach())
        if losses:
            numbers["contrastive"] = float(losses[-1].detach())
            loss = sum(losses[1:], start=losses[0])
            (loss if term is None else loss + len(losses) * term).backward()
        if features.grad is None:
            features.grad = torch.zeros_like(features)
        taught = torch.tensor([len(losses)])
        self._ranks.sum([features.grad, taught])
        if not int(taught):
            return False
        if self._batch > 1:
            features.grad.div_(int(taught))
        decay = settings.learning_rate_end / settings.learning_rate
        for group in self._optimizer.param_groups:
            rate = settings.learning_rate * decay ** (step / max(1, settings.steps - 1))
            group["lr"] = rate * self._batch**0.5
        self._optimizer.step()
        return True

    def _draw(self) -> tuple[Observation, NDArray[np.int64], NDArray[np.float32]]:
        """Return the next view, some of its pixels, and the area that each stands for."""
        self._order = self._order or self._generator.permutation(len(self._views)).tolist()
        view = self._views[self._order.pop()]
        return view.observation, *view.draw(self._settings.pixels_per_step, self._generator)

    def _contrastive(
        self, observation: Observation, pixels: NDArray[np.int64], areas: NDArray[np.float32]
    ) -> torch.Tensor | None:
        return contrastive_loss(
            blend_features(observation.blending.rows(pixels), self._features),
            torch.from_numpy(observation.labels[pixels]),
            pixel_areas=torch.from_numpy(areas),
            reduction=self._settings.reduction,
            minimum_pixels=0.0,
        )


def _spatial_term(
    kind: SpatialLoss, means: NDArray[np.floating] | None, draws: torch.Generator
) -> Callable[[torch.Tensor], torch.Tensor] | None:
    if kind == "off":
        return None
    if means is None:
        raise ValueError("a spatial loss needs the means of the Gaussians.")
    places = torch.from_numpy(np.asarray(means, dtype=np.float32))
    if kind == "released":
        return lambda features: released_spatial_loss(features, places, draws)
    neighbours = torch.from_numpy(nearest_neighbours(means, NEIGHBOURS))
    return lambda features: spatial_loss(features, places, neighbours, draws)
