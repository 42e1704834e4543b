# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats as PLY files in the layout of 3DGS, with the feature and the segment of each Gaussian."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..dataset.near_origin import describe_origin, origin_for
from ..errors import CgcError
from ..files import check_is_file, replacing
from ..ply_table import PlyElement, read_header, read_table, write_table
from .gaussians import FEATURE_DIMENSION, Gaussians
from .loaded import FLAT_LOG_SCALE, LoadedSplat, checked_splat
from .select import with_sh_degree
from .smoothing import smoothed
from .spherical_harmonics import CONSTANT_BASIS, HIGHEST_DEGREE, coefficient_count

POSITION = ("x", "y", "z")
NORMAL = ("nx", "ny", "nz")
CONSTANT = ("f_dc_0", "f_dc_1", "f_dc_2")
COLOR = ("red", "green", "blue")
"""Stands in for the constant harmonic where a program exports plain colours, as nerfstudio can."""
SCALE = ("scale_0", "scale_1", "scale_2")
ROTATION = ("rot_0", "rot_1", "rot_2", "rot_3")
SMOOTHING = "filter_3D"
"""Standard deviation of the smoothing filter of Mip-Splatting, scene units."""
REQUIRED = (*POSITION, *CONSTANT, "opacity", *SCALE[:2], *ROTATION)
"""Surfels of 2DGS have two scales; all else has three."""
OWN_FEATURES = "f_seg_"
FEATURE_PREFIXES = (OWN_FEATURES, "obj_dc_")
"""Names that features go by: those of CGC, and those of Gaussian Grouping."""
_REST_COUNTS = tuple(3 * (count**2 - 1) for count in range(1, 9))
"""Of all degrees that a program may have; what is beyond `HIGHEST_DEGREE` is not kept."""


