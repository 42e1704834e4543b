# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats as Blender objects: one point cloud, the Gaussians in its attributes.

The layout is that of Blender's own Gaussian splats (5.3), so that a Blender which has them draws
them; to it come what we know of each Gaussian and what older Blenders need to draw it:

    position            FLOAT_VECTOR   mean, in the object's space
    position:remainder  FLOAT_VECTOR   what of the mean float32 has no room for beside the origin
    scale               FLOAT_VECTOR   standard deviations, linear
    rotation            QUATERNION     wxyz, normalised
    radiance:base       FLOAT4         constant harmonic RGB, opacity (FLOAT_COLOR before 5.1)
    radiance:sh_0 …     FLOAT_VECTOR   further harmonics, RGB
    opacity:logit       FLOAT          opacity before the sigmoid, which rounds when near 1
    segment, cluster    INT            ids
    gaussian            INT            index in the splat it came from
    feature:0 … 3       FLOAT_COLOR    the 16 numbers of the feature
    photo_color, radius for display, see `display_attributes`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast
from zlib import crc32

import bpy
import numpy as np
from numpy.typing import NDArray

from ...splats import rotations
from ...splats.gaussians import FEATURE_DIMENSION, Gaussians
from ...splats.spherical_harmonics import HIGHEST_DEGREE, coefficient_count
from ..common import point_attributes
from ..common.access import of_object
from ..common.display_attributes import (
    constants_from_colors,
    display_colors,
    display_radii,
    sigmoid,
)

if TYPE_CHECKING:
    from bpy.types import EnumProperty, Object, PointCloud, Struct

REMAINDER = "position:remainder"
BASE = "radiance:base"
LOGIT = "opacity:logit"
COLOR = "photo_color"
"""Not `color`: Cycles finds nothing under that name."""
NATIVE = "GAUSSIAN_SPLAT"
HIGHEST_LOGIT = 16.0
"""Stands for the infinite logit of opacity 1, and its negative for opacity 0."""
SMALLEST_SCALE = float(np.finfo(np.float32).tiny)
HIGHEST_LOG_SCALE = 88.0
"""The exponential of more is no finite float32."""
NO_CLUSTER = -1
FEATURE_PARTS = FEATURE_DIMENSION // 4


def new_splat(
    name: str,
    gaussians: Gaussians,
    index: NDArray[np.int32],
    clusters: NDArray[np.int32],
    origin: NDArray[np.floating] | None = None,
) -> Object:
    """Make an object of Gaussians; it is linked to no collection yet.

    Args:
        name: of the object and its data.
        gaussians: N Gaussians, in the frame that the object's parent will have.
        index: (N,) which Gaussian of the run's splat each is.
        clusters: (N,) cluster each belongs to, −1 for none.
        origin: (3,) in that frame, where the object will stand; None at the frame's own.
    """
    cloud = point_attributes.new_point_cloud(name, gaussians.means)
    _write_gaussians(cloud, gaussians, index, clusters)
    set_native(cloud, True)
    item = bpy.data.objects.new(name, cloud)
    if origin is not None:
        item.location = of_object(item).origin = origin.tolist()
        write_means(cloud, gaussians.means, origin)
    of_object(item).kind = "SPLAT"
    return item


def is_splat(item: Object | None) -> bool:
    """Return whether an object holds Gaussians, ours or those of Blender's own import."""
    if item is None or item.type != "POINTCLOUD":
        return False
    names = cast("PointCloud", item.data).attributes
    return "scale" in names and "rotation" in names and (BASE in names or COLOR in names)


def gaussians_of(item: Object, origin: NDArray[np.floating] | None = None) -> Gaussians:
    """Return the Gaussians of an object as they are stored, its transform not applied.

    Args:
        item: splat.
        origin: (3,) where the object stands in the frame wanted, see `means_in`; None for the
            object's own.

    Raises:
        CgcError: the object has lost an attribute that Gaussians need.
    """
    return gaussians_in(data_of(item), origin)


def gaussians_in(cloud: PointCloud, origin: NDArray[np.floating] | None = None) -> Gaussians:
    """Return the Gaussians of a point cloud, also of a copy that Blender evaluated.

    Raises:
        CgcError: it has lost an attribute that Gaussians need.
    """
    base = _base(cloud)
    scales = np.maximum(point_attributes.read(cloud, "scale"), SMALLEST_SCALE)
    return Gaussians(
        means=means_in(cloud, origin),
        log_scales=np.log(scales.astype(np.float64)).astype(np.float32),
        quats=point_attributes.read(cloud, "rotation"),
        logit_opacities=_logits(cloud, base[:, 3]),
        sh=_harmonics(cloud, base[:, :3]),
        features=features_of(cloud),
        segments=point_attributes.read_or_none(cloud, "segment"),
    )


