# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats as bundled SOG files of version 2: about a fifteenth of a PLY, made for the web."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..files import replacing
from ..progress import Reporter, ShouldStop, never, silent, track
from . import rotations
from .codebook import codebook, nearest, palette
from .gaussians import Gaussians
from .morton import morton_order
from .pictures import PictureCodec
from .select import subset
from .sog import COEFFICIENTS, ENTRIES, FIRST_MODE, META, PALETTE_COLUMNS, VERSION

WRITING = "Writing SOG"
LARGEST_PALETTE = 1 << 16
"""Entries; an index has 16 bits."""
SHARING = 4
"""Gaussians that share an entry of the palette, where there are enough of them."""
SMALL = 1 << 12
"""Entries of the palette that are worth their room in any file."""


def write_sog(
    path: Path,
    gaussians: Gaussians,
    codec: PictureCodec,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> None:
    """Write a splat in COLMAP's axes, whole or not at all; features and segments stay out.

    Gaussians are put into the order in which they lie in space, as neighbours pack well. Which
    axes the format has: see `sog`.

    Args:
        path: the file.
        gaussians: N > 0 Gaussians of finite numbers.
        codec: writes the pictures.
        report: takes the progress.
        should_stop: asked before each picture.

    Raises:
        CgcError: the file cannot be written.
        Interrupted: `should_stop` said so; nothing is left behind.
    """
    gaussians = subset(gaussians, morton_order(gaussians.means))
    count = len(gaussians)
    logarithms = np.sign(gaussians.means) * np.log1p(np.abs(gaussians.means.astype(np.float64)))
    least, most = logarithms.min(axis=0), logarithms.max(axis=0)
    spans = np.where(most > least, most - least, 1.0)
    fine = np.round((logarithms - least) / spans * 65535).astype(np.uint16)
    scales = codebook(gaussians.log_scales, ENTRIES)
    colors = codebook(gaussians.sh[:, 0], ENTRIES)
    base = np.empty((count, 4), np.uint8)
    base[:, :3] = nearest(gaussians.sh[:, 0], colors)
    base[:, 3] = np.round(gaussians.opacities * 255)
    pictures = {
        "means_l.webp": _picture(fine & 0xFF),
        "means_u.webp": _picture(fine >> 8),
        "scales.webp": _picture(nearest(gaussians.log_scales, scales)),
        "quats.webp": _picture(_rotations(gaussians.quats)),
        "sh0.webp": _picture(base),
    }
    meta: dict[str, object] = {
        "version": VERSION,
        "count": count,
        "antialias": False,
        "means": {
            "mins": least.tolist(),
            "maxs": most.tolist(),
            "files": ["means_l.webp", "means_u.webp"],
        },
        "scales": {"codebook": scales.tolist(), "files": ["scales.webp"]},
        "quats": {"files": ["quats.webp"]},
        "sh0": {"codebook": colors.tolist(), "files": ["sh0.webp"]},
    }
    if gaussians.sh_degree:
        meta["shN"], harmonics = _harmonics(gaussians)
        pictures |= harmonics
    with (
        replacing(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive,
    ):
        archive.writestr(META, json.dumps(meta, separators=(",", ":")))
        for name, pixels in track(list(pictures.items()), WRITING, report, should_stop):
            archive.writestr(name, codec.encode(pixels))


def _picture(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Return rows (N, up to 4) as pixels (H, W, 4) of a picture about as wide as high."""
    count, channels = values.shape
    width = -(-int(np.ceil(np.sqrt(count))) // 4) * 4
    height = -(-count // width)
    pixels = np.zeros((height * width, 4), np.uint8)
    pixels[:, 3] = 255
    pixels[:count, :channels] = values
    return pixels.reshape(height, width, 4)


def _rotations(quats: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return pixels (N, 4) of quaternions (N, 4) wxyz: see `sog`."""
    units, rows = rotations.normalised(quats), np.arange(len(quats))
    largest = np.argmax(np.abs(units), axis=1)
    positive = units * np.where(units[rows, largest] < 0, -1, 1)[:, None]
    others = positive[np.arange(4) != largest[:, None]].reshape(-1, 3)
    pixels = np.empty((len(quats), 4), np.uint8)
    pixels[:, :3] = np.round((others * 0.5**0.5 + 0.5) * 255)
    pixels[:, 3] = FIRST_MODE + largest
    return pixels


def _harmonics(gaussians: Gaussians) -> tuple[dict[str, object], dict[str, NDArray[np.uint8]]]:
    """Return what the description says of the higher harmonics, and their two pictures."""
    degree, count = gaussians.sh_degree, len(gaussians)
    size = min(LARGEST_PALETTE, max(SMALL, count // SHARING))
    entries, labels = palette(gaussians.sh[:, 1:].reshape(count, -1), size)
    values = codebook(entries, ENTRIES)
    rows = -(-len(entries) // PALETTE_COLUMNS)
    pixels = np.zeros((rows * PALETTE_COLUMNS, COEFFICIENTS[degree], 4), np.uint8)
    pixels[..., 3] = 255
    pixels[: len(entries), :, :3] = nearest(entries, values).reshape(len(entries), -1, 3)
    names = ["shN_centroids.webp", "shN_labels.webp"]
    meta = {"count": len(entries), "bands": degree, "codebook": values.tolist(), "files": names}
    bytes_of_labels = np.stack([labels & 0xFF, labels >> 8], axis=1)
    return meta, {names[0]: pixels.reshape(rows, -1, 4), names[1]: _picture(bytes_of_labels)}
