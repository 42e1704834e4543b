# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the parts of a capture are in a .blend: one collection with a root Empty and its parts.

A capture is found by the kinds that are stored on its collections and objects, never by names:
those are the user's. The data in it keeps COLMAP's frame; the root Empty turns and scales it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import bpy
import numpy as np
from mathutils import Matrix, Vector
from numpy.typing import NDArray

from ...errors import CgcError
from ..common.access import of_collection, of_object
from ..common.context import members_of
from ..common.format_version import FORMAT_VERSION

if TYPE_CHECKING:
    from bpy.types import Collection, Context, Object, Scene, ViewLayer


def captures(scene: Scene) -> list[Collection]:
    """Return the captures of a scene, in the order of its collections."""
    everywhere = scene.collection.children_recursive
    return [c for c in everywhere if of_collection(c).kind == "CAPTURE"]


def active_capture(context: Context) -> Collection | None:
    """Return the capture that the user works on."""
    scene = members_of(context).scene
    view_layer = members_of(context).view_layer
    if scene is None or view_layer is None:
        return None
    return active_capture_in(scene, view_layer)


def active_capture_in(scene: Scene, view_layer: ViewLayer) -> Collection | None:
    """Return the capture that the user works on in a view layer.

    It is that of the active object, else that of the active collection, else the scene's first.
    """
    item, layer_collection = view_layer.objects.active, view_layer.active_layer_collection
    capture = capture_of(item) if item is not None else None
    if capture is None and layer_collection is not None:
        capture = _capture_around(layer_collection.collection)
    return capture or next(iter(captures(scene)), None)


def wanted_capture(context: Context) -> Collection:
    """Return the active capture.

    Raises:
        CgcError: the scene has none.
    """
    capture = active_capture(context)
    if capture is None:
        raise CgcError("The scene has no capture; import one first.")
    return capture


def capture_of(item: Object) -> Collection | None:
    """Return the capture that an object is in, at any depth; None if it is in none."""
    for collection in item.users_collection:
        capture = _capture_around(collection)
        if capture is not None:
            return capture
    return None


def new_capture(scene: Scene, name: str, up: NDArray[np.float64] | None) -> Collection:
    """Make a capture with its root Empty and link it to the scene.

    Args:
        scene: where it is linked.
        name: wanted; Blender may shorten or number it.
        up: (3,) direction in the capture's frame that becomes the world's Z; None keeps Z.
    """
    capture = bpy.data.collections.new(name)
    mark(capture, "CAPTURE")
    new_root(capture, up)
    scene.collection.children.link(capture)
    return capture


def new_root(capture: Collection, up: NDArray[np.float64] | None) -> Object:
    """Give a capture the Empty that turns its frame so that `up` (3,) is the world's Z."""
    root = bpy.data.objects.new(capture.name, None)
    root.empty_display_type = "ARROWS"
    of_object(root).kind = "ROOT"
    root.matrix_basis = upright(up)
    capture.objects.link(root)
    return root


def root_of(capture: Collection) -> Object:
    """Return the Empty that carries orientation and scale of a capture.

    Raises:
        CgcError: it was deleted.
    """
    for item in objects_in(capture):  # the original comes before copies of it
        if of_object(item).kind == "ROOT":
            return item
    raise CgcError(
        f"{capture.name} has lost its root Empty, which holds it together; undo that, "
        "or import the capture again."
    )


def part(capture: Collection, kind: str, name: str) -> Collection:
    """Return the child collection of a kind, or make it.

    Args:
        capture: whose part.
        kind: "CAMERAS", "POINTS", "UNASSIGNED" or "BIN".
        name: wanted, if it has to be made.
    """
    for child in capture.children_recursive:
        if of_collection(child).kind == kind:
            return child
    made = bpy.data.collections.new(name)
    mark(made, kind)
    capture.children.link(made)
    return made


def mark(collection: Collection, kind: str) -> None:
    """Let a collection that was made just now say what it is, and in which form."""
    settings = of_collection(collection)
    settings.kind, settings.version = kind, FORMAT_VERSION


def objects_in(collection: Collection) -> list[Object]:
    """Return all objects of a collection and of those in it, each once.

    Blender's own `all_objects` is out of date after an undo.
    """
    collections = (collection, *collection.children_recursive)
    return list(dict.fromkeys(item for group in collections for item in group.objects))


def objects_of_kind(capture: Collection, kind: str) -> list[Object]:
    """Return the objects of a kind ("CAMERA", "POINTS", "SPLAT"), wherever in the capture."""
    return [item for item in objects_in(capture) if of_object(item).kind == kind]


def segment_collections(capture: Collection) -> list[Collection]:
    """Return the collections of the capture's segments, ordered by the numbers of these."""
    found = [c for c in capture.children_recursive if of_collection(c).kind == "SEGMENT"]
    return sorted(found, key=lambda collection: of_collection(collection).segment)


def upright(up: NDArray[np.float64] | None) -> Matrix:
    """Return the smallest rotation (4×4) that turns `up` (3,) into the world's Z; None keeps it."""
    if up is None:
        return Matrix.Identity(4)
    wanted, given = Vector((0.0, 0.0, 1.0)), Vector(tuple(up)).normalized()
    if given.dot(wanted) < -0.999999:  # the rotation between opposites is not defined
        return Matrix.Rotation(np.pi, 4, "X")
    return given.rotation_difference(wanted).to_matrix().to_4x4()


def _capture_around(collection: Collection) -> Collection | None:
    if of_collection(collection).kind == "CAPTURE":
        return collection
    return next((c for c in _all_captures() if collection in c.children_recursive), None)


def _all_captures() -> Iterator[Collection]:
    return (c for c in bpy.data.collections if of_collection(c).kind == "CAPTURE")
