# SPDX-License-Identifier: GPL-3.0-or-later
"""SOG files of PlayCanvas, version 2: a zip of lossless pictures, a pixel for each Gaussian.

The specification says that y is up; every program that writes these files keeps the numbers of the
PLY that it was given, and so do we: they are taken to have COLMAP's axes, as PLY is.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from .gaussians import Gaussians
from .loaded import LoadedSplat, checked_splat
from .pictures import PictureCodec

ZIP = b"PK\x03\x04"
META = "meta.json"
VERSION = 2
ENTRIES = 256
"""Of a codebook: the values that a byte stands for."""
PALETTE_COLUMNS = 64
"""Entries of the palette of harmonics in a row of its picture."""
COEFFICIENTS = {1: 3, 2: 8, 3: 15}
"""Higher harmonics of each channel, by degree."""
LARGEST_META = 1 << 20
"""Bytes; codebooks take some 20,000."""
FIRST_MODE = 252
"""Alpha of a rotation whose first component is the largest."""


@dataclass(frozen=True, eq=False)
class _Bundle:
    """A file being read."""

    path: Path
    archive: zipfile.ZipFile
    codec: PictureCodec
    meta: dict[str, Any]

    def damaged(self, reason: str) -> CgcError:
        return CgcError(f"{self.path} is damaged: {reason}; copy or export the file again.")

    def numbers(self, part: str, name: str, count: int) -> NDArray[np.float64]:
        """Return a list of so many numbers of the description."""
        try:
            values = np.array(self.meta[part][name], np.float64)
        except (KeyError, TypeError, ValueError):
            values = np.zeros(0)
        if values.shape != (count,) or not np.isfinite(values).all():
            raise self.damaged(f"`{part}.{name}` in its {META} is no list of {count} numbers")
        return values

    def whole_number(self, name: str, *parts: str) -> int:
        """Return a number > 0 of the description."""
        found: Any = self.meta
        for part in parts:
            found = found[part]
        value = found.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.damaged(f"`{'.'.join((*parts, name))}` in its {META} is no number above 0")
        return value

    def pictures(self, part: str, count: int) -> list[NDArray[np.uint8]]:
        """Return the pixels (H, W, 4) of the pictures of a part."""
        entry = self.meta.get(part)
        names = entry.get("files") if isinstance(entry, dict) else None
        if not isinstance(names, list) or len(names) != count:
            raise self.damaged(f"`{part}.files` in its {META} does not name {count} pictures")
        return [self._picture(str(name)) for name in names]

    def _picture(self, name: str) -> NDArray[np.uint8]:
        try:
            return self.codec.decode(self.archive.read(name))
        except KeyError:
            raise self.damaged(f"it has no {name}") from None
        except ValueError as error:
            raise self.damaged(f"{name} in it is no picture ({error})") from error

    def pixels(self, part: str, pictures: int, count: int) -> list[NDArray[np.uint8]]:
        """Return of each picture of a part the first `count` pixels (count, 4)."""
        found = [picture.reshape(-1, 4) for picture in self.pictures(part, pictures)]
        if any(len(pixels) < count for pixels in found):
            raise self.damaged(f"a picture of `{part}` has fewer pixels than {count} Gaussians")
        return [pixels[:count] for pixels in found]


def read_sog(path: Path, codec: PictureCodec) -> LoadedSplat:
    """Read a SOG file, one that is bundled.

    Args:
        path: the zip.
        codec: reads its pictures.

    Raises:
        CgcError: it is no SOG, of a version that is not known, or damaged.
        OSError: it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            bundle = _Bundle(path, archive, codec, _meta(path, archive))
            return checked_splat(path, _gaussians(bundle))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise CgcError(
            f"{path} is cut short or damaged: {error}; copy or export the file again."
        ) from error


