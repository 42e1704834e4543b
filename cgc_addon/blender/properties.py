# SPDX-License-Identifier: GPL-3.0-or-later
# Blender makes properties of annotations that are calls.
# pyright: reportInvalidTypeForm=false
"""What the extension keeps in the .blend: one group of properties on each kind of data-block.

Everything a capture is lies here and in the attributes of its point clouds, so that saving, undo,
copying and appending keep it whole. How far a running job is, is not kept (see `jobs`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import bpy
from bpy.props import (
    BoolProperty,
    BoolVectorProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..cgc.settings import DEFAULT_GRANULARITY
from .common.access import of_collection
from .common.choices import (
    BACKENDS,
    COLLECTION_KINDS,
    FEATURE_MODES,
    LOOK_COLORS,
    LOOK_SHAPES,
    MASK_CAMERAS,
    OBJECT_KINDS,
    PHOTO_MASK_LEVELS,
    PHOTO_MASK_MODELS,
    PRESETS,
    REDUCTIONS,
    REVIEW_LEVELS,
    SPATIAL_LOSSES,
    STROKE_MODES,
)
from .common.display_attributes import SURFACE_OPACITY
from .common.windows import redraw_viewports
from .photo_masks import overlay
from .segments import selection
from .segments.data import rename, tag_color
from .splats import looks

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import PropertyFlagItems
    from bpy.types import Collection, Context, PropertyGroup, Scene

PATH_OPTIONS: set[PropertyFlagItems] = {"PATH_SUPPORTS_BLEND_RELATIVE"}
"""Paths may begin with // as everywhere in Blender: read them with `bpy.path.abspath`."""


def _color_changed(group: PropertyGroup, _context: Context) -> None:
    looks.show_segment_color(_collection(group))
    tag_color(_collection(group))


def _look_changed(group: PropertyGroup, _context: Context) -> None:
    looks.apply_look_to_scene(cast("Scene", group.id_data))
    redraw_viewports(bpy.context)


def _numbers_changed(group: PropertyGroup, _context: Context) -> None:
    looks.apply_numbers_to_scene(cast("Scene", group.id_data))
    redraw_viewports(bpy.context)


def _overlay_changed(_group: PropertyGroup, _context: Context) -> None:
    overlay.redraw()


def _title(group: PropertyGroup) -> str:
    return _collection(group).name


def _set_title(group: PropertyGroup, title: str) -> None:
    if title.strip():
        rename(_collection(group), title.strip())
        of_collection(_collection(group)).named = True


def _selected(group: PropertyGroup) -> bool:
    return selection.is_selected(_collection(group))


def _set_selected(group: PropertyGroup, on: bool) -> None:
    selection.select(_collection(group), on)


def _shown(group: PropertyGroup) -> bool:
    return selection.is_shown(_collection(group))


def _set_shown(group: PropertyGroup, on: bool) -> None:
    selection.show(_collection(group), on)


def _active_segment(_group: PropertyGroup) -> int:
    active = selection.active_segment()
    return -1 if active is None else list(bpy.data.collections).index(active)


def _set_active_segment(_group: PropertyGroup, index: int) -> None:
    if 0 <= index < len(bpy.data.collections):
        selection.make_active(bpy.data.collections[index])


def _collection(group: PropertyGroup) -> Collection:
    return cast("Collection", group.id_data)


