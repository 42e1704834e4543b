# SPDX-License-Identifier: GPL-3.0-or-later
"""One size, detail and threshold for all splats of a scene; what a person set stays."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.parts import new_capture
from cgc_addon.blender.common.nodes import input_of, set_input
from cgc_addon.blender.segments.build import build_segments
from cgc_addon.blender.segments.data import all_segments, splats_of
from cgc_addon.blender.segments.recut import recut
from cgc_addon.blender.segments.run_files import read_run
from cgc_addon.blender.splats.ellipsoids import ellipsoid_modifier
from cgc_addon.blender.splats.point_size import point_modifier


@pytest.fixture
def capture(write_run) -> bpy.types.Collection:
    made = new_capture(bpy.context.scene, "tea set", None)
    build_segments(bpy.context.scene, made, read_run(write_run()))
    return made


def splats(capture) -> list[bpy.types.Object]:
    return [item for one in all_segments(capture) for item in splats_of(one)]


def radii(item) -> np.ndarray:
    evaluated = item.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    values = np.empty(len(evaluated.points), np.float32)
    evaluated.attributes["radius"].data.foreach_get("value", values)
    return values


def test_one_slider_makes_all_points_larger(capture) -> None:
    settings = bpy.context.scene.cgc
    settings.look_shape = "POINTS"
    before = [radii(item) for item in splats(capture)]
    assert all(point_modifier(item) is None for item in splats(capture))
    settings.look_size = 2.5
    for item, earlier in zip(splats(capture), before, strict=True):
        np.testing.assert_allclose(radii(item), 2.5 * earlier, rtol=1e-6)
    settings.look_size = 0.5
    for item, earlier in zip(splats(capture), before, strict=True):
        np.testing.assert_allclose(radii(item), 0.5 * earlier, rtol=1e-6)
    settings.look_shape = "SPLATS"
    assert all(point_modifier(item) is None for item in splats(capture))
    settings.look_shape = "POINTS"  # and it is the same again
    np.testing.assert_allclose(radii(splats(capture)[0]), 0.5 * before[0], rtol=1e-6)


def test_ellipsoids_have_one_size_detail_and_threshold(capture) -> None:
    settings = bpy.context.scene.cgc
    settings.look_shape = "ELLIPSOIDS"
    settings.look_size, settings.look_detail, settings.look_threshold = 0.75, 2, 0.5
    for item in splats(capture):
        modifier = ellipsoid_modifier(item)
        found = [input_of(modifier, name) for name in ("Size", "Detail", "Threshold")]
        assert found == [0.75, 2, 0.5]


def test_what_a_person_set_on_one_object_stays(capture) -> None:
    settings = bpy.context.scene.cgc
    settings.look_shape = "ELLIPSOIDS"
    own, *others = splats(capture)
    set_input(ellipsoid_modifier(own), "Detail", 3)
    settings.look_detail = 2
    settings.look_size = 0.5
    assert input_of(ellipsoid_modifier(own), "Detail") == 3
    assert input_of(ellipsoid_modifier(own), "Size") == 0.5
    assert {input_of(ellipsoid_modifier(item), "Detail") for item in others} == {2}


def test_new_objects_have_the_settings_of_the_scene(capture) -> None:
    settings = bpy.context.scene.cgc
    settings.look_shape, settings.look_detail = "ELLIPSOIDS", 2
    recut(capture, 0.0, 5)
    assert {input_of(ellipsoid_modifier(item), "Detail") for item in splats(capture)} == {2}
    settings.look_shape = "SPLATS"
    settings.look_threshold = 0.5
    settings.look_shape = "ELLIPSOIDS"
    found = {input_of(ellipsoid_modifier(item), "Threshold") for item in splats(capture)}
    assert found == {0.5}
