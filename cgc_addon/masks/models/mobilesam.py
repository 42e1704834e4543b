# SPDX-License-Identifier: GPL-3.0-or-later
"""MobileSAM (arXiv 2306.14289) as a pair of ONNX files, run by ONNX Runtime: no PyTorch needed.

Decoders exported for interactive tools answer one click with the one best mask, at the photo's
size. What making masks needs lies inside the same graph: all masks of a point, small, and for many
points at once. So the graph is cut there when it is opened, see `decoder_graph`; the encoder is
written anew, too, see `encoder_graph`. Both look at little of what pads photos to a square, see
`padding`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ...errors import CgcError
from .decoder_graph import (
    COLUMNS_INPUT,
    MASKS_OUTPUT,
    PLACES_INPUT,
    ROWS_INPUT,
    SCORES_OUTPUT,
    SHARES_INPUT,
    TOKENS_INPUT,
    many_points_decoder,
)
from .encoder_graph import PICTURE_INPUT, any_shape_encoder
from .exported import first_line
from .interface import MASKS_PER_POINT, Candidates, Embedding, Prompt
from .padding import ShownTokens, shown_tokens
from .windows import window_places

INPUT_SIDE = 1024
"""Of the square that photos fill from its upper left corner, px."""
TOKEN_SIDE = 16
"""Of the part of it that a token stands for, px."""
MEAN = np.array([123.675, 116.28, 103.53], np.float32)
DEVIATION = np.array([58.395, 57.12, 57.375], np.float32)
"""Of ImageNet's sRGB values, as Segment Anything normalises them."""
MOST_PHOTOS_AT_ONCE = 4
"""Each takes 500 to 700 MB while its points are answered."""
FOREGROUND, BACKGROUND, PADDING = 1.0, 0.0, -1.0
"""Labels of points; a prompt without a box ends with one padding point, as in training."""
BOX_CORNER, OPPOSITE_CORNER = 2.0, 3.0
"""Labels of the two points that stand for a box."""


@dataclass(frozen=True, eq=False)
class PhotoTokens:
    """What the decoder takes of a photo."""

    values: NDArray[np.float32]
    """(T, 256)."""
    shown: ShownTokens
    """Which they are."""