class CgcCollection(bpy.types.PropertyGroup):
    """`Collection.cgc`."""

    version: IntProperty(
        name="Version",
        description="Form of what is kept here; 0: as version 0.1.0 of the extension wrote it",
        min=0,
        options={"HIDDEN"},
    )
    kind: EnumProperty(name="Kind", items=COLLECTION_KINDS, default="NONE")
    segment: IntProperty(
        name="Segment", description="Number of the segment in label renders", default=0, min=0
    )
    color: FloatVectorProperty(
        name="Color",
        description="Colour of the segment in the viewport and in palettes",
        subtype="COLOR_GAMMA",
        size=3,
        min=0.0,
        max=1.0,
        default=(0.5, 0.5, 0.5),
        update=_color_changed,
    )
    named: BoolProperty(name="Named", description="The name was given by a person", default=False)
    pinned: BoolProperty(
        name="Pinned",
        description="Changing the granularity leaves this segment as it is",
        default=False,
    )
    hidden_before: BoolVectorProperty(
        name="Hidden Before",
        description="Hidden in viewports and in renders before another segment was isolated",
        size=2,
        default=(False, False),
        options={"HIDDEN"},
    )
    # Read from Blender, not stored:
    title: StringProperty(
        name="Name",
        description="Name of the segment; its objects follow",
        get=_title,
        set=_set_title,
    )
    selected: BoolProperty(
        name="Select",
        description="Select the objects of this segment, or deselect them",
        get=_selected,
        set=_set_selected,
    )
    shown: BoolProperty(
        name="Show",
        description="Show this segment in the viewport, in renders, masks and exports",
        get=_shown,
        set=_set_shown,
    )
    # Of a capture:
    map_origin: FloatVectorProperty(
        name="Map Origin",
        description="Place in map coordinates that this capture is relative to",
        size=3,
        default=(0.0, 0.0, 0.0),
        options={"HIDDEN"},
    )
    isolated: BoolProperty(
        name="Isolated",
        description="Some segments are shown alone for the time being",
        default=False,
        options={"HIDDEN"},
    )
    dataset: StringProperty(
        name="Dataset",
        description="Folder of the capture this came from",
        subtype="DIR_PATH",
        options=PATH_OPTIONS,
    )
    run: StringProperty(
        name="Run",
        description="Folder of the training run this came from",
        subtype="DIR_PATH",
        options=PATH_OPTIONS,
    )
    granularity: FloatProperty(
        name="Granularity",
        description="From parts of objects at 0 to whole objects at 1",
        subtype="FACTOR",
        min=0.0,
        max=1.0,
        default=DEFAULT_GRANULARITY,
    )
    minimum_size: IntProperty(
        name="Smallest Segment",
        description="Gaussians that a segment needs; smaller ones become unassigned",
        min=1,
        soft_max=1000,
        default=10,
    )
    merge_tree: StringProperty(
        name="Merge Tree",
        description="How clusters join to segments, as JSON",
        options={"HIDDEN"},
    )


class CgcObject(bpy.types.PropertyGroup):
    """`Object.cgc`."""

    kind: EnumProperty(name="Kind", items=OBJECT_KINDS, default="NONE")
    origin: FloatVectorProperty(
        name="Origin",
        description="Where the origin of a splat's data lies in the frame that it was read in",
        size=3,
        default=(0.0, 0.0, 0.0),
        options={"HIDDEN"},
    )


class CgcCamera(bpy.types.PropertyGroup):
    """`Camera.cgc`: what Blender's own settings cannot hold, since they belong to the scene."""

    photo: StringProperty(name="Photo", description="Name of the photo below the images folder")
    width: IntProperty(name="Width", subtype="PIXEL", min=0, default=0)
    height: IntProperty(name="Height", subtype="PIXEL", min=0, default=0)
    fx: FloatProperty(name="Focal Length X", description="In pixels of the photo", default=0.0)
    fy: FloatProperty(name="Focal Length Y", description="In pixels of the photo", default=0.0)
    cx: FloatProperty(
        name="Principal Point X", description="In pixels from the left edge", default=0.0
    )
    cy: FloatProperty(
        name="Principal Point Y", description="In pixels from the top edge", default=0.0
    )


