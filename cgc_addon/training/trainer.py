# SPDX-License-Identifier: GPL-3.0-or-later
"""The optimisation loop: photos pull the Gaussians into shape, step by step, resumably."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..dataset.framing import scene_center
from ..dataset.load import Dataset
from ..errors import CgcError, Interrupted
from ..progress import Progress, Reporter, ShouldStop, never, silent
from ..ranks import ALONE, Ranks, share
from ..rasterize.interface import Backend
from ..splats.gaussians import Gaussians
from ..splats.select import with_sh_degree
from ..splats.spherical_harmonics import degree_in_use
from .batch import multiple_within, rate_factor
from .checkpoint import Checkpoint
from .config import TrainingConfig
from .densification import Densifier
from .descent import descend, gradients_of, leaves_of
from .dropout import dropout_rate, with_dropout
from .exposure import as_exposed
from .floaters import free_space
from .joint_features import JointFeatures
from .pace import Pace, PaceMeter
from .parameters import (
    Gradients,
    Optimizers,
    add_to_gradients,
    add_up_gradients,
    feature_start,
    make_optimizers,
    means_rate,
    photo_level,
    to_gaussians,
    to_parameters,
    to_splat,
    visible_degree,
)
from .preview import Points, points_of_parameters
from .ranks.alike import check_equal
from .rearranging import grow_harmonics, sort_along_curve

TRAINING = "Training"
"""Stage of the progress."""
REPORT_EVERY = 10
"""Steps between two progress messages and two lines of metrics."""


@dataclass(frozen=True)
class StepResult:
    """What one step measured."""

    step: int
    loss: float
    psnr: float
    """Of the photos of this step, dB; NaN where nobody asks."""
    count: int
    contrastive: float | None = None
    spatial: float | None = None


@dataclass(frozen=True, eq=False)
class _Seen:
    """What one photo came to."""

    gradients: Gradients
    loss: float
    psnr: float
    terms: dict[str, float]
    info: dict[str, Any] = field(repr=False)


class Trainer:
    """Trains on `dataset.train`; owns parameters, moments, random state and the step count."""

    def __init__(
        self,
        dataset: Dataset,
        backend: Backend,
        config: TrainingConfig,
        gaussians: Gaussians,
        ranks: Ranks = ALONE,
        batch: int = 1,
    ) -> None:
        """Begin a training.

        Args:
            dataset: photos and cameras.
            backend: rasterizer.
            config: of the run.
            gaussians: to start from, the same on all processes.
            ranks: processes that train together, each on photos of its own.
            batch: photos of a step, of all processes together; at least one for each. A step
                counts as so many of the configuration's, see `batch`. One process with one photo a
                step may look at several together, see `descent`.
        """
        self._ranks, self._batch = ranks, batch
        self._dataset, self._backend, self._config = dataset, backend, config
        self._together = backend.photos_together() if batch == ranks.size == 1 else None
        self.photos = self._together.photos if self._together else batch
        """Of a step; the last one may have fewer."""
        self._extent = dataset.scene.extent
        center = scene_center(dataset.scene.views, dataset.scene.points)
        self._center = torch.as_tensor(center, dtype=torch.float32, device=backend.device)
        self.step = 0
        self._joint: JointFeatures | None = None
        stored = max(visible_degree(config.geometry, 0), degree_in_use(gaussians.sh))
        degree = min(config.geometry.sh_degree, stored)
        self._parameters = to_parameters(gaussians, degree, backend.device)
        self._parameters.pop("features", None)
        if config.features.mode == "joint":
            self._joint = JointFeatures(config.features, config.seed)
            start = feature_start(len(gaussians), config.features.initial_scale, config.seed)
            self._parameters["features"] = torch.nn.Parameter(start.to(backend.device))
        self._optimizers = self._make_optimizers()
        sort_along_curve(self._parameters, self._optimizers)
        self._densifier = Densifier(config.geometry.densify, self._extent, config.seed)
        self._free_space = free_space(dataset.scene, dataset.train)
        self._order = np.random.default_rng(config.seed)
        self._queue: list[int] = []

    def _make_optimizers(self) -> Optimizers:
        return make_optimizers(
            self._parameters,
            self._config.geometry,
            self._config.features,
            self._extent,
            self._batch,
        )

    @property
    def steps(self) -> int:
        """Number of steps of the whole training."""
        return self._config.geometry.steps

    def gaussians(self) -> Gaussians:
        """Return the Gaussians as they stand."""
        return with_sh_degree(to_gaussians(self._parameters), self._config.geometry.sh_degree)

    def preview(self) -> Points:
        """Return points that show how it looks so far."""
        return points_of_parameters(self._parameters)

    def train_step(self) -> StepResult:
        """Do one step on the next photos.

        Raises:
            CgcError: the loss is no longer a number, memory ran out, or a process was lost.
        """
        grow_harmonics(
            self._parameters, self._optimizers, visible_degree(self._config.geometry, self.step)
        )
        count = self.photos
        if self._together:  # more photos than steps are left would be none of the schedule
            count = max(1, min(count, self.steps - self.step))
        photos = [(self.step + place, self._next_view()) for place in range(count)]
        if self._together:
            seen = self._together.each(self._look_at, photos)
            result = self._mean_of(self._numbers_of(seen), count)
            self._descend_together([one.gradients for one in seen])
            seen = [replace(one, gradients={}) for one in seen]  # refining needs the room
        else:
            seen = [self._add_up(photo) for photo in share(photos, self._ranks)]
            numbers = self._numbers_of(seen)
            degree = visible_degree(self._config.geometry, self.step)
            add_up_gradients(self._parameters, self._ranks, degree, numbers)
            result = self._mean_of(numbers, count)
            self._descend()
        if self._config.geometry.size_limit:
            self._limit_sizes(self._config.geometry.size_limit)
        self._refine([one.info for one in seen], count)
        return result

    def _look_at(self, backend: Backend, photo: tuple[int, int]) -> _Seen:
        """Return what one photo says, its share of the mean over those of a step.

        Args:
            backend: to draw with; others may look at other photos meanwhile.
            photo: its number among all that were shown, from 0, and that of its view.
        """
        number, index = photo
        leaves = leaves_of(self._parameters)
        geometry, store = self._config.geometry, self._dataset.store
        camera = store.view(index).camera
        level = photo_level(geometry, self.step, min(camera.width, camera.height))
        view = store.view(index, level)
        target = torch.from_numpy(store.photo(index, level)).to(backend.device)
        target = target.to(torch.float32) / 255.0
        background = None
        if store.are_cut_out:
            # Another colour in each step: nothing but empty space looks right before all of them.
            color = np.random.default_rng((self._config.seed, number)).random(3)
            background = torch.as_tensor(color, dtype=torch.float32, device=backend.device)
            opacity = torch.from_numpy(store.opacity(index, level)).to(backend.device)
            shown = as_exposed(background, self._dataset.scene, index)
            target = target + (1.0 - opacity[..., None] / 255.0) * shown
        joint = self._joint if self._joint and self._joint.due(number) else None
        rate = dropout_rate(geometry.dropout, len(self._dataset.train), self.step / geometry.steps)
        try:
            rendering = backend.render(
                with_dropout(to_splat(leaves), rate, (self._config.seed, number)),
                view,
                sh_degree=visible_degree(geometry, self.step),
                features=leaves["features"] if joint else None,
                features_move_geometry=joint is None or joint.move_geometry,
                background=background,
            )
            rgb = as_exposed(rendering.rgb, self._dataset.scene, index)
            photometric = backend.photometric_loss(rgb, target, geometry.dssim_weight)
            loss, terms = photometric, {}
            if joint:
                extra, terms = joint.loss(
                    number,
                    rendering,
                    store.masks(index, level),
                    self._parameters["means"].detach(),
                    leaves["features"],
                )
                loss = photometric + extra
            self._densifier.before_backward(
                self._parameters, self._optimizers, self.step, rendering.info
            )
            (loss / self._batch).backward()
        except (MemoryError, torch.OutOfMemoryError) as error:
            raise CgcError(
                f"Memory ran out at step {self.step} with {len(self._parameters['means'])} "
                "Gaussians; close other programs and go on with --resume, or start anew with "
                "smaller photos (--max-size) or fewer Gaussians (--max-gaussians)."
            ) from error
        value = photometric.item()
        if not math.isfinite(value):
            raise CgcError(
                f"The loss became {value} at step {self.step} on photo {view.name}; the last "
                "checkpoint is kept. Start anew with another --seed, and report this capture."
            )
        psnr = self._psnr(rgb, target) if self._report_is_due(self.step) else math.nan
        # The strategy multiplies gradients by it: those of a mean become those of single photos.
        info = {**rendering.info, "n_cameras": self._batch}
        self._densifier.after_backward(self.step, info)
        return _Seen(gradients_of(leaves), value, psnr, terms, info)

    def _add_up(self, photo: tuple[int, int]) -> _Seen:
        """Add what one photo says to the gradients in the parameters; the rest is returned."""
        seen = self._look_at(self._backend, photo)
        add_to_gradients(self._parameters, seen.gradients)
        return replace(seen, gradients={})

    @staticmethod
    def _numbers_of(seen: Sequence[_Seen]) -> Tensor:
        """Return sums of losses, PSNR and both feature losses, and how many there are of these."""
        names = ("contrastive", "spatial")
        return torch.tensor(
            [
                sum(one.loss for one in seen),
                sum(one.psnr for one in seen),
                *(sum(one.terms.get(name, 0.0) for one in seen) for name in names),
                *(sum(name in one.terms for one in seen) for name in names),
            ],
            dtype=torch.float64,
        )

    def _mean_of(self, numbers: Tensor, photos: int) -> StepResult:
        """Return means over the photos of a step, whose numbers these are."""
        loss, psnr, *terms = numbers.tolist()
        sums, counts = terms[:2], terms[2:]
        contrastive, spatial = (
            total / count if count else None for total, count in zip(sums, counts, strict=True)
        )
        count = len(self._parameters["means"])
        return StepResult(self.step, loss / photos, psnr / photos, count, contrastive, spatial)

    def _report_is_due(self, step: int) -> bool:
        return multiple_within(step, self.photos, REPORT_EVERY) is not None

    def _means_rate(self, step: int) -> float:
        geometry = self._config.geometry
        return means_rate(geometry.rates, step, geometry.steps, self._extent)

    def _descend(self) -> None:
        """Let Adam step once, by the gradients in the parameters."""
        rate = self._means_rate(self.step) * rate_factor(self._batch)
        self._optimizers["means"].param_groups[0]["lr"] = rate
        if self._joint and self._parameters["features"].grad is None:
            # As released: the features keep moving by momentum between two of their losses.
            self._parameters["features"].grad = torch.zeros_like(self._parameters["features"])
        before = self._parameters["means"].detach().clone()
        for optimizer in self._optimizers.values():
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if self._config.geometry.far_steps:
            self._lengthen_far_steps(before)

    def _descend_together(self, photos: Sequence[Gradients]) -> None:
        """Let Adam step once for each of some photos; as `_descend`, but for rounding."""
        assert self._together is not None
        if self._joint:
            nothing = torch.zeros_like(self._parameters["features"], requires_grad=False)
            for gradients in photos:
                if gradients["features"] is None:
                    gradients["features"] = nothing
        lengths = None
        if self._config.geometry.far_steps:
            means = self._parameters["means"]
            lengths = self._together.lengths_by_distance(means, self._center, self._extent)
        rates = [self._means_rate(self.step + number) for number in range(len(photos))]
        descend(self._together, self._parameters, self._optimizers, photos, rates, lengths)

    def _refine(self, infos: Sequence[dict[str, Any]], photos: int) -> None:
        """Count what so many photos showed, and let the strategy refine."""
        refined = self._densifier.after_step(
            self._parameters, self._optimizers, self.step, *infos, ranks=self._ranks, batch=photos
        )
        refined |= self._clear_free_space(photos)
        if refined:
            sort_along_curve(self._parameters, self._optimizers)
            check_equal(self._parameters, self._ranks)
        self.step += photos

    def _clear_free_space(self, photos: int) -> bool:
        """Drop what floats before the cameras, when it is time; return whether anything did."""
        every = self._config.geometry.clear_every
        if not every or multiple_within(self.step, photos, every) in (None, 0):
            return False
        means = self._parameters["means"].detach().cpu().numpy()
        # A twentieth of a second for 60,000 that each process would spend alike.
        mine = slice(self._ranks.rank, None, self._ranks.size)
        found = torch.zeros(len(means), dtype=torch.int32)
        found[mine] = torch.from_numpy(self._free_space.holds(means[mine])).to(torch.int32)
        found = found.to(self._backend.device)
        self._ranks.sum([found])
        floating = found.cpu().numpy() > 0
        if not floating.any() or floating.all():
            return False
        self._densifier.drop(self._parameters, self._optimizers, floating)
        return True

    @torch.no_grad()
    def _lengthen_far_steps(self, before: Tensor) -> None:
        """Let means beyond the extent move in proportion to their distance.

        Adam's step is as long for a Gaussian at the horizon as for one on the table, where it moves
        the picture a hundred times as far.

        Args:
            before: (N, 3) the means before Adam's step, scene units.
        """
        means = self._parameters["means"]
        distance = torch.linalg.vector_norm(before - self._center, dim=1, keepdim=True)
        means.sub_(before).mul_((distance / self._extent).clamp_min_(1.0)).add_(before)

    @torch.no_grad()
    def _limit_sizes(self, limit: float) -> None:
        """Hold scales below so many extents, of what lies beyond below so many distances.

        What few photos show can be explained by a Gaussian that fills half the sky as well as by
        small ones, and it covers what photos from elsewhere show. 3DGS prunes above a tenth of the
        extent, far ones with the others; these are only held.
        """
        distance = torch.linalg.vector_norm(self._parameters["means"] - self._center, dim=1)
        highest = torch.log(limit * distance.clamp_min_(self._extent))
        scales = self._parameters["scales"]
        torch.minimum(scales, highest[:, None], out=scales)

    def run(
        self,
        report: Reporter = silent,
        should_stop: ShouldStop = never,
        on_result: Callable[[StepResult, Pace], None] | None = None,
        on_pause: Callable[[], None] | None = None,
    ) -> None:
        """Train to the last step.

        Args:
            report: progress with loss, PSNR, count, steps a second and seconds left.
            should_stop: asked before each step.
            on_result: takes every `REPORT_EVERY`-th result and each with a feature loss, and
                with it steps a second and seconds left, once they are known.
            on_pause: called between two steps; may write a checkpoint.

        Raises:
            Interrupted: `should_stop` said so; the state is that of the last whole step.
        """
        meter = PaceMeter(self.steps)
        psnr: deque[float] = deque(maxlen=10)
        pace: Pace = {}
        while self.step < self.steps:
            asked = time.perf_counter()
            if should_stop():  # and it may keep us waiting
                raise Interrupted("training")
            if self._ranks.size == 1:  # else it is the others that are waited for
                meter.leave_out(time.perf_counter() - asked)
            result = self.train_step()
            due = self._report_is_due(result.step)
            if due:
                psnr.append(result.psnr)
                pace = meter.at(self.step)
                numbers = {
                    "loss": result.loss,
                    "psnr": sum(psnr) / len(psnr),
                    "gaussians": float(result.count),
                    **pace,
                }
                report(Progress(TRAINING, min(self.step, self.steps), self.steps, numbers))
            if on_result and (due or result.contrastive is not None):
                on_result(result, pace)
            if on_pause:
                on_pause()
        report(Progress(TRAINING, self.steps, self.steps))

    def _next_view(self) -> int:
        """Return the next photo: every photo once, in a new random order, then again."""
        if not self._queue:
            self._queue = self._order.permutation(np.asarray(self._dataset.train)).tolist()
        return self._queue.pop()

    @staticmethod
    def _psnr(rgb: Tensor, target: Tensor) -> float:
        error = torch.mean((rgb.detach().clamp(0.0, 1.0) - target) ** 2).item()
        return -10.0 * math.log10(max(error, 1e-10))

    def checkpoint(self) -> Checkpoint:
        """Return everything that `restore` needs; tensors are not copied."""
        tensors: dict[str, Tensor] = {}
        for name, value in self._parameters.items():
            tensors[f"parameters.{name}"] = value
            for moment, state in self._optimizers[name].state.get(value, {}).items():
                tensors[f"optimizers.{name}.{moment}"] = state
        for name, value in self._densifier.state.items():
            if isinstance(value, Tensor):
                tensors[f"densifier.{name}"] = value
        return Checkpoint(
            tensors,
            {
                "step": min(self.step, self.steps),  # the last one may have had photos to spare
                "steps": self.steps,
                "gaussians": len(self._parameters["means"]),
                "queue": self._queue,
                "view_order": self._order.bit_generator.state,
            },
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from what `checkpoint` gave; the same seed and threads give the same run."""
        tensors, device = checkpoint.tensors, self._backend.device
        try:
            self._parameters = {
                name: torch.nn.Parameter(tensors[f"parameters.{name}"].to(device))
                for name in self._parameters
            }
            self._optimizers = self._make_optimizers()
            for name, value in self._parameters.items():
                prefix = f"optimizers.{name}."
                state = {
                    key.removeprefix(prefix): tensor.to(device)
                    for key, tensor in tensors.items()
                    if key.startswith(prefix)
                }
                if state:
                    self._optimizers[name].state[value] = state
            for name in self._densifier.state:
                if (key := f"densifier.{name}") in tensors:
                    self._densifier.state[name] = tensors[key].to(device)
            self.step = int(checkpoint.values["step"])
            self._queue = list(checkpoint.values["queue"])
            self._order.bit_generator.state = checkpoint.values["view_order"]
        except KeyError as error:
            raise CgcError(
                f"The checkpoint lacks {error}; it belongs to another kind of run. Start anew."
            ) from error
