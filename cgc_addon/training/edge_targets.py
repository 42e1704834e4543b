# SPDX-License-Identifier: GPL-3.0-or-later
"""Which segment each pixel of each photo should show, for edges to be sharpened by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from ..cgc.edges import segment_targets, targets_by_answers, touching_pixels
from ..cgc.observations import AnsweredView
from ..dataset.load import Dataset
from ..progress import Reporter, ShouldStop, track_groups
from ..ranks import Ranks, in_order
from ..rasterize.interface import Backend, SplatTensors
from ..rasterize.views_at_once import ViewsAtOnce
from ..splats.gaussians import Gaussians
from .parameters import splat_of
from .stage_state import WORTH_KEEPING, StageState, State

READING_EDGES = "Reading edges"
"""Stage of the progress."""

Answered = Callable[[int], AnsweredView | None]
"""What is asked about the photo of an index, when its turn comes."""


def edge_targets(
    gaussians: Gaussians,
    labels: torch.Tensor,
    dataset: Dataset,
    backend: Backend,
    kept: StageState | None,
    answered: Answered,
    ranks: Ranks,
    report: Reporter,
    should_stop: ShouldStop,
) -> tuple[dict[int, torch.Tensor], NDArray[np.int64]]:
    """Read what the masks of each training photo say about the segments.

    Args:
        gaussians: N Gaussians.
        labels: (N,) int32, segment of each, 0 = none; K is the highest.
        dataset: photos and masks; only `dataset.train` is used.
        backend: rasterizer.
        kept: keeps how far it is; of one process alone.
        answered: gives what the mask model answered about a photo, where that counts.
        ranks: processes that do this together, each with photos of its own.
        report: progress.
        should_stop: asked between photos; by all processes, if there are several.

    Returns:
        By index of the photo, if it has masks, the segment that each pixel (H · W,) should show,
        see `segment_targets`; and how far each two segments touch (K + 1, K + 1).

    Raises:
        Interrupted: `should_stop` said so.
    """
    count = int(labels.max()) if len(labels) else 0
    reading = _Reading(np.zeros((count + 1, count + 1), np.int64))
    splat: SplatTensors = splat_of(gaussians, backend.device)
    at_once = ViewsAtOnce(backend, ranks)

    def look(backend: Backend, index: int) -> _ReadPhoto | None:
        masks = dataset.store.masks(index)
        if masks is None:
            return None
        drawn, _ = backend.render_labels(splat, dataset.store.view(index), labels)
        shown = drawn.cpu().numpy()
        answers = answered(index)
        if answers is None:
            pixels = segment_targets(shown, masks)
        else:
            pixels = targets_by_answers(shown, masks, answers)
        return _ReadPhoto(index, touching_pixels(shown, count), pixels.reshape(-1).astype(np.int16))

    def read(pause: Callable[[], None]) -> None:
        for now in track_groups(
            dataset.train[reading.done :], at_once.count, READING_EDGES, report, should_stop,
            before=reading.done,
        ):  # fmt: skip
            for photo in at_once.each(look, now):
                if photo is not None:
                    reading.add(photo)
                reading.done += 1
                pause()

    if kept is None:
        read(lambda: None)
    else:
        kept.run(reading, read, keep_end=WORTH_KEEPING)
    found = in_order(ranks.gather(reading.found))
    targets = {index: torch.from_numpy(pixels) for index, pixels in found}
    return targets, np.sum(ranks.gather(reading.touching), axis=0)


@dataclass(frozen=True, eq=False)
class _ReadPhoto:
    """One photo that was read."""

    index: int
    touching: NDArray[np.int64]
    """(K + 1, K + 1) see `touching_pixels`."""
    targets: NDArray[np.int16]
    """(H · W,) which segment each pixel should show."""


@dataclass
class _Reading:
    """So many photos were read; what pixels of which should show, and what touches."""

    touching: NDArray[np.int64]
    found: list[tuple[int, NDArray[np.int16]]] = field(default_factory=list)
    done: int = 0

    def add(self, photo: _ReadPhoto) -> None:
        self.touching += photo.touching
        self.found.append((photo.index, photo.targets))

    def state(self) -> State:
        tensors = {str(index): torch.from_numpy(pixels) for index, pixels in self.found}
        tensors["touching"] = torch.from_numpy(self.touching)
        return tensors, {"step": self.done, "photos": [index for index, _ in self.found]}

    def restore(self, state: State) -> None:
        tensors, values = state
        self.touching = tensors["touching"].numpy()
        self.found = [(index, tensors[str(index)].numpy()) for index in values["photos"]]
        self.done = int(values["step"])
