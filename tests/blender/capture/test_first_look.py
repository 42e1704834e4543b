# SPDX-License-Identifier: GPL-3.0-or-later
"""The first look: every way in shows the capture; what a person has made or set stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy
from mathutils import Matrix, Vector

from cgc_addon.blender.capture.first_look import is_untouched
from cgc_addon.blender.capture.parts import captures, objects_of_kind


def views() -> Iterator[tuple[bpy.types.Area, bpy.types.SpaceView3D]]:
    for screen in bpy.data.screens:
        for area in screen.areas:
            for space in area.spaces:
                if space.type == "VIEW_3D":
                    yield area, space


def current() -> bpy.types.SpaceView3D:
    areas = bpy.context.window_manager.windows[0].screen.areas
    return next(area for area in areas if area.type == "VIEW_3D").spaces[0]


def shown(area: bpy.types.Area, view: bpy.types.SpaceView3D, points: np.ndarray) -> np.ndarray:
    """Return which points a viewport shows, by Blender's lens: 50 mm see 72 mm of the long side."""
    region = view.region_3d
    camera = Matrix.LocRotScale(
        region.view_location + region.view_rotation @ Vector((0, 0, region.view_distance)),
        region.view_rotation,
        None,
    )
    size = next((r.width, r.height) for r in area.regions if r.type == "WINDOW")
    local = np.array([tuple(camera.inverted() @ Vector(point)) for point in points])
    half = 36.0 / view.lens * np.array(size) / max(size)
    return (local[:, 2] < 0) & (np.abs(local[:, :2]) < half * -local[:, 2:]).all(axis=1)


def world_points(item: bpy.types.Object) -> np.ndarray:
    return np.array([tuple(item.matrix_world @ point.co) for point in item.data.points])


@pytest.fixture
def startup() -> None:
    bpy.ops.wm.read_factory_settings()


def import_capture(write_capture: Callable, write_run: Callable) -> None:
    assert bpy.ops.cgc.import_colmap(filepath=str(write_capture())) == {"FINISHED"}


def import_run(write_capture: Callable, write_run: Callable) -> None:
    run = write_run(dataset=write_capture())
    assert bpy.ops.cgc.import_run(directory=str(run)) == {"FINISHED"}


def import_splat(write_capture: Callable, write_run: Callable) -> None:
    splat = write_run() / "splat.ply"
    splat = splat.rename(splat.with_name("alone.ply"))
    assert bpy.ops.cgc.import_splat(filepath=str(splat)) == {"FINISHED"}


WAYS = (import_capture, import_run, import_splat)


@pytest.mark.parametrize("way", WAYS)
def test_every_viewport_of_a_new_file_shows_most_of_the_capture(
    startup, write_capture, write_run, way
) -> None:
    way(write_capture, write_run)
    bpy.context.view_layer.update()
    (capture,) = captures(bpy.context.scene)
    items = objects_of_kind(capture, "SPLAT") or objects_of_kind(capture, "POINTS")
    points = np.concatenate([world_points(item) for item in items])
    looked = 0
    for area, view in views():
        assert view.shading.type == "SOLID"
        assert not view.overlay.show_relationship_lines
        if view.region_3d.view_perspective == "PERSP":
            looked += 1
            assert shown(area, view, points).mean() > 0.6
            right = view.region_3d.view_rotation @ Vector((1, 0, 0))
            assert abs(right.z) < 1e-5  # level
    assert looked >= 5


@pytest.mark.parametrize("way", WAYS)
def test_the_startup_cube_goes_light_and_camera_stay(
    startup, write_capture, write_run, way
) -> None:
    way(write_capture, write_run)
    names = set(bpy.context.scene.objects.keys())
    assert {"Camera", "Light"} <= names
    assert "Cube" not in names
    assert not bpy.data.meshes
    assert bpy.context.scene.view_settings.view_transform == "Standard"


def test_a_new_file_looks_through_a_photos_camera(startup, write_capture) -> None:
    import_capture(write_capture, write_capture)
    assert bpy.context.scene.camera in objects_of_kind(captures(bpy.context.scene)[0], "CAMERA")


