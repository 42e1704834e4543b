# SPDX-License-Identifier: GPL-3.0-or-later
"""One picture that shows what a run has learned: a row for each held-out view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ..cgc.counting import count_pairs
from ..cgc.segments import distinct_colors, read_segments
from ..dataset.load import Dataset
from ..files import replacing
from ..rasterize.interface import Backend
from ..training.run_folder import RunFolder
from .feature_colors import fit_feature_colors
from .pictures import to_bytes
from .renders import draw
from .sources import read_splat

BACKGROUND = (24, 24, 27)
INK = (228, 228, 231)
FAINT = (150, 150, 158)
MARGIN = 20
GAP = 6
HEAD = 76
UNDER_LABELS = 0.3
"""How much of the photo shines through the colours of the segments."""


@dataclass(frozen=True, eq=False)
class Row:
    """Pictures of one view, all of one size."""

    name: str
    pictures: tuple[NDArray[np.uint8], ...]
    """(H, W, 3) each, in the order of the column titles."""


def write_contact_sheet(
    path: Path,
    folder: RunFolder,
    dataset: Dataset,
    backend: Backend,
    *,
    title: str,
    subtitle: str,
    rows: int = 4,
) -> None:
    """Draw photo, render, features, segments and, where there is any, ground truth of some views.

    Args:
        path: PNG to write.
        folder: a run with features and segments.
        dataset: that it was trained on; its held-out views are shown, or all where none is.
        backend: rasterizer.
        title: first line.
        subtitle: second line.
        rows: how many views, spread evenly.
    """
    gaussians = read_splat(folder)
    assert gaussians.features is not None
    palette = read_segments(folder.segments).palette()
    opacities = 1.0 / (1.0 + np.exp(-gaussians.logit_opacities))
    to_colors = fit_feature_colors(gaussians.features, opacities)
    candidates = dataset.test or dataset.train
    spread = np.linspace(0, len(candidates) - 1, min(rows, len(candidates))).round().astype(int)
    indices = [candidates[place] for place in spread]
    views = [dataset.store.view(index, 0) for index in indices]
    titles = ["photo (held out)" if dataset.test else "photo", "render", "features", "segments"]
    if any(dataset.store.truth(index) is not None for index in indices):
        titles.append("ground truth")
    drawn_views = list(draw(gaussians, views, ("rgb", "features", "labels"), backend))
    truths = [dataset.store.truth(index) for index in indices]
    truth_colors = _truth_colors(
        [
            (truth, drawn.labels)
            for truth, drawn in zip(truths, drawn_views, strict=True)
            if truth is not None and drawn.labels is not None
        ],
        palette,
    )
    sheet = []
    for index, drawn, truth in zip(indices, drawn_views, truths, strict=True):
        assert drawn.rgb is not None
        assert drawn.features is not None
        assert drawn.labels is not None
        photo = dataset.store.photo(index, 0)
        render = to_bytes(drawn.rgb)
        pictures = [
            photo,
            render,
            to_colors(drawn.features),
            _tint(palette[drawn.labels], render, drawn.labels > 0),
        ]
        if truth is not None:
            pictures.append(_tint(truth_colors[truth], photo, truth > 0))
        elif len(titles) == 5:
            pictures.append(np.zeros_like(photo))
        sheet.append(Row(drawn.view.name, tuple(pictures)))
    with replacing(path) as temporary:
        _compose(title, subtitle, titles, sheet).save(temporary, format="PNG")


def _truth_colors(
    pairs: Sequence[tuple[NDArray[np.int32], NDArray[np.int32]]], palette: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """Return a colour for each true id: that of the segment which covers most of the object.

    Args:
        pairs: true and found ids (H, W) of each view.
        palette: (K + 1, 3) colours of the found segments.

    Returns:
        (highest true id + 1, 3); objects that nothing covers get colours of their own.
    """
    highest = max((int(truth.max()) for truth, _ in pairs), default=0)
    votes = np.zeros((highest + 1, len(palette)), np.int64)
    for truth, found in pairs:
        votes += count_pairs(truth, found, (highest + 1, len(palette)))
    votes[:, 0] = 0
    colors = np.vstack([np.zeros((1, 3), np.uint8), distinct_colors(highest)])
    found_at_all = votes.max(axis=1, initial=0) > 0
    colors[found_at_all] = palette[votes[found_at_all].argmax(axis=1)]
    return colors


def _tint(
    colors: NDArray[np.uint8], photo: NDArray[np.uint8], shown: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Lay colours over the brightness of a photo; where nothing is shown, only that, darker."""
    brightness = photo.astype(np.float32).mean(axis=2, keepdims=True)
    mixed = (1.0 - UNDER_LABELS) * colors + UNDER_LABELS * brightness
    return np.where(shown[..., None], mixed, 0.35 * brightness).astype(np.uint8)


def _compose(title: str, subtitle: str, titles: Sequence[str], rows: Sequence[Row]) -> Image.Image:
    height, width = rows[0].pictures[0].shape[:2]
    sheet = Image.new(
        "RGB",
        (
            2 * MARGIN + len(titles) * (width + GAP) - GAP,
            HEAD + 34 + len(rows) * (height + GAP) - GAP + MARGIN,
        ),
        BACKGROUND,
    )
    pen = ImageDraw.Draw(sheet)
    pen.text((MARGIN, 14), title, fill=INK, font=ImageFont.load_default(26))
    pen.text((MARGIN, 50), subtitle, fill=FAINT, font=ImageFont.load_default(16))
    for column, text in enumerate(titles):
        left = MARGIN + column * (width + GAP)
        pen.text((left, HEAD + 8), text, fill=FAINT, font=ImageFont.load_default(16))
        for line, row in enumerate(rows):
            top = HEAD + 34 + line * (height + GAP)
            sheet.paste(Image.fromarray(row.pictures[column]).resize((width, height)), (left, top))
    return sheet
