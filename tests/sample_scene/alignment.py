# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof that the exported cameras and the rendered ids describe the same pixels.

Both checks start from the files, as a reader of the dataset has them, and from the scene's meshes.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from capture import Intrinsics, read_cameras, set_camera
from inconsistent_masks import PARTS_PER_OBJECT, read_label_map
from mathutils import Vector
from numpy.typing import NDArray

TOLERANCE = 0.1
"""Pixels by which camera and ids may differ."""


def assert_aligned(dataset: Path, log: logging.Logger) -> None:
    """Raise AssertionError unless cameras and ids of `dataset` agree to within TOLERANCE.

    1. Vertices of the objects, projected with the exported camera, land where Blender's own
       projection puts them. The largest distance is in pixels.
    2. Rays through pixel centres, made from the exported camera alone, meet the object that gt/
       says. Only pixels at edges can tell; if the grids were off by d pixels, about a share d of
       these would differ. So the share is an estimate of the offset in pixels.
    3. Vertices that are in sight lie inside their object's ids, or within a pixel of them; a few
       are seen through gaps finer than a pixel.
    """
    lens, views = read_cameras(dataset / "sparse" / "0")
    vertices, ids = _object_vertices()
    worst, different, edges, strays, in_sight = 0.0, 0, 0, 0, 0
    for name, pose in views.items():
        set_camera(lens, pose)
        objects = read_label_map(dataset / "gt" / f"{Path(name).stem}.png")
        places = lens.project(vertices @ pose[:3, :3].T + pose[:3, 3])
        worst = max(worst, float(np.abs(places - _blender_places(lens, vertices)).max()))
        wrong, tested = _edge_pixels_that_differ(lens, pose, objects)
        different, edges = different + wrong, edges + tested
        wrong, tested = _vertices_outside_their_ids(lens, pose, objects, vertices, ids, places)
        strays, in_sight = strays + wrong, in_sight + tested
    offset = different / edges
    log.info("vertices: exported and Blender's projection differ by up to %.2g pixels", worst)
    log.info("edges: %d of %d pixels differ, about %.2g pixels", different, edges, offset)
    log.info("vertices in sight: %d of %d lie outside their object's ids", strays, in_sight)
    if worst > TOLERANCE or offset > TOLERANCE or strays > 0.005 * in_sight or in_sight == 0:
        raise AssertionError("The exported cameras do not fit the rendered ids.")


def _object_vertices() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return every seventh vertex (N, 3) of the objects, in the world, and its object id (N,)."""
    vertices, ids = [], []
    graph = bpy.context.evaluated_depsgraph_get()
    scene: Any = bpy.context.scene
    for thing in scene.objects:
        object_id = thing.pass_index // PARTS_PER_OBJECT
        if thing.type == "MESH" and object_id > 0:
            evaluated = thing.evaluated_get(graph)
            some = [evaluated.matrix_world @ v.co for v in list(evaluated.data.vertices)[::7]]
            vertices += some
            ids += [object_id] * len(some)
    return np.array(vertices, dtype=np.float64), np.array(ids)


def _blender_places(lens: Intrinsics, vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return pixel places (N, 2) of vertices (N, 3) by Blender's own projection."""
    scene: Any = bpy.context.scene
    seen = [world_to_camera_view(scene, scene.camera, Vector(vertex)) for vertex in vertices]
    share = np.array(seen, dtype=np.float64)[:, :2]
    return np.column_stack([share[:, 0] * lens.width, (1 - share[:, 1]) * lens.height])


def _edge_pixels_that_differ(
    lens: Intrinsics, pose: NDArray[np.float64], objects: NDArray[np.uint16]
) -> tuple[int, int]:
    """Count pixels beside an edge between ids whose ray meets another object; and such pixels."""
    edge = np.zeros(objects.shape, dtype=bool)
    edge[:, 1:] |= objects[:, 1:] != objects[:, :-1]
    edge[1:] |= objects[1:] != objects[:-1]
    rows, columns = np.nonzero(edge)
    rays = lens.rays(np.column_stack([columns, rows]) + 0.5) @ pose[:3, :3]
    eye = -pose[:3, :3].T @ pose[:3, 3]
    met = np.array([_object_met(eye, ray)[0] for ray in rays])
    return int((met != objects[rows, columns]).sum()), len(rows)


def _vertices_outside_their_ids(
    lens: Intrinsics,
    pose: NDArray[np.float64],
    objects: NDArray[np.uint16],
    vertices: NDArray[np.float64],
    ids: NDArray[np.int64],
    places: NDArray[np.float64],
) -> tuple[int, int]:
    """Count vertices in sight more than a pixel from their ids in the map; and those in sight."""
    eye = -pose[:3, :3].T @ pose[:3, 3]
    rows, columns = np.floor(places[:, 1]).astype(int), np.floor(places[:, 0]).astype(int)
    inside = (rows > 0) & (columns > 0) & (rows < lens.height - 1) & (columns < lens.width - 1)
    outside = in_sight = 0
    for k in np.flatnonzero(inside)[::5]:
        met, distance = _object_met(eye, vertices[k] - eye)
        if met == ids[k] and abs(distance - np.linalg.norm(vertices[k] - eye)) < 1e-4:
            in_sight += 1
            near = objects[rows[k] - 1 : rows[k] + 2, columns[k] - 1 : columns[k] + 2]
            outside += int(not (near == ids[k]).any())
    return outside, in_sight


def _object_met(eye: NDArray[np.float64], ray: NDArray[np.float64]) -> tuple[int, float]:
    """Return the id of the object that a ray from `eye` (3,) meets first, and how far it is."""
    scene: Any = bpy.context.scene
    graph = bpy.context.evaluated_depsgraph_get()
    hit, place, _, _, thing, _ = scene.ray_cast(
        graph, Vector(eye.tolist()), Vector(ray.tolist()).normalized()
    )
    if not hit:
        return -1, np.inf
    return thing.pass_index // PARTS_PER_OBJECT, float(np.linalg.norm(np.array(place) - eye))
