# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats as PLY files in the layout of 3DGS, with the feature and the segment of each Gaussian."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from ..files import replacing
from .gaussians import FEATURE_DIMENSION, Gaussians
from .ply_table import PlyElement, read_header, read_table, write_table
from .select import subset
from .spherical_harmonics import HIGHEST_DEGREE, coefficient_count

FEW = 0.1
"""Up to this share of Gaussians may be left out because they hold no numbers."""
OPAQUE_LOGIT = 16.0
"""Stands for the infinite logit of opacity 1, and its negative for opacity 0."""
FLAT_LOG_SCALE = -24.0
"""Stands for the infinite logarithm of scale 0."""

POSITION = ("x", "y", "z")
NORMAL = ("nx", "ny", "nz")
CONSTANT = ("f_dc_0", "f_dc_1", "f_dc_2")
SCALE = ("scale_0", "scale_1", "scale_2")
ROTATION = ("rot_0", "rot_1", "rot_2", "rot_3")
REQUIRED = (*POSITION, *CONSTANT, "opacity", *SCALE, *ROTATION)
FEATURE_PREFIXES = ("f_seg_", "obj_dc_")
"""Names that features go by: those of CGC, and those of Gaussian Grouping."""


@dataclass(frozen=True, eq=False)
class PlySplat:
    """What a PLY file held."""

    gaussians: Gaussians
    dropped: int
    """How many Gaussians were left out, because a value was not finite or a rotation was zero."""


def write_ply(path: Path, gaussians: Gaussians) -> None:
    """Write a splat, whole or not at all.

    Little-endian float32 properties in the order of 3DGS: x y z, nx ny nz (zero), f_dc_0..2,
    f_rest_* channel by channel, opacity (logit), scale_0..2 (log), rot_0..3 (wxyz); then, where
    the Gaussians have them, f_seg_0..15, and segment (int32).

    Raises:
        CgcError: there are no Gaussians, or the file cannot be written.
    """
    count = len(gaussians)
    if count == 0:
        raise CgcError(f"{path} was not written: there are no Gaussians to write.")
    columns: list[tuple[tuple[str, ...], NDArray[np.float32]]] = [
        (POSITION, gaussians.means),
        (NORMAL, np.zeros((count, 3), dtype=np.float32)),
        (CONSTANT, gaussians.sh[:, 0]),
    ]
    # Channel by channel: all red coefficients, then green, then blue.
    rest = gaussians.sh[:, 1:].transpose(0, 2, 1).reshape(count, -1)
    columns.append((_numbered("f_rest_", rest.shape[1]), rest))
    columns.append((("opacity",), gaussians.logit_opacities[:, None]))
    columns.append((SCALE, gaussians.log_scales))
    columns.append((ROTATION, gaussians.quats))
    if gaussians.features is not None:
        columns.append((_numbered("f_seg_", gaussians.features.shape[1]), gaussians.features))

    names = [name for group, _ in columns for name in group]
    fields = [(name, "<f4") for name in names]
    if gaussians.segments is not None:
        fields.append(("segment", "<i4"))
    table = np.empty(count, dtype=fields)
    for group, values in columns:
        for name, column in zip(group, values.T, strict=True):
            table[name] = column
    if gaussians.segments is not None:
        table["segment"] = gaussians.segments
    with replacing(path) as temporary:
        write_table(temporary, table, "vertex")


def read_ply(path: Path) -> PlySplat:
    """Read a splat, binary or ASCII, its properties in any order.

    Features may be called f_seg_0..15 or obj_dc_0..15; they and `segment` may be absent. Opacities
    of 1 and scales of 0, infinite as logit and logarithm, become large finite values.

    Raises:
        CgcError: the file is not a PLY, is cut short, is not a splat, or holds too little that is
            finite.
    """
    try:
        header = read_header(path)
        vertex = header.element("vertex")
        if vertex is None:
            raise CgcError(f"{path} is not a Gaussian splat: it has no element `vertex`.")
        if vertex.count == 0:
            raise CgcError(f"{path} holds no Gaussians.")
        _check_properties(path, vertex)
        names = [item.name for item in vertex.properties]
        return _gaussians(path, read_table(header, vertex), names)
    except FileNotFoundError:
        raise CgcError(f"{path} is missing.") from None
    except OSError as error:
        raise CgcError(f"{path} could not be read: {error.strerror or error}.") from error


