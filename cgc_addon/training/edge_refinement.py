# SPDX-License-Identifier: GPL-3.0-or-later
"""Sharpen a splat where its segments meet: the last steps of training, once segments are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from ..cgc.edges import (
    edge_loss,
    segment_codes,
    split_gaussians,
    straddling_gaussians,
)
from ..cgc.observations import Observation
from ..dataset.load import Dataset
from ..progress import Progress, Reporter, ShouldStop, never, silent, track
from ..ranks import ALONE, Ranks, share
from ..rasterize.interface import Backend
from ..splats.gaussians import Gaussians
from ..splats.select import subset
from .batch import multiple_within
from .config import EdgeSettings, GeometrySettings
from .descent import descend, gradients_of, leaves_of
from .edge_targets import Answered, edge_targets
from .exposure import as_exposed
from .parameters import (
    Gradients,
    Optimizers,
    Parameters,
    adam,
    add_to_gradients,
    add_up_gradients,
    to_gaussians,
    to_parameters,
    to_splat,
)
from .ranks.alike import check_equal
from .stage_state import StageState, State
from .unseen import LEAST_SHOWN, shown_pixels

SHARPENING_EDGES = "Sharpening edges"
"""Stage of the progress."""
HARMONICS_EVERY = 4
"""Photos of which one teaches the higher harmonics: edges do not need them, and they cost most."""


@dataclass(frozen=True, eq=False)
class RefinedSplat:
    """A splat after its edges were sharpened."""

    gaussians: Gaussians
    """M Gaussians, without features and segments."""
    origin: NDArray[np.int64]
    """(M,) the Gaussian before that each one comes from."""


@dataclass(frozen=True, eq=False)
class _Seen:
    """What one photo came to."""

    gradients: Gradients
    losses: dict[str, float]


class EdgeRefiner:
    """Splits Gaussians that straddle segments and trains some steps on photos and masks together.

    Step by step and resumably. What is dropped and split, and which segment each pixel should show,
    is found anew by whoever goes on.
    """

    def __init__(
        self,
        gaussians: Gaussians,
        segments: NDArray[np.int32],
        observations: Sequence[Observation],
        dataset: Dataset,
        backend: Backend,
        settings: EdgeSettings,
        geometry: GeometrySettings,
        seed: int,
        shown_kept: StageState | None = None,
        targets_kept: StageState | None = None,
        *,
        answered: Answered = lambda _index: None,
        ranks: Ranks = ALONE,
        batch: int = 1,
        report: Reporter = silent,
        should_stop: ShouldStop = never,
    ) -> None:
        """Drop what no photo shows, split Gaussians, and look at the masks.

        Args:
            gaussians: N, as photometric training left them.
            segments: (N,) segment of each, 0 = none.
            observations: of all labelled views.
            dataset: photos and masks; only `dataset.train` is used.
            backend: rasterizer.
            settings: of this training.
            geometry: of the training before, for its photometric loss.
            seed: of the order of the photos.
            shown_kept: keeps how far looking for what no photo shows is; of one process alone.
            targets_kept: keeps how far looking at the masks is, likewise.
            answered: gives what the mask model answered about a photo, where that counts.
            ranks: processes that do this together, each with photos of its own.
            batch: photos of a step, of all processes together. One process with one photo a step
                may look at several together, see `descent`.
            report: progress.
            should_stop: asked before each photo; by all processes, if there are several.

        Raises:
            Interrupted: `should_stop` said so.
        """
        self._dataset, self._backend = dataset, backend
        self._settings, self._geometry = settings, geometry
        self._ranks, self._batch = ranks, batch
        self._together = backend.photos_together() if batch == ranks.size == 1 else None
        self._photos = self._together.photos if self._together else batch
        straddling = ranks.first_does(lambda: straddling_gaussians(observations, segments))
        shown = shown_pixels(
            gaussians, dataset, backend, shown_kept,
            ranks=ranks, report=report, should_stop=should_stop,
        )  # fmt: skip
        room = max(geometry.densify.cap - int(np.count_nonzero(shown >= LEAST_SHOWN)), 0)
        straddling = np.sort(straddling[:room])
        origin = np.concatenate([np.arange(len(gaussians)), straddling])
        kept = np.flatnonzero(shown[origin] >= LEAST_SHOWN)
        whole = replace(gaussians, features=None, segments=None)
        split = subset(split_gaussians(whole, straddling), kept)
        self._origin = origin[kept]
        labels = torch.from_numpy(segments[self._origin]).to(backend.device)
        self._targets, touching = edge_targets(
            split, labels, dataset, backend, targets_kept, answered, ranks, report, should_stop
        )
        self._codes = segment_codes(touching).to(backend.device)
        self._parameters = to_parameters(split, geometry.sh_degree, backend.device)
        self._optimizers = _optimizers(self._parameters, settings, dataset.scene.extent, batch)
        self._features = self._codes[labels.long()]
        self._generator = np.random.default_rng(seed)
        self._order: list[int] = []
        self._step = 0

    def refined(self) -> RefinedSplat:
        """Return the splat as it stands."""
        return RefinedSplat(to_gaussians(self._parameters), self._origin)

    def state(self) -> State:
        """Return everything that `restore` needs; tensors are not copied."""
        tensors: dict[str, torch.Tensor] = {}
        for name, value in self._parameters.items():
            tensors[f"parameters.{name}"] = value
            for moment, state in self._optimizers[name].state.get(value, {}).items():
                tensors[f"optimizers.{name}.{moment}"] = state
        return tensors, {
            "step": self._step,
            "order": self._order,
            "generator": self._generator.bit_generator.state,
        }

    def restore(self, state: State) -> None:
        """Go on from a state of the same training; it then ends as if it had not been interrupted.

        Raises:
            KeyError: the state is of something else.
        """
        tensors, values = state
        for name, value in self._parameters.items():
            with torch.no_grad():
                value.copy_(tensors[f"parameters.{name}"])
            prefix = f"optimizers.{name}."
            moments = {
                key.removeprefix(prefix): tensor.to(value.device)
                for key, tensor in tensors.items()
                if key.startswith(prefix)
            }
            if moments:
                self._optimizers[name].state[value] = moments
        self._step, self._order = int(values["step"]), list(values["order"])
        self._generator.bit_generator.state = values["generator"]

    def run(
        self,
        *,
        on_pause: Callable[[], None] = lambda: None,
        report: Reporter = silent,
        should_stop: ShouldStop = never,
    ) -> None:
        """Do the steps that are left; `on_pause` is called between two of them.

        Raises:
            Interrupted: `should_stop` said so; the state is that of the last whole step.
        """
        numbers: dict[str, float] = {}
        steps = self._settings.steps

        def forward(progress: Progress) -> None:
            report(Progress(progress.stage, self._step, steps, dict(numbers)))

        left = range(self._step, steps, self._photos)
        for step in track(left, SHARPENING_EDGES, forward, should_stop):
            numbers.update(self._train_step(min(self._photos, steps - step)))
            self._step = min(step + self._photos, steps)
            on_pause()
        check_equal(self._parameters, self._ranks)

    def _train_step(self, together: int) -> dict[str, float]:
        """Train on the next photos; return the losses of one.

        Args:
            together: how many are looked at together, if any are.
        """
        if self._together:
            photos = [(self._step + place, self._next_photo()) for place in range(together)]
            seen = self._together.each(self._look_at_one_of, photos)
            found = [one.gradients for one in seen]
            descend(self._together, self._parameters, self._optimizers, found)
            return seen[-1].losses
        harmonics_learn = multiple_within(self._step, self._batch, HARMONICS_EVERY) is not None
        losses: dict[str, float] = {}
        for index in share([self._next_photo() for _ in range(self._batch)], self._ranks):
            seen = self._look_at(self._backend, index, harmonics_learn)
            add_to_gradients(self._parameters, seen.gradients)
            losses = seen.losses
        degree = self._geometry.sh_degree if harmonics_learn else 0
        add_up_gradients(self._parameters, self._ranks, degree)
        if not harmonics_learn:
            self._parameters["shN"].grad = None
        for optimizer in self._optimizers.values():
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return losses

    def _next_photo(self) -> int:
        train = np.asarray(self._dataset.train)
        self._order = self._order or self._generator.permutation(train).tolist()
        return self._order.pop()

    def _look_at_one_of(self, backend: Backend, photo: tuple[int, int]) -> _Seen:
        """Return what the photo of this number of a step and this index says."""
        number, index = photo
        return self._look_at(backend, index, number % HARMONICS_EVERY == 0)

    def _look_at(self, backend: Backend, index: int, harmonics_learn: bool) -> _Seen:
        """Return what one photo says, its share of the mean over those of a step."""
        dataset, geometry, leaves = self._dataset, self._geometry, leaves_of(self._parameters)
        photo = torch.from_numpy(dataset.store.photo(index)).to(backend.device)
        rendering = backend.render(
            to_splat(leaves, harmonics_learn=harmonics_learn),
            dataset.store.view(index),
            sh_degree=geometry.sh_degree,
            features=self._features,
        )
        rgb = as_exposed(rendering.rgb, dataset.scene, index)
        loss = backend.photometric_loss(rgb, photo.to(torch.float32) / 255.0, geometry.dssim_weight)
        losses = {"loss": loss.item()}
        if index in self._targets and rendering.features is not None:
            pixels = rendering.features.reshape(-1, self._codes.shape[1])
            edges = edge_loss(pixels, self._targets[index].to(backend.device), self._codes)
            losses["edges"] = edges.item()
            loss = loss + self._settings.weight * edges
        (loss / self._batch).backward()
        return _Seen(gradients_of(leaves), losses)


def _optimizers(
    parameters: Parameters, settings: EdgeSettings, extent: float, batch: int
) -> Optimizers:
    """Return an Adam for each parameter, with the small steps of a finished training."""
    rates = settings.rates
    steps = {
        "means": rates.means_end * extent,
        "scales": rates.scales,
        "quats": rates.quats,
        "opacities": rates.opacities,
        "sh0": rates.sh0,
        "shN": rates.sh_rest,
    }
    return {name: adam(parameters[name], steps[name], batch) for name in parameters}
