# SPDX-License-Identifier: GPL-3.0-or-later
"""Official checkpoints of Segment Anything (ViT-B, L and H) as a mask model, on CPU or CUDA."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from .interface import MASKS_PER_POINT, Candidates, Embedding, Prompt
from .segment_anything_checkpoint import build, read_checkpoint, recognise

POINTS_AT_ONCE = 32
"""Points that the decoder answers together: more gains no speed and takes memory."""
_MEAN = np.array([123.675, 116.28, 103.53], np.float32)
_DEVIATION = np.array([58.395, 57.12, 57.375], np.float32)
"""Of the colours in ImageNet, R, G, B of 255: what the image encoders were trained with."""


class SegmentAnything:
    """A Segment Anything network with its weights."""

    def __init__(
        self, checkpoint: Path, *, device: str | None = None, threads: int | None = None
    ) -> None:
        """Read a checkpoint.

        Args:
            checkpoint: its type is told by its tensors, whatever its name.
            device: PyTorch's name; None for a CUDA card where there is one.
            threads: of the CPU, for all of PyTorch; None leaves them.

        Raises:
            CgcError: it is damaged, or no checkpoint of Segment Anything.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        state = read_checkpoint(checkpoint)
        self._sizes = recognise(checkpoint, state)
        self._network = build(checkpoint, state, self._sizes).to(self._device)

    @property
    def photos_at_once(self) -> int:
        """One: PyTorch shares each operation between all threads already."""
        return 1

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self._sizes.name

    def embed(self, photo: NDArray[np.uint8]) -> Embedding:
        """Look at a photo (H, W, 3) sRGB; the slow part, once per photo."""
        height, width = photo.shape[:2]
        side = self._sizes.side
        shown = _size_within(width, height, side)
        resized = Image.fromarray(photo).resize(shown, Image.Resampling.BILINEAR)
        padded = np.zeros((1, 3, side, side), np.float32)
        colors = (np.asarray(resized, np.float32) - _MEAN) / _DEVIATION
        padded[0, :, : shown[1], : shown[0]] = colors.transpose(2, 0, 1)
        with torch.inference_mode():
            image = torch.from_numpy(padded).to(self._device)
            return Embedding(width, height, self._network["image_encoder"](image))

    def decode(self, embedding: Embedding, points: NDArray[np.floating]) -> Candidates:
        """Answer points (B, 2): x, y in px of the photo; the first pixel has its centre at 0.5."""
        width, height = embedding.logit_size
        count = len(points)
        logits = np.empty((count, MASKS_PER_POINT, height, width), np.float32)
        scores = np.empty((count, MASKS_PER_POINT), np.float32)
        for start in range(0, count, POINTS_AT_ONCE):
            part = slice(start, min(start + POINTS_AT_ONCE, count))
            masks, quality = self._answer(embedding, np.asarray(points[part], np.float32))
            logits[part] = masks[..., :height, :width].cpu().numpy()
            scores[part] = quality.cpu().numpy()
        return Candidates(logits, scores)

    @torch.inference_mode()
    def decode_prompt(self, embedding: Embedding, prompt: Prompt) -> Candidates:
        """Answer points and a box that are all about one thing."""
        width, height = embedding.logit_size
        points = boxes = None
        if len(prompt.points):
            labels = torch.from_numpy(prompt.positive.astype(np.float32))[None].to(self._device)
            points = (self._in_input(embedding, prompt.points)[None], labels)
        if prompt.box is not None:
            corners = np.asarray(prompt.box, np.float32).reshape(2, 2)
            boxes = self._in_input(embedding, corners).reshape(1, 4)
        prompts, decoder = self._network["prompt_encoder"], self._network["mask_decoder"]
        sparse, dense = prompts(points=points, boxes=boxes, masks=None)
        masks, quality = decoder.predict_masks(
            image_embeddings=embedding.features,
            image_pe=prompts.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
        )
        logits = masks[..., :height, :width].cpu().numpy()
        return Candidates(np.ascontiguousarray(logits), quality.cpu().numpy())

    def _in_input(self, embedding: Embedding, points: NDArray[np.floating]) -> torch.Tensor:
        """Return points (P, 2) as the prompt encoder counts them."""
        shown = _size_within(embedding.width, embedding.height, self._sizes.side)
        scale = np.array([shown[0] / embedding.width, shown[1] / embedding.height], np.float32)
        # It counts from the centre of the first pixel and adds the half itself.
        places = (np.asarray(points, np.float32) * scale - 0.5).astype(np.float32)
        return torch.from_numpy(places).to(self._device)

    @torch.inference_mode()
    def _answer(
        self, embedding: Embedding, points: NDArray[np.float32]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        places = self._in_input(embedding, points)[:, None]
        prompts, decoder = self._network["prompt_encoder"], self._network["mask_decoder"]
        labels = torch.ones(places.shape[:2], device=self._device)
        sparse, dense = prompts(points=(places, labels), boxes=None, masks=None)
        return decoder(
            image_embeddings=embedding.features,
            image_pe=prompts.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )


def _size_within(width: int, height: int, side: int) -> tuple[int, int]:
    """Return (width, height) resized so that the longer side is `side`, as at training."""
    scale = side / max(width, height)
    return max(1, int(width * scale + 0.5)), max(1, int(height * scale + 0.5))