def _check_properties(path: Path, vertex: PlyElement) -> None:
    names = [item.name for item in vertex.properties]
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise CgcError(
            f"{path} is not a 3DGS splat: its vertices lack the property `{missing[0]}`"
            + (f" and {len(missing) - 1} more." if len(missing) > 1 else ".")
        )
    for item in vertex.properties:
        if item.length_type:
            raise CgcError(f"{path} is not a 3DGS splat: its property `{item.name}` is a list.")

    rest = sum(bool(re.fullmatch(r"f_rest_\d+", name)) for name in names)
    fitting = [3 * (coefficient_count(degree) - 1) for degree in range(HIGHEST_DEGREE + 1)]
    if rest not in fitting or not set(_numbered("f_rest_", rest)) <= set(names):
        raise CgcError(
            f"{path} has {rest} properties f_rest_*; spherical harmonics of degree 0 to 3 have "
            "0, 9, 24 or 45, numbered from 0."
        )
    for prefix in FEATURE_PREFIXES:
        count = sum(bool(re.fullmatch(rf"{prefix}\d+", name)) for name in names)
        complete = set(_numbered(prefix, FEATURE_DIMENSION)) <= set(names)
        if count not in (0, FEATURE_DIMENSION) or (count and not complete):
            raise CgcError(
                f"{path} has {count} features {prefix}*; CGC's have {FEATURE_DIMENSION}, numbered "
                "from 0: remove these properties to read the splat without features."
            )


def _gaussians(path: Path, table: NDArray[np.void], names: list[str]) -> PlySplat:
    """Take the columns of a sound table (N,) apart, leaving out what is not finite."""
    rest_count = sum(name.startswith("f_rest_") for name in names)
    count = len(table)
    rest = _columns(table, _numbered("f_rest_", rest_count)).reshape(count, 3, rest_count // 3)
    constant = _columns(table, CONSTANT)
    sh = np.concatenate([constant[:, None], rest.transpose(0, 2, 1)], axis=1)
    opacities = _columns(table, ("opacity",))[:, 0]
    opacities = np.where(np.isinf(opacities), np.copysign(OPAQUE_LOGIT, opacities), opacities)
    scales = _columns(table, SCALE)
    scales = np.where(np.isneginf(scales), np.float32(FLAT_LOG_SCALE), scales)
    prefix = next((prefix for prefix in FEATURE_PREFIXES if f"{prefix}0" in names), None)
    gaussians = Gaussians(
        means=_columns(table, POSITION),
        log_scales=scales,
        quats=_columns(table, ROTATION),
        logit_opacities=opacities.astype(np.float32),
        sh=sh,
        features=_columns(table, _numbered(prefix, FEATURE_DIMENSION)) if prefix else None,
        segments=_segments(path, table["segment"]) if "segment" in names else None,
    )
    sound = _sound(gaussians)
    dropped = count - int(sound.sum())
    if dropped > FEW * count:
        first = int(np.argmin(sound))
        raise CgcError(
            f"{path} is damaged: {dropped} of its {count} Gaussians hold values that are no finite "
            f"numbers or a rotation of zero, the first is vertex {first}."
        )
    if dropped:
        gaussians = subset(gaussians, sound)
    return PlySplat(gaussians, dropped)


def _sound(gaussians: Gaussians) -> NDArray[np.bool_]:
    """Return which Gaussians (N,) hold finite values and a rotation that can be normalised."""
    sound = gaussians.quats.any(axis=1) & np.isfinite(gaussians.logit_opacities)
    for values in (gaussians.means, gaussians.log_scales, gaussians.quats, gaussians.features):
        if values is not None:
            sound &= np.isfinite(values).all(axis=1)
    return sound & np.isfinite(gaussians.sh).all(axis=(1, 2))


def _segments(path: Path, column: NDArray[np.generic]) -> NDArray[np.int32]:
    """Return segment ids (N,), whatever number type the file keeps them in."""
    with np.errstate(invalid="ignore"):
        ids = column.astype(np.int32)
    wrong = (ids < 0) | (ids.astype(np.float64) != column.astype(np.float64))
    if wrong.any():
        first = int(np.argmax(wrong))
        raise CgcError(
            f"{path} has the segment {column[first]:g} at vertex {first}; segments are whole "
            f"numbers from 0 to {np.iinfo(np.int32).max}."
        )
    return ids


def _columns(table: NDArray[np.void], names: tuple[str, ...]) -> NDArray[np.float32]:
    """Return the named columns side by side, (N, len(names)) float32."""
    values = np.empty((len(table), len(names)), dtype=np.float32)
    with np.errstate(over="ignore"):  # doubles too large become infinite and are left out later
        for index, name in enumerate(names):
            values[:, index] = table[name]
    return values


def _numbered(prefix: str, count: int) -> tuple[str, ...]:
    return tuple(f"{prefix}{index}" for index in range(count))
