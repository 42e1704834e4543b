# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes made from a few numbers: turned, swept, extruded and boxed shapes, in metres."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

Points = Sequence[tuple[float, float, float]]
Parts = list[tuple[bpy.types.Object, int]]
"""The meshes of one object, standing on z = 0, each with the number of its part from 1."""


def mesh_object(
    name: str,
    vertices: Sequence[Sequence[float]] | NDArray[np.float64],
    faces: Sequence[Sequence[int]],
    material: bpy.types.Material,
    sharp_degrees: float = 40.0,
) -> bpy.types.Object:
    """Link a mesh into the scene, shaded smooth except at edges sharper than `sharp_degrees`."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([tuple(map(float, vertex)) for vertex in vertices], [], list(faces))
    mesh.validate()
    mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
    mesh.set_sharp_from_angle(angle=math.radians(sharp_degrees))
    mesh.materials.append(material)
    thing = bpy.data.objects.new(name, mesh)
    scene: Any = bpy.context.scene
    scene.collection.objects.link(thing)
    return thing


def curve_through(
    points: Sequence[Sequence[float]] | NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Sample `count` points (count, D) of the Catmull-Rom spline through `points` (N, D)."""
    knots = np.asarray(points, dtype=np.float64)
    knots = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    position = np.linspace(0, len(points) - 1, count)
    start = np.minimum(position.astype(int), len(points) - 2)
    t = (position - start)[:, None]
    a, b, c, d = (knots[start + k] for k in range(4))
    return 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )


def turned(
    name: str,
    profile: Sequence[tuple[float, float]],
    material: bpy.types.Material,
    *,
    rounded: bool = True,
    sides: int = 72,
) -> bpy.types.Object:
    """Turn a profile of (radius, height) points around z, as on a lathe or a potter's wheel.

    Ends at radius 0 close the shape; `rounded` runs a smooth curve through the points.
    """
    line = np.asarray(profile, dtype=np.float64)
    if rounded:
        line = curve_through(line, 10 * len(profile))
        line[:, 0] = np.maximum(line[:, 0], 0.0)
    angle = np.arange(sides) * (2 * math.pi / sides)
    rings = np.stack(
        [
            line[:, :1] * np.cos(angle),
            line[:, :1] * np.sin(angle),
            np.broadcast_to(line[:, 1:], (len(line), sides)),
        ],
        axis=-1,
    )
    return mesh_object(name, rings.reshape(-1, 3), _tube_faces(len(line), sides), material)


def swept(
    name: str,
    path: Sequence[Sequence[float]] | Sequence[NDArray[np.float64]],
    radii: Sequence[float],
    material: bpy.types.Material,
    *,
    sides: int = 20,
    steps: int = 40,
) -> bpy.types.Object:
    """Sweep a circle along the smooth curve through `path` (N, 3); `radii` (N,) go with it."""
    line = curve_through(np.column_stack([np.asarray(path, dtype=np.float64), radii]), steps)
    centers, radius = line[:, :3], line[:, 3]
    tangents = np.gradient(centers, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    normal = np.cross(tangents[0], [0.31, 0.87, 0.39])
    angle = np.arange(sides) * (2 * math.pi / sides)
    rings = []
    for center, tangent, size in zip(centers, tangents, radius, strict=True):
        # The previous normal, made perpendicular again, keeps the tube free of twist.
        normal = normal - tangent * (normal @ tangent)
        normal = normal / np.linalg.norm(normal)
        side = np.cross(tangent, normal)
        rings.append(
            center + size * (np.outer(np.cos(angle), normal) + np.outer(np.sin(angle), side))
        )
    faces = _tube_faces(len(rings), sides)
    faces += [list(range(sides))[::-1], [(len(rings) - 1) * sides + k for k in range(sides)]]
    return mesh_object(name, np.concatenate(rings), faces, material, 50.0)


def box(
    name: str,
    size: tuple[float, float, float],
    center: tuple[float, float, float],
    material: bpy.types.Material,
    bevel: float = 0.0,
) -> bpy.types.Object:
    """Make a box with edges rounded by `bevel`; its origin, and so its texture's, is `center`."""
    outline = [(-size[0] / 2, -size[2] / 2), (size[0] / 2, -size[2] / 2)]
    outline += [(size[0] / 2, size[2] / 2), (-size[0] / 2, size[2] / 2)]
    thing = extruded(name, outline, size[1], material, bevel)
    thing.matrix_world = Matrix.Translation(center)
    return thing


def extruded(
    name: str,
    outline: Sequence[tuple[float, float]],
    width: float,
    material: bpy.types.Material,
    bevel: float = 0.0,
) -> bpy.types.Object:
    """Extrude an outline of (x, z) points, counter-clockwise, by `width` along y around y = 0."""
    count = len(outline)
    vertices = [(x, side * width / 2, z) for side in (-1, 1) for x, z in outline]
    faces = [list(range(count)), [count + k for k in reversed(range(count))]]
    faces += [[(k + 1) % count, k, count + k, count + (k + 1) % count] for k in range(count)]
    thing = mesh_object(name, vertices, faces, material)
    if bevel > 0:
        modifier: Any = thing.modifiers.new("rounded edges", "BEVEL")
        modifier.width = bevel
        modifier.segments = 3
        modifier.limit_method = "ANGLE"
        modifier.angle_limit = math.radians(20)
        modifier.harden_normals = True
    return thing


def leaf(
    name: str, path: Points, width: float, fold: float, material: bpy.types.Material
) -> bpy.types.Object:
    """Make a leaf along the curve through `path` (N, 3), `width` across, folded up by `fold`."""
    steps, across = 18, 7
    centers = curve_through(path, steps)
    tangents = np.gradient(centers, axis=0)
    side = np.cross(tangents, [0.0, 0.0, 1.0])
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(side, tangents)
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    along = np.linspace(0, 1, steps)
    half = 0.5 * width * np.sin(math.pi * along**0.75) ** 0.8 + 0.0006
    offset = np.linspace(-1, 1, across)
    grid = (
        centers[:, None]
        + side[:, None] * (half[:, None] * offset)[..., None]
        + up[:, None] * (fold * half[:, None] * np.abs(offset))[..., None]
    )
    faces = [
        [row * across + k, row * across + k + 1, (row + 1) * across + k + 1, (row + 1) * across + k]
        for row in range(steps - 1)
        for k in range(across - 1)
    ]
    return mesh_object(name, grid.reshape(-1, 3), faces, material, 80.0)


def _tube_faces(rings: int, sides: int) -> list[list[int]]:
    """Return the quads between successive rings of `sides` vertices each."""
    return [
        [
            ring * sides + k,
            ring * sides + (k + 1) % sides,
            (ring + 1) * sides + (k + 1) % sides,
            (ring + 1) * sides + k,
        ]
        for ring in range(rings - 1)
        for k in range(sides)
    ]