def means_in(cloud: PointCloud, origin: NDArray[np.floating] | None = None) -> NDArray[np.float32]:
    """Return the means (N, 3) of a point cloud.

    Args:
        cloud: of N Gaussians.
        origin: (3,) where the cloud's own lies in the frame wanted; None for the cloud's frame.
            With the origin that they were written with, the very means come out that went in.
    """
    position: NDArray[np.float32] = point_attributes.read(cloud, "position")
    if origin is None:
        return position
    wide = position.astype(np.float64) + origin
    remainder = point_attributes.read_or_none(cloud, REMAINDER)
    return (wide if remainder is None else wide + remainder).astype(np.float32)


def write_means(
    cloud: PointCloud, means: NDArray[np.float32], origin: NDArray[np.floating] | None = None
) -> None:
    """Write the means of a point cloud, counted from an origin.

    Near the middle of a capture, float32 numbers lie closer together than they do as far from it as
    an object may be: what is rounded off is kept beside, so that no bit of a splat is lost.

    Args:
        cloud: of N Gaussians.
        means: (N, 3).
        origin: (3,) in the frame of the means, float32 numbers; None for that frame's own.
    """
    if origin is None:
        point_attributes.write(cloud, "position", "FLOAT_VECTOR", means)
        point_attributes.remove(cloud, REMAINDER)
        return
    wide = means.astype(np.float64)
    position = (wide - origin).astype(np.float32)
    remainder = (wide - (position.astype(np.float64) + origin)).astype(np.float32)
    point_attributes.write(cloud, "position", "FLOAT_VECTOR", position)
    if remainder.any():
        point_attributes.write(cloud, REMAINDER, "FLOAT_VECTOR", remainder)
    else:
        point_attributes.remove(cloud, REMAINDER)


def indices_of(item: Object) -> NDArray[np.int32]:
    """Return which Gaussian of the run's splat each point is (N,); 0, 1, … where not known."""
    return indices_in(data_of(item))


def indices_in(cloud: PointCloud) -> NDArray[np.int32]:
    """Return which Gaussian of the run's splat each point of a cloud is, as `indices_of`."""
    known = point_attributes.read_or_none(cloud, "gaussian")
    return np.arange(len(cloud.points), dtype=np.int32) if known is None else known


def clusters_of(item: Object) -> NDArray[np.int32]:
    """Return the cluster of each point (N,), −1 for none."""
    known = point_attributes.read_or_none(data_of(item), "cluster")
    if known is None:
        return np.full(len(data_of(item).points), NO_CLUSTER, dtype=np.int32)
    return known


def replace_gaussians(
    item: Object,
    gaussians: Gaussians,
    index: NDArray[np.int32],
    clusters: NDArray[np.int32],
    origin: NDArray[np.floating] | None = None,
) -> None:
    """Put other Gaussians into an object, and into those that share its data.

    Args:
        item: splat.
        gaussians: N Gaussians.
        index: (N,) which Gaussian of the run's splat each is.
        clusters: (N,) cluster each belongs to, −1 for none.
        origin: (3,) where the object's origin lies in the frame of the Gaussians, float32 numbers;
            None: they are in the object's space.
    """
    cloud = point_attributes.resized(data_of(item), len(gaussians))
    write_means(cloud, gaussians.means, origin)
    _write_gaussians(cloud, gaussians, index, clusters)


def fingerprint(cloud: PointCloud) -> int:
    """Return a number that is another one when any number of the Gaussians is.

    It is had in a quarter of the time that reading takes: Blender tells of many changes that do
    not concern the Gaussians.
    """
    base = BASE if BASE in cloud.attributes else COLOR
    rest = [f"radiance:sh_{number}" for number in range(coefficient_count(HIGHEST_DEGREE) - 1)]
    features = [f"feature:{number}" for number in range(FEATURE_PARTS)]
    checksum = 0
    for name in ("position", "scale", "rotation", base, LOGIT, *rest, *features):
        values = point_attributes.read_or_none(cloud, name)
        if values is not None:
            checksum = crc32(np.ascontiguousarray(values).data, crc32(name.encode(), checksum))
    return checksum


def opacities_of(cloud: PointCloud) -> NDArray[np.float32]:
    """Return the opacities (N,) of a splat's data, 0..1.

    Raises:
        CgcError: it has lost the attribute that holds them.
    """
    return _base(cloud)[:, 3]


def features_of(cloud: PointCloud) -> NDArray[np.float32] | None:
    """Return the features (N, 16) of a splat's data, None where it has none."""
    parts = [point_attributes.read_or_none(cloud, f"feature:{n}") for n in range(FEATURE_PARTS)]
    known = [part for part in parts if part is not None]
    return np.concatenate(known, axis=1) if len(known) == FEATURE_PARTS else None


def data_of(item: Object) -> PointCloud:
    """Return the point cloud of a splat, typed."""
    return cast("PointCloud", item.data)


