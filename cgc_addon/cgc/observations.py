# SPDX-License-Identifier: GPL-3.0-or-later
"""What the label maps say about a finished splat: sampled pixels, their masks, what blends there.

With frozen geometry every rendered map is linear in the values that the Gaussians carry, so the
blending weights are computed once; learning, lifting and merging then never draw the splat again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..dataset.mask_answers import MaskAnswers
from ..dataset.scene import View
from ..progress import Reporter, ShouldStop, never, silent, track_groups
from ..ranks import ALONE, Ranks, in_order
from ..rasterize.blending import BlendingMatrix
from ..rasterize.views_at_once import ViewsAtOnce
from .surface import Surface, surface_of

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from ..rasterize.interface import Backend, SplatTensors

LOOKING_AT_MASKS = "Looking at the masks"
"""Stage of the progress."""

PIXEL_BUDGET = 2_000_000
"""Pixels of all views together: about 30 million blending weights, 250 MB."""

MINIMUM_WEIGHT = 0.01
"""Weaker blending weights are left out: half of all entries, and no mask depends on them."""


@dataclass(frozen=True, eq=False)
class Observation:
    """Sampled pixels of one labelled view."""

    blending: BlendingMatrix
    """(P, N) weights of the Gaussians at these pixels."""
    labels: NDArray[np.int32]
    """(P,) mask of each pixel in this view, 0 = unlabelled."""
    pixel_area: float = 1.0
    """How many pixels of the view each sampled pixel stands for, ≥ 1."""
    parts: NDArray[np.int32] | None = None
    """(P,) the same of a finer label map, where the view has one."""
    answers: MaskAnswers | None = None
    """All that the mask model answered, where it made the label maps."""
    cells: NDArray[np.int32] | None = None
    """(P,) the cell of these masks that each pixel lies in, −1 where there is none."""
    surface: Surface | None = None
    """What each pixel shows, where there are answers and it was looked for."""

    def coverage(self) -> NDArray[np.float32]:
        """Return alpha (P,), the sum of the blending weights at each pixel."""
        return self.sparse() @ np.ones(self.blending.count, np.float32)

    def sparse(self) -> csr_matrix:
        """Return the blending weights as a SciPy matrix (P, N) that shares their memory."""
        from scipy.sparse import csr_matrix

        blending = self.blending
        return csr_matrix(
            (blending.weights, blending.gaussians, blending.starts),
            shape=(len(blending), blending.count),
            copy=False,
        )


@dataclass(frozen=True, eq=False)
class AnsweredView:
    """What the mask model answered about the photo of one view."""

    answers: MaskAnswers
    cells: Callable[[], NDArray[np.int32]]
    """Gives (H, W) the cell of these masks that each pixel lies in, −1 where there is none.

    Asked when the view is looked at: for all views together they are larger than all photos."""


Seen = tuple[BlendingMatrix, Surface | None]
"""What a view shows at its sampled pixels, apart from its label maps."""


def at_every_level(observations: Sequence[Observation]) -> list[Observation]:
    """Return the observations of objects, followed by those of parts as views of their own.

    Two Gaussians of one part are then together in all views; those of two parts of one object in
    half of them, as often as there are maps of parts.
    """
    return [*observations, *finest_level(observations, only_parts=True)]


def finest_level(
    observations: Sequence[Observation], *, only_parts: bool = False
) -> list[Observation]:
    """Return the observations of parts; where a view has none, that of objects unless told not."""
    finest = [one if one.parts is None else replace(one, labels=one.parts) for one in observations]
    return [replace(one, parts=None) for one in finest if not (only_parts and one.parts is None)]


def sampled_fraction(views: Iterable[View], budget: int = PIXEL_BUDGET) -> float:
    """Return the share of all pixels to sample, at most 1/4 and at most `budget` pixels in all.

    Args:
        views: the labelled views.
        budget: pixels of all views together.
    """
    pixels = sum(view.camera.width * view.camera.height for view in views)
    return min(0.25, budget / max(pixels, 1))


def observe(
    backend: Backend,
    splat: SplatTensors,
    views: Sequence[View],
    label_maps: Sequence[NDArray[np.int32] | None],
    part_maps: Sequence[NDArray[np.int32] | None] | None = None,
    answers: Sequence[AnsweredView | None] | None = None,
    *,
    fraction: float | None = None,
    minimum_weight: float = MINIMUM_WEIGHT,
    surfaces: bool = True,
    seed: int = 0,
    ranks: Ranks = ALONE,
    earlier: Sequence[Seen] = (),
    on_seen: Callable[[Seen], None] = lambda _seen: None,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> list[Observation]:
    """Sample pixels of every labelled view and compute their blending weights.

    Args:
        backend: rasterizer.
        splat: the Gaussians.
        views: V views at the size of their label maps.
        label_maps: V arrays (H, W), 0 = unlabelled; None or all 0 where a view has no masks.
        part_maps: the same of finer label maps, if there are any.
        answers: V times what the mask model answered, None where that is not known.
        fraction: share of each view's pixels; `sampled_fraction` of the labelled views if None.
        minimum_weight: blending weights at or below it are left out.
        surfaces: look for the surface of views with answers, too, which takes as long again.
        seed: of the pixels drawn.
        ranks: processes that do this together, each with views of its own.
        earlier: what the first labelled views show, where an earlier call with the same arguments
            has got as far; of one process alone.
        on_seen: is given what each further one shows.
        report: progress.
        should_stop: asked between views; by all processes, if there are several.

    Returns:
        One observation for each view that has any label.

    Raises:
        Interrupted: when `should_stop` says so.
        ValueError: a label map has another size than its view.
    """
    import torch

    labelled = [
        _LabelledView(
            view, np.asarray(labels), None if parts is None or not np.any(parts) else parts, answer
        )
        for view, labels, parts, answer in zip(
            views,
            label_maps,
            part_maps or [None] * len(views),
            answers or [None] * len(views),
            strict=True,
        )
        if labels is not None and np.any(labels)
    ]
    if fraction is None:
        fraction = sampled_fraction(one.view for one in labelled)
    generator = np.random.default_rng(seed)

    def draw(one: _LabelledView) -> NDArray[np.int64]:
        pixels = one.view.camera.width * one.view.camera.height
        count = max(1, round(fraction * pixels))
        return np.sort(generator.choice(pixels, count, replace=False)).astype(np.int64)

    def look(
        backend: Backend, sampled: tuple[_LabelledView, NDArray[np.int64]]
    ) -> tuple[Seen, Observation]:
        one, pixels = sampled
        blending = backend.blending_weights(
            splat, one.view, torch.from_numpy(pixels).to(backend.device), minimum=minimum_weight
        )
        surface = None
        if surfaces and one.answered is not None:
            surface = _surface(backend, splat, one.view, pixels)
        return (blending, surface), one.observation(pixels, (blending, surface))

    before = len(earlier)
    observations = [
        one.observation(draw(one), seen) for one, seen in zip(labelled, earlier, strict=False)
    ]
    at_once = ViewsAtOnce(backend, ranks)
    for views_now in track_groups(
        labelled[before:], at_once.count, LOOKING_AT_MASKS, report, should_stop, before=before
    ):
        # Whoever looks at a view, everybody draws its pixels: all that follow are then the same.
        for seen, observation in at_once.each(look, [(one, draw(one)) for one in views_now]):
            on_seen(seen)
            observations.append(observation)
    return in_order(ranks.gather(observations))


@dataclass(frozen=True, eq=False)
class _LabelledView:
    """A view and what is known about its photo."""

    view: View
    labels: NDArray[np.int32]
    """(H, W) 0 = unlabelled."""
    parts: NDArray[np.int32] | None
    """(H, W) likewise."""
    answered: AnsweredView | None

    def __post_init__(self) -> None:
        camera = self.view.camera
        for one in (self.labels, self.parts):
            if one is not None and one.shape != (camera.height, camera.width):
                raise ValueError(
                    f"label map of {self.view.name} is {one.shape[1]}×{one.shape[0]}, "
                    f"the view {camera.width}×{camera.height}."
                )

    def observation(self, pixels: NDArray[np.int64], seen: Seen) -> Observation:
        """Return what is known about pixels (P,), row · width + column, where that is seen."""
        blending, surface = seen
        labels, parts, answered = self.labels, self.parts, self.answered
        observation = Observation(
            blending,
            labels.reshape(-1)[pixels].astype(np.int32),
            labels.size / len(pixels),
            None if parts is None else parts.reshape(-1)[pixels].astype(np.int32),
        )
        if answered is None:
            return observation
        cells = answered.cells().reshape(-1)[pixels].astype(np.int32)
        return replace(observation, answers=answered.answers, cells=cells, surface=surface)


def _surface(
    backend: Backend, splat: SplatTensors, view: View, pixels: NDArray[np.int64]
) -> Surface:
    import torch

    with torch.no_grad():
        drawn = backend.render(splat, view, sh_degree=0, depth=True)
    assert drawn.depth is not None
    return surface_of(drawn.depth.cpu().numpy(), drawn.alpha.cpu().numpy(), view, pixels)