def moved() -> None:
    bpy.data.objects["Cube"].location.x = 0.5


def edited() -> None:
    bpy.data.meshes["Cube"].vertices[0].co.x = -2.0


def given_a_modifier() -> None:
    bpy.data.objects["Cube"].modifiers.new("Bevel", "BEVEL")


def another_object() -> None:
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Mine", None))


def added() -> None:
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    bpy.ops.mesh.primitive_cube_add()


def light_moved() -> None:
    bpy.data.objects["Light"].location.x = 0.0


@pytest.mark.parametrize(
    "work", [moved, edited, given_a_modifier, another_object, added, light_moved]
)
def test_a_scene_in_use_keeps_its_objects_shading_and_view_transform(
    startup, write_capture, work
) -> None:
    work()
    current().shading.type = "WIREFRAME"
    elsewhere = {
        area.as_pointer(): tuple(view.region_3d.view_location)
        for area, view in views()
        if view != current()
    }
    assert not is_untouched(bpy.context.scene)
    import_capture(write_capture, write_capture)
    assert "Cube" in bpy.context.scene.objects
    assert bpy.context.scene.camera.name == "Camera"
    assert bpy.context.scene.view_settings.view_transform == "AgX"
    assert current().shading.type == "WIREFRAME"
    assert not current().overlay.show_relationship_lines
    assert current().region_3d.view_distance < 15.0  # it was framed: the factory's is 17.99
    for area, view in views():
        if view != current():
            assert tuple(view.region_3d.view_location) == elsewhere[area.as_pointer()]


def test_a_view_transform_that_somebody_chose_stays(startup, write_capture) -> None:
    bpy.context.scene.view_settings.view_transform = "Filmic"
    import_capture(write_capture, write_capture)
    assert bpy.context.scene.view_settings.view_transform == "Filmic"


def test_what_was_there_before_is_not_framed_again(startup, write_capture, write_run) -> None:
    dataset = write_capture()
    assert bpy.ops.cgc.import_colmap(filepath=str(dataset)) == {"FINISHED"}
    current().region_3d.view_location = (7.0, 8.0, 9.0)
    current().overlay.show_relationship_lines = True
    assert bpy.ops.cgc.import_colmap(filepath=str(dataset)) == {"FINISHED"}
    assert bpy.ops.cgc.import_run(directory=str(write_run(dataset=dataset))) == {"FINISHED"}
    assert tuple(current().region_3d.view_location) == (7.0, 8.0, 9.0)
    assert current().overlay.show_relationship_lines


def test_lines_to_the_root_can_be_left_on(startup, write_capture) -> None:
    assert current().overlay.show_relationship_lines
    bpy.ops.cgc.import_colmap(filepath=str(write_capture()), hide_lines=False)
    assert current().overlay.show_relationship_lines


def test_a_viewport_that_looks_through_a_camera_goes_on_doing_so(startup, write_capture) -> None:
    current().region_3d.view_perspective = "CAMERA"
    before = tuple(current().region_3d.view_location)
    import_capture(write_capture, write_capture)
    assert current().region_3d.view_perspective == "CAMERA"
    assert tuple(current().region_3d.view_location) == before


def test_an_import_that_fails_leaves_the_startup_scene_as_it_is(startup, tmp_path) -> None:
    with pytest.raises(RuntimeError, match="not there"):
        bpy.ops.cgc.import_colmap(filepath=str(tmp_path / "nothing"))
    assert "Cube" in bpy.context.scene.objects
    assert bpy.context.scene.view_settings.view_transform == "AgX"


def test_far_points_do_not_widen_the_view(startup, write_capture) -> None:
    dataset = write_capture(points=300)
    points = dataset / "sparse" / "0" / "points3D.txt"
    far = "".join(f"{900 + n} 0 0 {500 + n} 9 9 9 0.5\n" for n in range(6))
    points.write_text(points.read_text() + far)
    assert bpy.ops.cgc.import_colmap(filepath=str(dataset)) == {"FINISHED"}
    assert current().region_3d.view_distance < 10.0
    assert Vector(current().region_3d.view_location).length < 2.0
