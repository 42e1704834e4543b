# SPDX-License-Identifier: GPL-3.0-or-later
"""The first look at a capture, the same whichever way it came in: framed, and in its colours.

A scene in which nobody has done anything yet is set up for it as a whole. In one that is in use
viewports move to the capture, and nothing else of the user's is touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import bpy
import numpy as np
from mathutils import Matrix

from ..common.context import members_of
from ..common.windows import viewports_in
from .interest import Interest, interest_of
from .parts import captures, objects_of_kind
from .view_transform import keep_photo_colors_if_untouched

if TYPE_CHECKING:
    from bpy.types import Area, Collection, Context, Mesh, Object, Region, Scene, SpaceView3D

FACTORY_PLACES = {
    "CAMERA": (7.358891, -6.925791, 4.958309),
    "LIGHT": (4.076245, 1.005454, 5.903862),
}
"""Where Blender puts what its startup file holds beside the cube."""
WIDEST = 36.0
"""Millimetres of the sensor across the longer side of a viewport, which Blender takes twice."""
MARGIN = 1.1
"""Times as far as needed: nothing touches the edges."""
BEFORE_CAMERA = 0.85
"""Of a camera's distance: the frame that Blender draws of it is behind, then …"""
NEAREST = 0.65
"""… unless that is nearer than this share of the distance at which everything is seen."""
_USUAL_SIZE = (1600, 900)
"""Pixels of a viewport that was never drawn."""


@contextmanager
def first_look(context: Context, scene: Scene, *, hide_lines: bool = True) -> Iterator[None]:
    """Show the captures that come into a scene while the block runs.

    Captures that were there before have had their first look: nothing is changed for them.

    Args:
        context: Blender's.
        scene: where they come into.
        hide_lines: switch off Relationship Lines, which lead from every camera to the root.
    """
    before, untouched = set(captures(scene)), is_untouched(scene)
    yield
    for capture in captures(scene):
        if capture not in before:
            _show(context, scene, capture, untouched, hide_lines)


def is_untouched(scene: Scene) -> bool:
    """Return whether a scene holds nothing but what comes with Blender's startup file, or less."""
    return all(_is_factory(item) for item in scene.objects)


def _show(
    context: Context, scene: Scene, capture: Collection, untouched: bool, hide_lines: bool
) -> None:
    if untouched:
        for item in list(scene.objects):
            if _is_factory_cube(item):
                _remove(item)
        keep_photo_colors_if_untouched(scene)
        cameras = objects_of_kind(capture, "CAMERA")
        if cameras and scene.camera not in cameras:
            scene.camera = cameras[0]
    interest = interest_of(capture, bpy.context.evaluated_depsgraph_get())
    for area, view in _viewports(context, scene, untouched):
        if hide_lines:
            # From the root to every camera: a bundle of them through the scene.
            view.overlay.show_relationship_lines = False
        if untouched:
            view.shading.type = "SOLID"  # in which the extension draws splats as in any, and sooner
        if interest is not None:
            _frame(area, view, interest)


def _viewports(
    context: Context, scene: Scene, everywhere: bool
) -> Iterator[tuple[Area, SpaceView3D]]:
    """Yield the viewports that show a scene now, or those of every screen of the file."""
    manager = members_of(context).window_manager
    windows = [] if manager is None else [one for one in manager.windows if one.scene == scene]
    screens = bpy.data.screens if everywhere else dict.fromkeys(one.screen for one in windows)
    for screen in screens:
        for area in screen.areas:
            for view in viewports_in([area]):
                yield area, view


def _frame(area: Area, view: SpaceView3D, interest: Interest) -> None:
    """Let a viewport see what is of interest; one that looks through a camera goes on doing so."""
    region = view.region_3d
    if region is None or view.local_view is not None:
        return
    if region.view_perspective != "CAMERA":
        turn = np.array(region.view_rotation.to_matrix()[:])
        before = np.inf
        if interest.side is not None and region.view_perspective == "PERSP":
            turn = interest.turned()
            region.view_rotation = Matrix(turn.tolist()).to_quaternion()
            before = BEFORE_CAMERA * float(np.linalg.norm(interest.side))
        distance = MARGIN * interest.distance(turn, _tangents(area, view))
        if NEAREST * distance < before < distance:
            distance = before
        region.view_location = interest.middle.tolist()
        region.view_distance = distance
    view.clip_end = max(view.clip_end, 20.0 * interest.reach)
    view.clip_start = min(view.clip_start, interest.radius / 100.0)


def _tangents(area: Area, view: SpaceView3D) -> tuple[float, float]:
    """Return the tangents of half the angles that a viewport sees, across and upright."""
    region = next((one for one in area.regions if one.type == "WINDOW"), None)
    width, height = _size(region)
    across = WIDEST / view.lens / max(width, height)
    return across * width, across * height


def _size(region: Region | None) -> tuple[int, int]:
    if region is None or min(region.width, region.height) < 2:
        return _USUAL_SIZE
    return region.width, region.height


def _is_factory(item: Object) -> bool:
    if item.type == "MESH":
        return _is_factory_cube(item)
    place = FACTORY_PLACES.get(item.type)
    return place is not None and bool(np.allclose(item.location[:], place, atol=1e-4))


def _is_factory_cube(item: Object) -> bool:
    """Return whether an object is the cube of the startup file, and nobody has done anything to it.

    A cube that was moved, edited, or given anything is the user's, and so is one that was added:
    that of the startup file alone has a material.
    """
    if item.type != "MESH" or item.mode != "OBJECT" or item.matrix_basis != Matrix.Identity(4):
        return False
    if item.parent or item.children or item.modifiers or item.constraints or item.animation_data:
        return False
    mesh = cast("Mesh", item.data)
    if (len(mesh.vertices), len(mesh.edges), len(mesh.polygons)) != (8, 12, 6):
        return False
    if mesh.users > 1 or len(mesh.materials) != 1 or mesh.shape_keys:
        return False
    corners = np.empty(24, np.float32)
    mesh.vertices.foreach_get("co", corners)
    return bool((np.abs(corners) == 1.0).all())


def _remove(item: Object) -> None:
    data = cast("Mesh", item.data)
    materials: Iterable[bpy.types.Material | None] = list(data.materials)
    bpy.data.objects.remove(item)
    bpy.data.meshes.remove(data)
    for material in materials:
        if material is not None and not material.users:
            bpy.data.materials.remove(material)