def _meta(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        if archive.getinfo(META).file_size > LARGEST_META:
            raise CgcError(f"{path} is damaged: its {META} is too large; export the file again.")
        meta = json.loads(archive.read(META))
    except KeyError:
        raise CgcError(
            f"{path} is a zip file, but no SOG: it holds no {META}; if the splat is in it, unpack "
            "it first."
        ) from None
    except (ValueError, RecursionError) as error:
        raise CgcError(f"{path} is damaged: its {META} is no JSON; export it again.") from error
    if not isinstance(meta, dict):
        raise CgcError(f"{path} is damaged: its {META} is no object; export it again.")
    version = meta.get("version", 1)
    if version != VERSION:
        raise CgcError(
            f"{path} is SOG of version {version}; version {VERSION} is read: export it as that, "
            "with SplatTransform for example, or as PLY."
        )
    return meta


def _gaussians(bundle: _Bundle) -> Gaussians:
    count = bundle.whole_number("count")
    low, high = bundle.pixels("means", 2, count)
    least, most = (bundle.numbers("means", name, 3) for name in ("mins", "maxs"))
    shares = (low[:, :3] | high[:, :3].astype(np.uint16) << 8) / 65535
    logarithms = least + (most - least) * shares
    with np.errstate(over="ignore"):  # what is not finite is left out later
        means = np.sign(logarithms) * np.expm1(np.abs(logarithms))
    (scales,) = bundle.pixels("scales", 1, count)
    (rotations,) = bundle.pixels("quats", 1, count)
    (colors,) = bundle.pixels("sh0", 1, count)
    constant = bundle.numbers("sh0", "codebook", ENTRIES)[colors[:, :3]]
    opacities = colors[:, 3] / 255
    with np.errstate(divide="ignore"):  # opacities of 0 and 1 are made finite later
        logits = np.log(opacities / (1 - opacities))
    return Gaussians(
        means=means.astype(np.float32),
        log_scales=bundle.numbers("scales", "codebook", ENTRIES)[scales[:, :3]].astype(np.float32),
        quats=_quaternions(bundle, rotations),
        logit_opacities=logits.astype(np.float32),
        sh=np.concatenate([constant[:, None], _harmonics(bundle, count)], axis=1, dtype=np.float32),
    )


def _quaternions(bundle: _Bundle, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return unit quaternions (N, 4) wxyz of pixels (N, 4).

    Alpha says which component, in the order w x y z, is the largest, and positive; red, green and
    blue are the others in their order, between −√½ and √½.
    """
    largest = pixels[:, 3].astype(np.intp) - FIRST_MODE
    if (largest < 0).any():
        first = int(np.argmax(largest < 0))
        raise bundle.damaged(f"the rotation of Gaussian {first} is of no kind that is known")
    others = (pixels[:, :3].astype(np.float32) / 255 - np.float32(0.5)) * np.float32(2**0.5)
    quats = np.empty((len(pixels), 4), np.float32)
    quats[np.arange(4) != largest[:, None]] = others.reshape(-1)
    quats[np.arange(len(pixels)), largest] = np.sqrt(np.maximum(0, 1 - (others**2).sum(axis=1)))
    return quats


def _harmonics(bundle: _Bundle, count: int) -> NDArray[np.float64]:
    """Return higher harmonics (N, K, 3), K = 0, 3, 8 or 15: each Gaussian has those of an entry."""
    if not isinstance(bundle.meta.get("shN"), dict):
        return np.zeros((count, 0, 3))
    degree = bundle.whole_number("bands", "shN")
    entries = bundle.whole_number("count", "shN")
    if degree not in COEFFICIENTS:
        raise bundle.damaged(f"spherical harmonics of degree {degree} cannot be")
    coefficients = COEFFICIENTS[degree]
    palette, labels = bundle.pictures("shN", 2)
    needed = (-(-entries // PALETTE_COLUMNS), PALETTE_COLUMNS * coefficients)
    if palette.shape[1] != needed[1] or palette.shape[0] < needed[0]:
        raise bundle.damaged("the picture of its harmonics is of another size than they need")
    if labels.shape[0] * labels.shape[1] < count:
        raise bundle.damaged(f"a picture of `shN` has fewer pixels than {count} Gaussians")
    chosen = labels.reshape(-1, 4)[:count]
    index = chosen[:, 0] | chosen[:, 1].astype(np.intp) << 8
    if (index >= entries).any():
        raise bundle.damaged(f"a Gaussian has harmonics {index.max()} of {entries}")
    values = bundle.numbers("shN", "codebook", ENTRIES)[palette[..., :3]]
    return values.reshape(-1, coefficients, 3)[index]