class MobileSam:
    """The pair of files, opened."""

    name = "MobileSAM"
    photos_at_once: int
    """Two threads on two photos get more done than two threads on one."""

    def __init__(self, encoder: Path, decoder: Path, threads: int | None = None) -> None:
        """Open both files.

        Args:
            encoder: `encoder.onnx`, photo to embedding.
            decoder: `sam.onnx`, embedding and points to masks.
            threads: processor threads in all, None = one for each core.

        Raises:
            CgcError: a file is missing, damaged, or another model.
        """
        threads = threads or os.cpu_count() or 1
        self.photos_at_once = min(threads, MOST_PHOTOS_AT_ONCE)
        threads //= self.photos_at_once
        self._encoder = _session(encoder, any_shape_encoder(encoder), threads)
        self._decoder = _session(decoder, many_points_decoder(decoder), threads)
        self._grey = self._encode(np.zeros((1, 3, INPUT_SIDE, INPUT_SIDE), np.float32))

    def embed(self, photo: NDArray[np.uint8]) -> Embedding:
        """Look at a photo (H, W, 3) sRGB."""
        height, width = photo.shape[:2]
        scale = INPUT_SIDE / max(width, height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        resized = np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BILINEAR))
        shown = shown_tokens(-(-size[1] // TOKEN_SIDE), -(-size[0] // TOKEN_SIDE))
        sides = shown.seen_rows * TOKEN_SIDE, shown.seen_columns * TOKEN_SIDE
        padded = np.zeros((1, 3, *sides), np.float32)
        normal = (resized.astype(np.float32) - MEAN) / DEVIATION
        padded[0, :, : size[1], : size[0]] = normal.transpose(2, 0, 1)
        tokens = np.concatenate([self._encode(padded), self._grey])
        return Embedding(width, height, PhotoTokens(tokens[shown.sources], shown))

    def decode(self, embedding: Embedding, points: NDArray[np.floating]) -> Candidates:
        """Answer points (B, 2): x, y in px of the photo; the first pixel has its centre at 0.5."""
        columns, rows = embedding.logit_size
        count = len(points)
        if count == 0:
            return Candidates(
                np.zeros((0, MASKS_PER_POINT, rows, columns), np.float32),
                np.zeros((0, MASKS_PER_POINT), np.float32),
            )
        coordinates = np.zeros((count, 2, 2), np.float32)
        coordinates[:, 0] = self._in_input(embedding, points)
        labels = np.tile(np.array([FOREGROUND, PADDING], np.float32), (count, 1))
        logits, scores = self._answer(embedding, coordinates, labels)
        return Candidates(np.ascontiguousarray(logits[:, 1:]), np.ascontiguousarray(scores[:, 1:]))

    def decode_prompt(self, embedding: Embedding, prompt: Prompt) -> Candidates:
        """Answer points and a box that are all about one thing."""
        places, labels = [prompt.points], np.where(prompt.positive, FOREGROUND, BACKGROUND)
        ends = (PADDING,) if prompt.box is None else (BOX_CORNER, OPPOSITE_CORNER)
        if prompt.box is not None:
            places.append(np.asarray(prompt.box, np.float32).reshape(2, 2))
        coordinates = self._in_input(embedding, np.concatenate(places))
        if prompt.box is None:
            coordinates = np.concatenate([coordinates, np.zeros((1, 2), np.float32)])
        labels = np.concatenate([labels, ends]).astype(np.float32)
        logits, scores = self._answer(embedding, coordinates[None], labels[None])
        return Candidates(np.ascontiguousarray(logits), np.ascontiguousarray(scores))

    def _in_input(self, embedding: Embedding, points: NDArray[np.floating]) -> NDArray[np.float32]:
        scale = INPUT_SIDE / max(embedding.width, embedding.height)
        # The encoder's positions count from the first pixel's centre, and so did its training.
        return (np.asarray(points, np.float32) * scale - 0.5).astype(np.float32)

    def _answer(
        self,
        embedding: Embedding,
        coordinates: NDArray[np.float32],
        labels: NDArray[np.float32],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return logits (B, 4, h, w) without padding, and scores (B, 4)."""
        columns, rows = embedding.logit_size
        photo: PhotoTokens = embedding.features
        answers = self._decoder.run(
            [MASKS_OUTPUT, SCORES_OUTPUT],
            {
                TOKENS_INPUT: photo.values,
                PLACES_INPUT: photo.shown.places,
                SHARES_INPUT: photo.shown.shares,
                "point_coords": coordinates,
                "point_labels": labels,
                ROWS_INPUT: np.array([photo.shown.rows], np.int64),
                COLUMNS_INPUT: np.array([photo.shown.columns], np.int64),
            },
        )
        logits, scores = (cast("NDArray[np.float32]", answer) for answer in answers)
        masks = 1 + MASKS_PER_POINT
        return logits[:, :masks, :rows, :columns], scores[:, :masks]

    def _encode(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the tokens (rows · columns, 256) of a picture (1, 3, 16 · rows, 16 · columns)."""
        rows, columns = (side // TOKEN_SIDE for side in picture.shape[2:])
        (tokens,) = self._encoder.run(
            None, {PICTURE_INPUT: picture, **window_places(rows, columns)}
        )
        return tokens


def _session(path: Path, model: Any, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Waiting threads must not take the cores from the threads that have work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own classes, one for each kind of damage
        raise CgcError(
            f"{path} could not be opened as an ONNX model: {first_line(error)}; "
            "the file is damaged or another one, download the mask model again."
        ) from error