def write_ply(path: Path, gaussians: Gaussians, origin: NDArray[np.float64] | None = None) -> None:
    """Write a splat, whole or not at all.

    Little-endian float32 properties in the order of 3DGS: x y z, nx ny nz (zero), f_dc_0..2,
    f_rest_* channel by channel, opacity (logit), scale_0..2 (log), rot_0..3 (wxyz); then, where
    the Gaussians have them, f_seg_0..15, and segment (int32).

    Args:
        path: the file.
        gaussians: N Gaussians.
        origin: (3,) what means are relative to, scene units; x y z are in its frame then, as
            doubles unless it is 0 0 0.

    Raises:
        CgcError: there are no Gaussians, or the file cannot be written.
    """
    count = len(gaussians)
    if count == 0:
        raise CgcError(f"{path} was not written: there are no Gaussians to write.")
    origin = np.zeros(3) if origin is None else origin
    far = bool(origin.any())
    columns: list[tuple[tuple[str, ...], NDArray[np.floating]]] = [
        (POSITION, gaussians.means + origin if far else gaussians.means),
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
    fields = [(name, "<f8" if far and name in POSITION else "<f4") for name in names]
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


def write_plain_ply(path: Path, gaussians: Gaussians) -> None:
    """Write a splat with the 62 properties of 3DGS and no others, whole or not at all.

    Some viewers read records of that size whatever the header says, so harmonics of a lower degree
    are filled with zeros, and features and segments are left out.

    Raises:
        CgcError: as `write_ply`.
    """
    plain = replace(gaussians, features=None, segments=None)
    write_ply(path, with_sh_degree(plain, HIGHEST_DEGREE))


def read_ply(path: Path) -> LoadedSplat:
    """Read a splat, binary or ASCII, its properties in any order.

    Features may be called f_seg_0..15 or obj_dc_0..15; they and `segment` may be absent. Plain
    colours red, green and blue stand in for a missing f_dc. Opacities of 1 and scales of 0,
    infinite as logit and logarithm, become large finite values. The surfels of 2DGS, which have no
    third scale, are Gaussians with a third scale of 0. The smoothing filter of Mip-Splatting
    becomes part of scales and opacities. Positions that are doubles may be map coordinates: means
    are relative to a place among them then.

    Raises:
        CgcError: the file is not a PLY, is cut short, is not a splat, or holds too little that is
            finite.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from cgc_addon.splats.initialise import gaussians_from_points
        >>> written = gaussians_from_points(np.eye(3), np.zeros((3, 3), np.uint8), sh_degree=1)
        >>> with TemporaryDirectory() as folder:
        ...     write_ply(Path(folder, "splat.ply"), written)
        ...     splat = read_ply(Path(folder, "splat.ply"))
        >>> len(splat.gaussians), splat.gaussians.sh_degree, splat.dropped
        (3, 1, 0)
        >>> bool((splat.gaussians.means == written.means).all())
        True
    """
    try:
        check_is_file(path)
        header = read_header(path)
        vertex = header.element("vertex")
        if vertex is None:
            raise CgcError(f"{path} is not a Gaussian splat: it has no element `vertex`.")
        if vertex.count == 0:
            raise CgcError(f"{path} holds no Gaussians.")
        _check_properties(path, vertex)
        return _gaussians(path, read_table(header, vertex), vertex)
    except FileNotFoundError:
        raise CgcError(f"{path} is missing.") from None
    except OSError as error:
        raise CgcError(f"{path} could not be read: {error.strerror or error}.") from error


def _check_properties(path: Path, vertex: PlyElement) -> None:
    names = [item.name for item in vertex.properties]
    colored = set(COLOR) <= set(names)
    missing = [
        name for name in REQUIRED if name not in names and not (colored and name in CONSTANT)
    ]
    if set(POSITION) <= set(names) and not {"opacity", *SCALE, *ROTATION} & set(names):
        raise CgcError(
            f"{path} is a point cloud, not a splat: its vertices have no opacity, scale "
            "and rotation; import it with Blender's own File > Import > Stanford PLY, or export "
            "the splat from the program that made it."
        )
    if missing:
        raise CgcError(
            f"{path} is not a 3DGS splat: its vertices lack the property `{missing[0]}`"
            + (f" and {len(missing) - 1} more." if len(missing) > 1 else ".")
        )
    for item in vertex.properties:
        if item.length_type:
            raise CgcError(f"{path} is not a 3DGS splat: its property `{item.name}` is a list.")

    rest = _count("f_rest_", names)
    if rest not in _REST_COUNTS or not set(_numbered("f_rest_", rest)) <= set(names):
        raise CgcError(
            f"{path} has {rest} properties f_rest_*; spherical harmonics of degree 0 to 3 have "
            "0, 9, 24 or 45, numbered from 0."
        )
    count = _count(OWN_FEATURES, names)
    if count and not _has_features(OWN_FEATURES, names):
        raise CgcError(
            f"{path} has {count} features {OWN_FEATURES}*; CGC's have {FEATURE_DIMENSION}, "
            "numbered from 0: remove these properties to read the splat without features."
        )


def _gaussians(path: Path, table: NDArray[np.void], vertex: PlyElement) -> LoadedSplat:
    """Take the columns of a sound table (N,) apart, leaving out what is not finite."""
    names = [item.name for item in vertex.properties]
    notes = []
    rest_count = _count("f_rest_", names)
    # Channel by channel: the harmonics of degree 0 to 3 are the first of each.
    kept = min(rest_count // 3, coefficient_count(HIGHEST_DEGREE) - 1)
    rest_names = _numbered("f_rest_", rest_count)
    wanted = tuple(name for i, name in enumerate(rest_names) if i % max(rest_count // 3, 1) < kept)
    if len(wanted) < rest_count:
        notes.append(f"{path} has spherical harmonics beyond degree 3; those are left out.")
    rest = _columns(table, wanted).reshape(len(table), 3, kept)
    constant = (
        _columns(table, CONSTANT) if CONSTANT[0] in names else _constant_of_colors(table, vertex)
    )
    features = None
    for prefix in FEATURE_PREFIXES:
        if features is None and _has_features(prefix, names):
            features = _columns(table, _numbered(prefix, FEATURE_DIMENSION))
        elif features is None and _count(prefix, names):
            notes.append(
                f"{path} has {_count(prefix, names)} features {prefix}*, not "
                f"{FEATURE_DIMENSION}; they are left out."
            )
    means, origin = _places(table, vertex)
    gaussians = Gaussians(
        means=means,
        log_scales=_log_scales(table, names),
        quats=_columns(table, ROTATION),
        logit_opacities=_columns(table, ("opacity",))[:, 0],
        sh=np.concatenate([constant[:, None], rest.transpose(0, 2, 1)], axis=1),
        features=features,
        segments=_segments(path, table["segment"]) if "segment" in names else None,
    )
    if SMOOTHING in names:
        gaussians = smoothed(gaussians, _columns(table, (SMOOTHING,))[:, 0])
    if origin.any():
        notes.append(describe_origin(path, origin))
    return replace(checked_splat(path, gaussians, tuple(notes)), origin=origin)


def _places(
    table: NDArray[np.void], vertex: PlyElement
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return means (N, 3) and what they are relative to (3,): doubles may be map coordinates."""
    kinds = {item.name: item.type for item in vertex.properties}
    if kinds[POSITION[0]] != "f8":
        return _columns(table, POSITION), np.zeros(3)
    places = np.stack([table[name].astype(np.float64) for name in POSITION], axis=1)
    origin = origin_for(places[np.isfinite(places).all(axis=1)])
    with np.errstate(over="ignore"):
        return (places - origin).astype(np.float32), origin


def _log_scales(table: NDArray[np.void], names: list[str]) -> NDArray[np.float32]:
    """Return log-scales (N, 3): those of surfels, which are flat, get the one that stands for 0."""
    if SCALE[2] in names:
        return _columns(table, SCALE)
    flat = np.full((len(table), 1), FLAT_LOG_SCALE, np.float32)
    return np.concatenate([_columns(table, SCALE[:2]), flat], axis=1)


def _constant_of_colors(table: NDArray[np.void], vertex: PlyElement) -> NDArray[np.float32]:
    """Return the constant harmonics (N, 3) of plain colours: whole numbers to 255, or 0 to 1."""
    kinds = {item.name: item.type for item in vertex.properties}
    ranges = [1.0 if kinds[name].startswith("f") else 255.0 for name in COLOR]
    colors = _columns(table, COLOR) / np.array(ranges, np.float32)
    return ((colors - np.float32(0.5)) / np.float32(CONSTANT_BASIS)).astype(np.float32)


def _count(prefix: str, names: list[str]) -> int:
    return sum(bool(re.fullmatch(rf"{prefix}\d+", name)) for name in names)


def _has_features(prefix: str, names: list[str]) -> bool:
    complete = set(_numbered(prefix, FEATURE_DIMENSION)) <= set(names)
    return complete and _count(prefix, names) == FEATURE_DIMENSION


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
