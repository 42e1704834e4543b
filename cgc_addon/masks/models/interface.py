# SPDX-License-Identifier: GPL-3.0-or-later
"""What every promptable mask model can do: look at a photo once, then answer points on it.

Segment Anything (arXiv 2304.02643) and its relatives share this shape: a slow image encoder, and a
fast decoder that answers each point with three masks, from the part under it to the whole object.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

MASKS_PER_POINT = 3
"""Sub-part, part and whole, in the order of the models' outputs."""
LOGIT_SIDE = 256
"""Longest side of the decoder's masks, px."""


@dataclass(frozen=True, eq=False)
class Embedding:
    """A photo as the decoder sees it."""

    width: int
    height: int
    """Of the photo, px."""
    features: Any
    """What the model's own decoder takes."""

    @property
    def logit_size(self) -> tuple[int, int]:
        """Width and height of the decoder's masks without padding: the longer is `LOGIT_SIDE`."""
        scale = LOGIT_SIDE / max(self.width, self.height)
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))


@dataclass(frozen=True, eq=False)
class Candidates:
    """Masks that answer B points, three each."""

    logits: NDArray[np.float32]
    """(B, 3, h, w) > 0 inside a mask; they cover just the photo, see `Embedding.logit_size`."""
    scores: NDArray[np.float32]
    """(B, 3) the model's own estimate of each mask's IoU."""


@dataclass(frozen=True, eq=False)
class Prompt:
    """What is asked for in one photo, px; the first pixel has its centre at 0.5."""

    points: NDArray[np.float32]
    """(P, 2) x, y."""
    positive: NDArray[np.bool_]
    """(P,) whether each is on the thing, or beside it."""
    box: NDArray[np.float32] | None = None
    """(4,) left, top, right, bottom around the thing."""


class MaskModel(Protocol):
    """One set of weights, ready to be asked."""

    @property
    def name(self) -> str:
        """What a person calls it: "MobileSAM", "SAM ViT-B"."""
        ...

    @property
    def photos_at_once(self) -> int:
        """How many threads may use it at the same time, each for a photo of its own."""
        ...

    def embed(self, photo: NDArray[np.uint8]) -> Embedding:
        """Look at a photo (H, W, 3) sRGB; the slow part, once per photo."""
        ...

    def decode(self, embedding: Embedding, points: NDArray[np.floating]) -> Candidates:
        """Answer points (B, 2): x, y in px of the photo; the first pixel has its centre at 0.5."""
        ...

    def decode_prompt(self, embedding: Embedding, prompt: Prompt) -> Candidates:
        """Answer points and a box that are all about one thing, of which there is one at least.

        Returns:
            (1, 4, h, w) and (1, 4): what is meant for several points or a box, then the three of
            `decode`.
        """
        ...