class _Typed(Protocol):
    """A point cloud of a Blender that has splats."""

    type: str


def has_native() -> bool:
    """Return whether this Blender draws splats itself, as 5.3 and later do."""
    return _native_kinds(bpy.types.PointCloud) is not None


def set_native(cloud: PointCloud, on: bool) -> bool:
    """Let Blender draw the points as splats itself, or not, and return whether it does."""
    kinds = _native_kinds(cloud)
    if kinds is None:
        return False
    wanted = NATIVE if on else kinds.default
    typed = cast("_Typed", cloud)
    if typed.type != wanted:
        base = point_attributes.read_or_none(cloud, BASE)
        if on and base is not None:  # that of an older Blender is of another type
            point_attributes.write(cloud, BASE, "FLOAT4", base)
        typed.type = wanted
    return on


def _native_kinds(cloud: PointCloud | type[PointCloud]) -> EnumProperty | None:
    kinds = cast("EnumProperty | None", cast("Struct", cloud.bl_rna).properties.get("type"))
    return kinds if kinds is not None and NATIVE in kinds.enum_items else None


def _write_gaussians(
    cloud: PointCloud,
    gaussians: Gaussians,
    index: NDArray[np.int32],
    clusters: NDArray[np.int32],
) -> None:
    """Write everything but the positions, and take away what the Gaussians do not have."""
    opacities = sigmoid(gaussians.logit_opacities).astype(np.float32)
    base = np.column_stack([gaussians.sh[:, 0], opacities])
    base_type = "FLOAT4" if point_attributes.has_type("FLOAT4") else "FLOAT_COLOR"
    log_scales = np.minimum(gaussians.log_scales, HIGHEST_LOG_SCALE).astype(np.float64)

    point_attributes.write(cloud, "scale", "FLOAT_VECTOR", np.exp(log_scales))
    point_attributes.write(cloud, "rotation", "QUATERNION", rotations.normalised(gaussians.quats))
    point_attributes.write(cloud, BASE, base_type, base)
    point_attributes.write(cloud, LOGIT, "FLOAT", gaussians.logit_opacities)
    rest = gaussians.sh[:, 1:]
    for number in range(coefficient_count(HIGHEST_DEGREE) - 1):
        name = f"radiance:sh_{number}"
        if number < rest.shape[1]:
            point_attributes.write(cloud, name, "FLOAT_VECTOR", rest[:, number])
        else:
            point_attributes.remove(cloud, name)
    for number in range(FEATURE_PARTS):
        name = f"feature:{number}"
        if gaussians.features is None:
            point_attributes.remove(cloud, name)
        else:
            part = gaussians.features[:, 4 * number : 4 * number + 4]
            point_attributes.write(cloud, name, "FLOAT_COLOR", part)
    if gaussians.segments is None:
        point_attributes.remove(cloud, "segment")
    else:
        point_attributes.write(cloud, "segment", "INT", gaussians.segments)
    point_attributes.write(cloud, "gaussian", "INT", index)
    point_attributes.write(cloud, "cluster", "INT", clusters)
    point_attributes.write(cloud, COLOR, "FLOAT_COLOR", display_colors(gaussians))
    point_attributes.write(cloud, "radius", "FLOAT", display_radii(gaussians))


def _base(cloud: PointCloud) -> NDArray[np.float32]:
    """Return constant harmonics and opacities (N, 4)."""
    base = point_attributes.read_or_none(cloud, BASE)
    if base is not None:
        return base
    # Blender before 5.1 drops FLOAT4 attributes of files that a later one wrote.
    colors = point_attributes.read(cloud, COLOR)
    return np.column_stack([constants_from_colors(colors), colors[:, 3]])


def _logits(cloud: PointCloud, opacities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return opacities (N,) before the sigmoid: as stored, unless someone changed the opacity."""
    wide = opacities.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        logits = np.log(wide) - np.log1p(-wide)
    logits = np.clip(np.nan_to_num(logits, nan=HIGHEST_LOGIT), -HIGHEST_LOGIT, HIGHEST_LOGIT)
    stored = point_attributes.read_or_none(cloud, LOGIT)
    if stored is not None:
        logits = np.where(np.abs(sigmoid(stored) - wide) < 1e-6, stored, logits)
    return logits.astype(np.float32)


def _harmonics(cloud: PointCloud, constant: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (N, K, 3) up to the highest degree that is complete."""
    rest: list[NDArray[np.float32]] = []
    while len(rest) < coefficient_count(HIGHEST_DEGREE) - 1:
        values = point_attributes.read_or_none(cloud, f"radiance:sh_{len(rest)}")
        if values is None:
            break
        rest.append(values)
    degree = int((len(rest) + 1) ** 0.5) - 1
    return np.stack([constant, *rest[: coefficient_count(degree) - 1]], axis=1)
