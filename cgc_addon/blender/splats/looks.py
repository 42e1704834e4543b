# SPDX-License-Identifier: GPL-3.0-or-later
"""How splats look in the viewport and in renders: their colours, and who draws them as what.

Two materials serve all splats of a file. Both only shine: a photo has its light in it already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import bpy
import numpy as np

from ...srgb import linear_from_srgb
from ..capture.parts import objects_in
from ..common.access import has_settings, of_collection, of_scene
from ..common.context import scene_of
from ..common.nodes import add_attribute, add_vector_math, input_identifiers, input_of, set_input
from .ellipsoids import ellipsoid_modifier, hide_ellipsoids, show_ellipsoids
from .objects import COLOR, data_of, is_splat, set_native
from .point_size import hide_points, point_modifier, show_points
from .stand_in import remove_stand_in, show_stand_in

if TYPE_CHECKING:
    from bpy.types import (
        Collection,
        Material,
        NodesModifier,
        NodeSocket,
        NodeTree,
        Object,
        Scene,
    )

    from ..common.access import SceneSettings

MATERIAL_NAMES = {"PHOTO": "Splat Photo", "SEGMENT": "Splat Segments"}
MARK = "cgc_look"
"""Custom property of the materials; it outlives renaming, appending and linking."""
VERSION = 1
SAME = 1e-6
"""Numbers that differ by less are the same one."""


def apply_look(item: Object, scene: Scene | None = None) -> None:
    """Give a splat the look that a scene asks for.

    Args:
        item: splat; one that is linked from another file keeps its look.
        scene: whose settings count, None for the one shown.
    """
    if is_splat(item):
        apply_look_to([item], scene or scene_of(bpy.context))


def apply_look_to_scene(scene: Scene) -> None:
    """Give every splat of a scene, instanced ones too, the look that the scene asks for."""
    apply_look_to(splats_of_scene(scene), scene)


def apply_look_to(items: Iterable[Object], scene: Scene) -> None:
    """Give splats the look that a scene asks for, as far as they do not have it yet."""
    editable = [item for item in items if item.is_editable]
    if not editable:
        return
    settings = of_scene(scene)
    shape, by_segment = settings.look_shape, settings.look_color == "SEGMENT"
    material = _material("SEGMENT" if by_segment else "PHOTO")
    numbers = _numbers(settings)
    for item in editable:
        cloud = data_of(item)
        if cloud.is_editable:
            # Renders show Blender's own splats also while viewports are drawn by the extension.
            set_native(cloud, shape in ("SPLATS", "NATIVE") and not by_segment)
            if not cloud.materials:
                cloud.materials.append(material)
            elif cloud.materials[0] != material:
                cloud.materials[0] = material
        if shape == "ELLIPSOIDS":
            show_ellipsoids(item, material, numbers)
        else:
            hide_ellipsoids(item)
        if shape == "POINTS":
            show_points(item, settings.look_size)
        else:
            hide_points(item)
        if shape == "SPLATS":
            show_stand_in(item)
        else:
            remove_stand_in(item)
    colorless = set(editable)
    for collection in bpy.data.collections:
        if is_segment(collection):
            for item in colorless.intersection(collection.objects):
                _color_object(item, collection)
                colorless.remove(item)


def apply_numbers_to_scene(scene: Scene) -> None:
    """Give the modifiers of a scene's splats the size, detail and threshold that the scene has now.

    One whose number a person has changed keeps it.
    """
    settings = of_scene(scene)
    wanted = _numbers(settings)
    before = dict(zip(wanted, settings.look_applied, strict=True))
    for item in splats_of_scene(scene):
        if not item.is_editable:
            continue
        if settings.look_shape == "POINTS" and point_modifier(item) is None:
            show_points(item, settings.look_size)
        modifier = ellipsoid_modifier(item) or point_modifier(item)
        if modifier is not None and _renew(modifier, before, wanted):
            item.update_tag()
    settings.look_applied = tuple(float(value) for value in wanted.values())


def _renew(
    modifier: NodesModifier, before: Mapping[str, float], wanted: Mapping[str, float]
) -> bool:
    """Give a modifier new numbers in place of those it was given; return whether any is another."""
    changed = False
    assert modifier.node_group is not None
    for name in input_identifiers(modifier.node_group):
        if name in wanted:
            now = float(cast("float", input_of(modifier, name)))
            if abs(now - before[name]) < SAME:
                changed |= set_input(modifier, name, wanted[name])
    return changed


def _numbers(settings: SceneSettings) -> dict[str, float]:
    """Return what a scene sets, by the names that modifiers have for it."""
    return {
        "Size": settings.look_size,
        "Detail": settings.look_detail,
        "Threshold": settings.look_threshold,
    }


def is_segment(collection: Collection) -> bool:
    """Return whether a collection is that of a segment, or of Gaussians in none."""
    return has_settings(collection) and of_collection(collection).kind in ("SEGMENT", "UNASSIGNED")


def show_segment_color(collection: Collection) -> None:
    """Give the splats of a segment its colour."""
    for item in collection.objects:
        if is_splat(item) and item.is_editable:
            _color_object(item, collection)


def splats_of_scene(scene: Scene) -> Iterator[Object]:
    """Yield the splats of a scene, instanced ones too, each once."""
    seen: set[Object] = set()
    waiting = list(scene.objects)
    while waiting:
        item = waiting.pop()
        if item in seen:
            continue
        seen.add(item)
        if is_splat(item):
            yield item
        if item.instance_collection is not None:
            waiting.extend(objects_in(item.instance_collection))


def _color_object(item: Object, collection: Collection) -> None:
    linear = linear_from_srgb(np.array(of_collection(collection).color[:]))
    color = (*(float(value) for value in linear), 1.0)
    if not np.allclose(item.color[:], color, rtol=0.0, atol=1e-6):
        item.color = color


def _material(look: str) -> Material:
    """Return the material of a look, made where this file has none."""
    mark = f"{look} {VERSION}"
    for material in bpy.data.materials:
        if material.get(MARK) == mark and material.library is None:
            return material
    material = bpy.data.materials.new(MATERIAL_NAMES[look])
    material[MARK] = mark
    if material.node_tree is None:
        material.use_nodes = True
    tree = cast("NodeTree", material.node_tree)
    tree.nodes.clear()
    color = _photo_color(tree) if look == "PHOTO" else _object_color(tree)
    emission = tree.nodes.new("ShaderNodeEmission")
    tree.links.new(color, emission.inputs["Color"])
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    output.location = (400.0, 0.0)
    emission.location = (200.0, 0.0)
    tree.links.new(emission.outputs["Emission"], output.inputs["Surface"])
    cycles: Any = getattr(material, "cycles", None)
    if cycles is not None:
        # Hundreds of thousands of little lamps would have to be sorted before each render.
        cycles.emission_sampling = "NONE"
    return material


def _photo_color(tree: NodeTree) -> NodeSocket:
    """Return the colour of a point, or of the instance that an ellipsoid is; one of both is 0."""
    total = add_vector_math(tree, "ADD")
    of_point = add_attribute(tree, "GEOMETRY", COLOR)
    of_instance = add_attribute(tree, "INSTANCER", COLOR)
    for slot, attribute in enumerate((of_point, of_instance)):
        attribute.location = (-400.0, -200.0 * slot)
        tree.links.new(attribute.outputs["Color"], total.inputs[slot])
    # Harmonics may go below black; light cannot.
    clipped = add_vector_math(tree, "MAXIMUM")
    total.location, clipped.location = (-200.0, 0.0), (0.0, 0.0)
    tree.links.new(total.outputs["Vector"], clipped.inputs[0])
    return clipped.outputs["Vector"]


def _object_color(tree: NodeTree) -> NodeSocket:
    # Where an Empty instances the collection, Object Info tells the Empty's colour instead, and so
    # does the plain name `color` in Cycles.
    return add_attribute(tree, "OBJECT", "original.color").outputs["Color"]
