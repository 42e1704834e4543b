# SPDX-License-Identifier: GPL-3.0-or-later
"""What the extension keeps in the .blend, as every other module reads and writes it.

The groups of properties are defined in `properties`, whose callbacks need the features. These
descriptions need nothing and so can stand below them; a test keeps both alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from bpy.types import ID, Camera, Collection, Object, Scene


class CollectionSettings(Protocol):
    """`Collection.cgc`: a capture, a part of one, or nothing of ours."""

    version: int
    """Form of what is kept here, see `format_version`."""
    kind: str
    """One of `choices.COLLECTION_KINDS`."""
    segment: int
    """Id of the segment in label maps, 0 for none."""
    color: Sequence[float]
    """(3,) sRGB, 0..1."""
    named: bool
    pinned: bool
    hidden_before: Sequence[bool]
    """Hidden in viewports, and in renders."""
    title: str
    """Read from Blender, as the two that follow; setting them changes objects."""
    selected: bool
    shown: bool
    isolated: bool
    """Of a capture, as all that follows."""
    map_origin: Sequence[float]
    """(3,) what its frame is relative to in the frame of its files, scene units."""
    dataset: str
    run: str
    granularity: float
    minimum_size: int
    """Gaussians."""
    merge_tree: str
    """See `segments.merge_tree`."""


class ObjectSettings(Protocol):
    """`Object.cgc`."""

    kind: str
    """One of `choices.OBJECT_KINDS`."""
    origin: Sequence[float]
    """(3,) of a splat: where the origin of its data lies in the frame it was read in."""


class CameraSettings(Protocol):
    """`Camera.cgc`: intrinsics of the photo, in its pixels."""

    photo: str
    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float


class SceneSettings(Protocol):
    """`Scene.cgc`: what the panel asks for; texts that are choices are named in `choices`."""

    version: int
    """As that of collections."""
    dataset: str
    run: str
    photo_mask_model: str
    photo_mask_levels: str
    review_level: str
    review_opacity: float
    preset: str
    backend: str
    steps: int
    """0, here and below: as the preset says."""
    minutes: float
    maximum_gaussians: int
    maximum_size: int
    """Pixels."""
    test_every: int
    seed: int
    features: str
    reduction: str
    spatial: str
    live_preview: bool
    look_color: str
    look_shape: str
    look_size: float
    """Factor."""
    look_detail: int
    """Subdivisions of ellipsoids."""
    look_threshold: float
    """Opacity at which ellipsoids end."""
    look_applied: Sequence[float]
    """(3,) size, detail and threshold that modifiers were given last."""
    stroke_mode: str
    stroke_through: bool
    stroke_radius: float
    """Pixels."""
    active_segment: int
    """Index in `bpy.data.collections`, −1 for none; read from Blender."""
    mask_cameras: str
    mask_folder: str
    mask_palette: bool
    mask_exr: bool
    mask_overwrite: bool


def of_collection(collection: Collection) -> CollectionSettings:
    """Return the properties of a collection."""
    return _group(collection)


def of_object(item: Object) -> ObjectSettings:
    """Return the properties of an object."""
    return _group(item)


def of_camera(camera: Camera) -> CameraSettings:
    """Return the properties of a camera's data."""
    return _group(camera)


def of_scene(scene: Scene) -> SceneSettings:
    """Return the properties of a scene."""
    return _group(scene)


def has_settings(owner: Collection | Object | Scene) -> bool:
    """Return whether properties of ours were ever asked of a data-block; leaves no trace itself."""
    return owner.is_property_set("cgc")


def is_untouched(scene: Scene) -> bool:
    """Return whether all that the panel asks for is as it comes."""
    stored = SceneSettings.__annotations__.keys() - {"version", "active_segment"}
    return not any(_group(scene).is_property_set(name) for name in stored)


def _group(owner: ID) -> Any:
    """Return what registering hung onto Blender's type, which its stubs cannot know."""
    return owner.cgc  # pyright: ignore[reportAttributeAccessIssue]