class CgcScene(bpy.types.PropertyGroup):
    """`Scene.cgc`: what the panel asks for."""

    version: IntProperty(
        name="Version",
        description="Form of what is kept here; 0: as version 0.1.0 of the extension wrote it",
        min=0,
        options={"HIDDEN"},
    )
    # Dataset and run
    dataset: StringProperty(
        name="Dataset",
        description="Folder that holds images, sparse and, if there are any, masks",
        subtype="DIR_PATH",
        options=PATH_OPTIONS,
    )
    run: StringProperty(
        name="Run Folder",
        description="Where training keeps its files; empty: a folder beside the dataset",
        subtype="DIR_PATH",
        options=PATH_OPTIONS,
    )
    # Masks of the photos
    photo_mask_model: EnumProperty(
        name="Mask Model",
        description="Which model finds the masks in the photos",
        items=PHOTO_MASK_MODELS,
        default="default",
    )
    photo_mask_levels: EnumProperty(
        name="Levels",
        description="Which masks to make of each photo",
        items=PHOTO_MASK_LEVELS,
        default="both",
    )
    review_level: EnumProperty(
        name="Level",
        description="Which masks of the photo are shown and corrected",
        items=REVIEW_LEVELS,
        default="masks",
        update=_overlay_changed,
    )
    review_opacity: FloatProperty(
        name="Opacity",
        description="How strongly the masks cover the photo",
        subtype="FACTOR",
        min=0.0,
        max=1.0,
        default=0.5,
        update=_overlay_changed,
    )
    # Training
    preset: EnumProperty(name="Preset", items=PRESETS, default="standard")
    backend: EnumProperty(name="Draw On", items=BACKENDS, default="auto")
    steps: IntProperty(
        name="Steps", description="Photometric steps; 0: as the preset says", min=0, default=0
    )
    minutes: FloatProperty(
        name="Time (min)",
        description="Minutes that training may take; photo size, steps and Gaussians are chosen to "
        "fit, unless given. 0: as long as the preset takes",
        min=0.0,
        soft_max=120.0,
        precision=1,
        default=0.0,
    )
    maximum_gaussians: IntProperty(
        name="Max Gaussians",
        description="Never more than this; 0: what suits preset and photos",
        min=0,
        default=0,
    )
    maximum_size: IntProperty(
        name="Photo Size",
        description="Longest side of the photos in training; 0: what suits preset and machine",
        subtype="PIXEL",
        min=0,
        default=0,
    )
    test_every: IntProperty(
        name="Hold Out Every",
        description="Hold out every n-th photo to measure quality; 0: none",
        min=0,
        default=0,
    )
    seed: IntProperty(name="Seed", min=0, default=0)
    features: EnumProperty(name="Features", items=FEATURE_MODES, default="preset")
    reduction: EnumProperty(name="Weighting", items=REDUCTIONS, default="preset")
    spatial: EnumProperty(name="Spatial Loss", items=SPATIAL_LOSSES, default="preset")
    live_preview: BoolProperty(
        name="Live Preview",
        description="Show the Gaussians in the viewport while they are trained",
        default=True,
    )
    # Looks
    look_color: EnumProperty(
        name="Colors", items=LOOK_COLORS, default="PHOTO", update=_look_changed
    )
    look_shape: EnumProperty(
        name="Shape", items=LOOK_SHAPES, default="SPLATS", update=_look_changed
    )
    look_size: FloatProperty(
        name="Size",
        description="Factor on the size of every splat; 1: as trained",
        subtype="FACTOR",
        min=0.001,
        soft_min=0.05,
        soft_max=2.0,
        default=1.0,
        update=_numbers_changed,
    )
    look_detail: IntProperty(
        name="Detail",
        description="Subdivisions of every ellipsoid; each one makes four times as many faces",
        min=1,
        max=4,
        default=1,
        update=_numbers_changed,
    )
    look_threshold: FloatProperty(
        name="Threshold",
        description="Opacity at which an ellipsoid ends; more transparent ones are left out",
        subtype="FACTOR",
        min=0.01,
        max=1.0,
        default=SURFACE_OPACITY,
        update=_numbers_changed,
    )
    look_applied: FloatVectorProperty(
        name="Applied",
        description="Size, detail and threshold that modifiers were given last",
        size=3,
        default=(1.0, 1.0, SURFACE_OPACITY),
        options={"HIDDEN"},
    )
    stroke_mode: EnumProperty(
        name="Mode",
        description="What becomes of the Gaussians that are painted over",
        items=STROKE_MODES,
        default="ADD",
    )
    stroke_through: BoolProperty(name="Through", description="Take also Gaussians that others hide")
    stroke_radius: FloatProperty(
        name="Radius",
        description="Of the brush; [ and ] change it",
        subtype="PIXEL",
        min=1.0,
        soft_max=200.0,
        default=30.0,
    )
    active_segment: IntProperty(
        name="Active Segment",
        description="The segment of the active object; click to select it, double-click to rename",
        get=_active_segment,
        set=_set_active_segment,
    )
    # Masks
    mask_cameras: EnumProperty(name="Cameras", items=MASK_CAMERAS, default="CAPTURE")
    mask_folder: StringProperty(
        name="Output Folder",
        description="Where masks are written: label maps, palette pictures and segments.json",
        subtype="DIR_PATH",
        options=PATH_OPTIONS,
        default="//renders/",
    )
    mask_palette: BoolProperty(
        name="Palette Pictures", description="Also write coloured pictures to look at", default=True
    )
    mask_exr: BoolProperty(
        name="OpenEXR", description="Also write ids as floating-point OpenEXR", default=False
    )
    mask_overwrite: BoolProperty(
        name="Overwrite",
        description="Replace masks of the same names that are in the folder already",
        default=False,
    )


GROUPS = (
    (bpy.types.Collection, CgcCollection),
    (bpy.types.Object, CgcObject),
    (bpy.types.Camera, CgcCamera),
    (bpy.types.Scene, CgcScene),
)
"""Blender's types and what hangs on each of them as `cgc`."""


def register() -> None:
    """Register the groups and hang them onto Blender's types."""
    for holder, group in GROUPS:
        bpy.utils.register_class(group)
        holder.cgc = PointerProperty(type=group)  # pyright: ignore[reportAttributeAccessIssue]


def unregister() -> None:
    """Take them away again."""
    for holder, group in reversed(GROUPS):
        del holder.cgc  # pyright: ignore[reportAttributeAccessIssue]
        bpy.utils.unregister_class(group)
