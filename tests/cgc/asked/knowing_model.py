# SPDX-License-Identifier: GPL-3.0-or-later
"""A mask model for tests that knows the true objects of the photos it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cgc_addon.dataset.load import Dataset
from cgc_addon.masks.models.interface import Candidates, Embedding, Prompt


@dataclass
class KnowingModel:
    """Answers a prompt with the true object under most of its points, or in its box."""

    photos: Sequence[NDArray[np.uint8]]
    truths: Sequence[NDArray[np.integer]]
    name: str = "knowing"
    photos_at_once: int = 1
    asked: list[Prompt] = field(default_factory=list)
    blind: set[int] = field(default_factory=set)
    """Places of photos in which it answers something else."""

    def embed(self, photo: NDArray[np.uint8]) -> Embedding:
        place = next(i for i, one in enumerate(self.photos) if np.array_equal(one, photo))
        return Embedding(photo.shape[1], photo.shape[0], place)

    def decode(self, embedding: Embedding, points: NDArray[np.floating]) -> Candidates:
        raise NotImplementedError

    def decode_prompt(self, embedding: Embedding, prompt: Prompt) -> Candidates:
        self.asked.append(prompt)
        truth = self.truths[embedding.features]
        if len(prompt.points):
            columns, rows = np.floor(prompt.points[prompt.positive]).astype(int).T
            ids = truth[rows, columns]
        else:
            assert prompt.box is not None
            left, top, right, bottom = prompt.box.astype(int)
            inside = truth[top:bottom, left:right]
            ids = inside[inside > 0]
        thing = int(np.bincount(ids).argmax())
        mask = truth == thing
        if embedding.features in self.blind:
            mask = ~mask
        width, height = embedding.logit_size
        rows = ((np.arange(height) + 0.5) * truth.shape[0] / height).astype(int)
        columns = ((np.arange(width) + 0.5) * truth.shape[1] / width).astype(int)
        logits = np.where(mask[rows[:, None], columns], 8, -8).astype(np.float32)
        return Candidates(np.tile(logits, (1, 4, 1, 1)), np.full((1, 4), 0.9, np.float32))


def knowing_model(dataset: Dataset) -> KnowingModel:
    """Return one that knows the ground truth of a dataset."""
    store = dataset.store
    truths = [store.truth(index) for index in range(len(store))]
    return KnowingModel(
        [store.photo(index) for index in range(len(store))],
        [np.asarray(truth) for truth in truths],
    )
