# SPDX-License-Identifier: GPL-3.0-or-later
"""What the list shows and sets is what Blender has: nothing of it is stored twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.parts import new_capture, segment_collections
from cgc_addon.blender.common.access import of_collection, of_scene
from cgc_addon.blender.segments.build import build_segments
from cgc_addon.blender.segments.data import all_segments, has_automatic_name, splats_of
from cgc_addon.blender.segments.run_files import read_run


@pytest.fixture
def capture(write_run: Callable[..., Path]) -> bpy.types.Collection:
    """Return a capture of three segments and some unassigned Gaussians."""
    made = new_capture(bpy.context.scene, "desk", None)
    build_segments(bpy.context.scene, made, read_run(write_run()))
    bpy.context.view_layer.update()
    return made


def test_a_row_selects_and_selecting_makes_a_row_active(capture):
    settings, layer = of_scene(bpy.context.scene), bpy.context.view_layer
    first, second, _ = segment_collections(capture)
    settings.active_segment = list(bpy.data.collections).index(second)
    assert layer.objects.active == splats_of(second)[0]
    assert list(layer.objects.selected) == splats_of(second)

    layer.objects.active = splats_of(first)[0]
    assert bpy.data.collections[settings.active_segment] == first
    layer.objects.active = None
    assert settings.active_segment == -1
    settings.active_segment = 10_000
    assert layer.objects.active is None


def test_select_of_a_row_adds(capture):
    first, second, third = map(of_collection, segment_collections(capture))
    of_collection(first.id_data).selected = second.selected = True
    assert (first.selected, second.selected, third.selected) == (True, True, False)
    first.selected = False
    assert list(bpy.context.view_layer.objects.selected) == splats_of(second.id_data)


def test_rows_of_hidden_segments_can_be_active(capture):
    first = segment_collections(capture)[0]
    of_collection(first).shown = False
    settings = of_scene(bpy.context.scene)
    settings.active_segment = list(bpy.data.collections).index(first)
    assert bpy.data.collections[settings.active_segment] == first


def test_selection_is_left_alone_in_other_modes(capture):
    layer = bpy.context.view_layer
    mesh = bpy.data.objects.new("Mesh", bpy.data.meshes.new("Mesh"))
    bpy.context.scene.collection.objects.link(mesh)
    layer.objects.active = mesh
    bpy.ops.object.mode_set(mode="EDIT")
    of_scene(bpy.context.scene).active_segment = 1
    for segment in all_segments(capture):
        of_collection(segment).selected = True
    assert layer.objects.active == mesh
    assert not any(of_collection(segment).selected for segment in all_segments(capture))
    bpy.ops.object.mode_set(mode="OBJECT")


@pytest.mark.parametrize(
    "hide",
    [
        lambda collection: setattr(of_collection(collection), "shown", False),
        lambda collection: splats_of(collection)[0].hide_set(True),
        lambda collection: setattr(splats_of(collection)[0], "hide_viewport", True),
        lambda collection: setattr(collection, "hide_viewport", True),
        lambda collection: setattr(layer_collection(collection), "hide_viewport", True),
        lambda collection: setattr(layer_collection(collection), "exclude", True),
    ],
)
def test_the_eye_undoes_every_way_of_hiding(capture, hide):
    collection = segment_collections(capture)[1]
    assert of_collection(collection).shown
    hide(collection)
    bpy.context.view_layer.update()
    assert not of_collection(collection).shown
    of_collection(collection).shown = True
    bpy.context.view_layer.update()
    assert of_collection(collection).shown
    assert not collection.hide_render


def test_the_eye_hides_in_renders_too(capture):
    collection = segment_collections(capture)[1]
    of_collection(collection).shown = False
    assert collection.hide_render
    assert collection.hide_viewport


def test_renaming_names_the_objects_too(capture):
    collection = segment_collections(capture)[0]
    of_collection(collection).title = " Mug "
    assert (collection.name, splats_of(collection)[0].name) == ("Mug", "Mug")
    assert not has_automatic_name(collection)
    of_collection(collection).title = "  "
    assert of_collection(collection).title == "Mug"


def layer_collection(collection: bpy.types.Collection) -> bpy.types.LayerCollection:
    (outer,) = bpy.context.view_layer.layer_collection.children
    return outer.children[collection.name]
