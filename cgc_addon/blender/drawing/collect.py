# SPDX-License-Identifier: GPL-3.0-or-later
"""The splats that a viewport shows, read from Blender's scene as seldom as can be.

A redraw in which nothing has changed costs a look into a dictionary, a change of place, selection
or visibility a walk over the splats; Gaussians are read only when Blender says that their data was
touched, and they stay the same object when it turns out that no number is another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import bpy
import numpy as np

from ...srgb import srgb_from_linear
from ..common.access import has_settings, of_collection, of_scene
from ..splats.looks import is_segment, splats_of_scene
from ..splats.objects import data_of, fingerprint, gaussians_of
from .feature_basis import FeatureBasis
from .instancing import may_be_instanced
from .places import may_be_drawn, places_of_instances, places_of_objects
from .shown import Appearance, StoredSplat

if TYPE_CHECKING:
    from bpy.types import Depsgraph, Object, PointCloud, Scene, SpaceView3D, ViewLayer

KEPT_CHANGES = 32
"""What a viewport showed is forgotten when it was not drawn for so many changes."""
OF_SCENES = (bpy.types.PointCloud, bpy.types.Scene, bpy.types.Collection)
"""Data-blocks of which any change may be one of what is shown."""


@dataclass(frozen=True, eq=False)
class _Stored:
    """The Gaussians of a point cloud, and how to tell that they are still its own."""

    splat: StoredSplat
    fingerprint: int
    basis: FeatureBasis | None = None
    """What the colours of features were made with."""


@dataclass(frozen=True, eq=False)
class _View:
    """What one viewport showed last."""

    change: int
    """Number of the last change that it takes into account."""
    appearances: tuple[Appearance, ...]
    owners: tuple[int, ...]
    """Of each appearance: `session_uid` of the object that a click on it means."""
    clouds: frozenset[int]
    """Point clouds that are there, hidden ones too."""


class ShownScene:
    """What viewports show of the splats that the extension draws; `watch` has the only one.

    Example:
        >>> scene = ShownScene()
        >>> before = scene.appearances(depsgraph, space)  # doctest: +SKIP
        >>> scene.appearances(depsgraph, space) is before  # doctest: +SKIP
        True
    """

    def __init__(self) -> None:
        self._change = 0
        self._views: dict[tuple[object, ...], _View] = {}
        self._stored: dict[int, _Stored] = {}
        """By `session_uid` of the point cloud."""
        self._touched: set[int] = set()
        """Point clouds to be read again."""
        self._bases: dict[int, FeatureBasis] = {}
        """By `session_uid` of the scene."""
        self._instanced = False

    def appearances(
        self, depsgraph: Depsgraph, space: SpaceView3D | None
    ) -> tuple[Appearance, ...]:
        """Return every splat that is to be drawn, instances one by one.

        Args:
            depsgraph: of a viewport, up to date.
            space: the viewport, None for what is visible in the view layer.

        Returns:
            The very same tuple as before where nothing has changed.
        """
        return self._view(depsgraph, space).appearances

    def owners(self, depsgraph: Depsgraph, space: SpaceView3D | None) -> tuple[int, ...]:
        """Return the `session_uid` of the object in the scene that each appearance belongs to."""
        return self._view(depsgraph, space).owners

    def note(self, depsgraph: Depsgraph) -> None:
        """Learn from a dependency graph what it has just evaluated anew."""
        if depsgraph.mode != "VIEWPORT":
            return
        updates = list(depsgraph.updates)
        self._touched.update(
            cast("PointCloud", update.id.original).session_uid
            for update in updates
            if isinstance(update.id, bpy.types.PointCloud)
        )
        if any(self._is_relevant(update) for update in updates):
            self._change += 1

    def note_change(self) -> None:
        """Learn that anything but the Gaussians may have changed."""
        self._change += 1

    def forget(self) -> None:
        """Forget everything, as when another file is opened."""
        self._views.clear()
        self._stored.clear()
        self._touched.clear()
        self._bases.clear()

    def _is_relevant(self, update: bpy.types.DepsgraphUpdate) -> bool:
        changed = update.id
        if isinstance(changed, bpy.types.Object):
            if self._instanced or changed.type == "POINTCLOUD" or changed.instance_type != "NONE":
                return True
            return len(changed.modifiers) > 0 and update.is_updated_geometry
        return isinstance(changed, OF_SCENES)

    def _view(self, depsgraph: Depsgraph, space: SpaceView3D | None) -> _View:
        scene, layer = _scene_of(depsgraph), _layer_of(depsgraph)
        # To ask for settings where there are none leaves a trace.
        by_feature = has_settings(scene) and of_scene(scene).look_color == "FEATURE"
        key = (scene.session_uid, layer.name, by_feature, *_filter(space))
        former = self._views.get(key)
        if former is not None and former.change == self._change:
            return former
        view = self._collected(depsgraph, space, by_feature)
        if former is not None:
            view = _with_former(view, former)
        self._views[key] = view
        self._forget_unused()
        return view

    def _collected(
        self, depsgraph: Depsgraph, space: SpaceView3D | None, by_feature: bool
    ) -> _View:
        layer = _layer_of(depsgraph)
        present = [item for item in bpy.data.objects if may_be_drawn(item)]
        basis = self._basis(_scene_of(depsgraph)) if by_feature else None
        if basis is None:
            self._bases.pop(_scene_of(depsgraph).session_uid, None)
        self._instanced = may_be_instanced(present)
        if self._instanced:
            places = places_of_instances(depsgraph)
        else:
            places = places_of_objects(depsgraph, present)
        clouds = {data_of(item).session_uid for item in present}
        active, colors = layer.objects.active, _segment_colors()
        appearances: list[Appearance] = []
        owners: list[int] = []
        for place in places:
            if not place.is_visible(layer, space):
                continue
            clouds.add(data_of(place.item).session_uid)
            color = colors.get(place.item.session_uid) or _own_color(place.item)
            appearances.append(
                Appearance(
                    self._splat(place.item, basis),
                    place.matrix,
                    color,
                    place.owner.select_get(view_layer=layer),
                    place.owner == active,
                )
            )
            owners.append(place.owner.session_uid)
        return _View(self._change, tuple(appearances), tuple(owners), frozenset(clouds))

    def _splat(self, item: Object, basis: FeatureBasis | None) -> StoredSplat:
        """Return the Gaussians of a splat, read if they are not known or are not the same."""
        cloud = data_of(item)
        identifier = cloud.session_uid
        known = self._stored.get(identifier)
        if known is None or identifier in self._touched:
            self._touched.discard(identifier)
            numbers = fingerprint(cloud)
            if known is None or known.fingerprint != numbers:
                # Features are drawn as colours, segments by their collections.
                gaussians = replace(gaussians_of(item), features=None, segments=None)
                known = _Stored(StoredSplat(gaussians), numbers)
        if known.basis is not basis:
            colors = None if basis is None else basis.colors(cloud)
            known = replace(known, splat=replace(known.splat, feature_colors=colors), basis=basis)
        self._stored[identifier] = known
        return known.splat

    def _basis(self, scene: Scene) -> FeatureBasis:
        """Return how a scene shows features: the same while anything that it was made for is there.

        So colours stay when segments are merged, cut or edited.
        """
        clouds = {data_of(item).session_uid: data_of(item) for item in splats_of_scene(scene)}
        known = self._bases.get(scene.session_uid)
        if known is None or known.clouds.isdisjoint(clouds):
            known = FeatureBasis.of(clouds)
            self._bases[scene.session_uid] = known
        return known

    def _forget_unused(self) -> None:
        oldest = self._change - KEPT_CHANGES
        self._views = {key: view for key, view in self._views.items() if view.change >= oldest}
        used = set[int]().union(*(view.clouds for view in self._views.values()))
        for identifier in self._stored.keys() - used:
            del self._stored[identifier]
        self._touched &= used


def _scene_of(depsgraph: Depsgraph) -> Scene:
    return cast("Scene", depsgraph.scene)


def _layer_of(depsgraph: Depsgraph) -> ViewLayer:
    return cast("ViewLayer", depsgraph.view_layer)


def _filter(space: SpaceView3D | None) -> tuple[object, ...]:
    """Return what else than the scene decides about what a viewport shows."""
    if space is None:
        return (None,)
    return (
        space.as_pointer(),
        space.local_view is not None,
        space.use_local_collections,
        space.show_object_viewport_pointcloud,
    )


def _segment_colors() -> dict[int, tuple[float, float, float]]:
    """Return the sRGB colour of each object that is in a segment, by `session_uid`."""
    colors: dict[int, tuple[float, float, float]] = {}
    for collection in bpy.data.collections:
        if is_segment(collection):
            red, green, blue = of_collection(collection).color
            for item in collection.objects:
                colors.setdefault(item.session_uid, (red, green, blue))
    return colors


def _own_color(item: Object) -> tuple[float, float, float]:
    red, green, blue = srgb_from_linear(np.array(item.color[:3])).tolist()
    return red, green, blue


def _with_former(view: _View, former: _View) -> _View:
    """Return a view that takes what is as before from the former one."""
    if len(view.appearances) != len(former.appearances):
        return view
    pairs = zip(view.appearances, former.appearances, strict=True)
    kept = tuple(old if _is_same(new, old) else new for new, old in pairs)
    same = all(one is old for one, old in zip(kept, former.appearances, strict=True))
    return replace(view, appearances=former.appearances if same else kept)


def _is_same(one: Appearance, other: Appearance) -> bool:
    if one.splat is not other.splat or one.color != other.color:
        return False
    if (one.selected, one.active) != (other.selected, other.active):
        return False
    return bool((one.matrix == other.matrix).all())
