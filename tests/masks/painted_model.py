# SPDX-License-Identifier: GPL-3.0-or-later
"""A mask model for tests that sees exactly: photos in which every thing has a colour of its own."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cgc_addon.masks.models.interface import Candidates, Embedding

SURE, UNSURE = 0.97, 0.2


@dataclass
class PaintedModel:
    """Answers a point with the area of one colour, and with the object that it is part of.

    The red channel is the object, the green one the part of it, 0 = nothing that can be found.
    """

    name: str = "painted"
    photos_at_once: int = 2
    asked: list[NDArray[np.floating]] = field(default_factory=list)
    """Points of each call."""

    def embed(self, photo: NDArray[np.uint8]) -> Embedding:
        return Embedding(photo.shape[1], photo.shape[0], photo)

    def decode(self, embedding: Embedding, points: NDArray[np.floating]) -> Candidates:
        self.asked.append(np.array(points))
        columns, rows = embedding.logit_size
        photo = embedding.features
        y = ((np.arange(rows) + 0.5) * embedding.height / rows).astype(int)
        x = ((np.arange(columns) + 0.5) * embedding.width / columns).astype(int)
        small = photo[y[:, None], x[None, :]]
        logits = np.full((len(points), 3, rows, columns), -8, np.float32)
        scores = np.full((len(points), 3), UNSURE, np.float32)
        for number, (left, top) in enumerate(points):
            thing, part = photo[int(top), int(left), :2]
            if thing == 0:
                continue
            whole = small[..., 0] == thing
            logits[number, 1, whole & (small[..., 1] == part)] = 8
            logits[number, 2, whole] = 8
            scores[number, 1:] = SURE - 0.02, SURE
        return Candidates(logits, scores)


def painted_photo(width: int = 96, height: int = 64, ground: int = 0) -> NDArray[np.uint8]:
    """Return a photo (H, W, 3): a box of two halves, a ball and a bead on a ground, 0 = nothing."""
    photo = np.zeros((height, width, 3), np.uint8)
    photo[..., 0] = ground
    photo[8:30, 8:24, :2] = (100, 10)
    photo[8:30, 24:40, :2] = (100, 20)
    rows, columns = np.mgrid[:height, :width]
    photo[np.hypot(rows - 44, columns - 70) < 12, :2] = (150, 10)
    photo[50:58, 16:24, :2] = (200, 10)
    return photo
