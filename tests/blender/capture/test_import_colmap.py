# SPDX-License-Identifier: GPL-3.0-or-later
"""Importing COLMAP captures: exact cameras, photos, points; again without duplicates."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.cameras import intrinsics_of, scene_of_camera, view_of
from cgc_addon.blender.capture.import_colmap import import_colmap, register, unregister
from cgc_addon.blender.capture.parts import captures, objects_of_kind, root_of
from cgc_addon.blender.common.access import of_camera, of_collection, of_object, of_scene
from cgc_addon.dataset.colmap.model import read_model
from cgc_addon.dataset.colmap.places import find_model
from cgc_addon.dataset.pinhole import approximate_pinhole
from cgc_addon.errors import CgcError

SAMPLE = Path(__file__).parents[3] / "cgc_addon" / "sample"
EVERY_SHAPE = (
    "1 PINHOLE 1920 1080 1500 1450 900 600",
    "2 PINHOLE 1080 1920 1300 1340 600 900",
    "3 SIMPLE_PINHOLE 800 800 900 410 380",
    "4 PINHOLE 4000 3000 2500 3100 1500 1800",
)


def cameras_of(capture: bpy.types.Collection) -> dict[str, bpy.types.Object]:
    return {of_camera(c.data).photo: c for c in objects_of_kind(capture, "CAMERA")}


def points_of(capture: bpy.types.Collection) -> bpy.types.Object:
    (item,) = objects_of_kind(capture, "POINTS")
    return item


def positions(item: bpy.types.Object) -> np.ndarray:
    """Where the points are in the world (N, 3)."""
    flat = np.empty(3 * len(item.data.points), np.float32)
    item.data.attributes["position"].data.foreach_get("vector", flat)
    local = np.c_[flat.reshape(-1, 3), np.ones(len(flat) // 3)]
    return (local @ np.array(item.matrix_world, dtype=np.float64).T)[:, :3]


def counts() -> dict[str, int]:
    kinds = ("objects", "cameras", "collections", "images", "pointclouds", "materials", "scenes")
    return {kind: len(getattr(bpy.data, kind)) for kind in kinds} | {"meshes": len(bpy.data.meshes)}


def projected_by_blender(item: bpy.types.Object, points: np.ndarray) -> np.ndarray:
    render = bpy.context.scene.render
    projection = item.calc_matrix_camera(
        bpy.context.evaluated_depsgraph_get(),
        x=render.resolution_x,
        y=render.resolution_y,
        scale_x=render.pixel_aspect_x,
        scale_y=render.pixel_aspect_y,
    )
    axes = np.array(item.matrix_world.normalized(), dtype=np.float64)
    clip = np.array(projection, dtype=np.float64) @ np.linalg.inv(axes)
    seen = np.c_[points, np.ones(len(points))] @ clip.T
    ndc = seen[:, :2] / seen[:, 3:]
    return np.c_[
        (ndc[:, 0] + 1) / 2 * render.resolution_x, (1 - ndc[:, 1]) / 2 * render.resolution_y
    ]


def projection_errors(capture: bpy.types.Collection, folder: Path) -> list[float]:
    """Largest distance in px between the projections of Blender and COLMAP, per camera."""
    bpy.context.view_layer.update()
    model = read_model(find_model(folder))
    world = positions(points_of(capture))
    cameras = cameras_of(capture)
    errors = []
    for image in model.images:
        local = model.points @ image.world_to_camera[:3, :3].T + image.world_to_camera[:3, 3]
        seen = local @ approximate_pinhole(model.cameras[image.camera_id]).matrix().T
        wanted = seen[:, :2] / seen[:, 2:]
        before = local[:, 2] > 0.5
        with scene_of_camera(bpy.context.scene, cameras[image.name]):
            shown = projected_by_blender(cameras[image.name], world)
        errors.append(np.abs(shown - wanted)[before].max())
    return errors


def test_points_are_where_colmap_sees_them(write_capture: Callable) -> None:
    folder = write_capture(count=12, cameras=EVERY_SHAPE)
    capture = import_colmap(bpy.context, folder)
    errors = projection_errors(capture, folder)
    assert len(errors) == 12
    assert max(errors) < 0.02


def test_so_they_are_however_the_root_is_turned_and_scaled(write_capture: Callable) -> None:
    folder = write_capture(count=8, cameras=EVERY_SHAPE)
    capture = import_colmap(bpy.context, folder)
    root = root_of(capture)
    root.location, root.rotation_euler, root.scale = (3, -2, 1), (0.3, 1.2, -0.7), (2.5,) * 3
    assert max(projection_errors(capture, folder)) < 0.05


def test_views_in_the_frame_of_the_root_are_those_of_colmap(write_capture: Callable) -> None:
    folder = write_capture(count=8, cameras=EVERY_SHAPE)
    capture = import_colmap(bpy.context, folder)
    bpy.context.view_layer.update()
    model = read_model(find_model(folder))
    frame = np.array(root_of(capture).matrix_world, dtype=np.float64)
    for image in model.images:
        view = view_of(bpy.context.scene, cameras_of(capture)[image.name], frame, image.name)
        wanted = approximate_pinhole(model.cameras[image.camera_id])
        assert view.camera == wanted
        assert np.allclose(view.world_to_camera, image.world_to_camera, atol=1e-5)


def test_sample_comes_in_whole() -> None:
    assert bpy.ops.cgc.import_colmap(filepath=str(SAMPLE)) == {"FINISHED"}
    (capture,) = captures(bpy.context.scene)
    assert len(cameras_of(capture)) == 40
    assert len(points_of(capture).data.points) > 1000
    assert max(projection_errors(capture, SAMPLE)) < 0.01
    assert of_scene(bpy.context.scene).dataset == str(SAMPLE)
    assert of_collection(capture).dataset == str(SAMPLE)
    # The root makes it upright: the desk's top is level and the cameras are above it.
    height = positions(points_of(capture))[:, 2]
    places = [camera.matrix_world.translation.z for camera in cameras_of(capture).values()]
    assert np.median(places) > np.median(height)
    assert all(c.parent == root_of(capture) for c in cameras_of(capture).values())
    assert bpy.context.view_layer.objects.active == root_of(capture)


def test_up_is_z(write_capture: Callable) -> None:
    folder = write_capture()
    turned = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], dtype=float)  # z of the ring becomes −y
    file = folder / "sparse" / "0" / "images.txt"
    lines = []
    for line in file.read_text().splitlines():
        if line:
            number, *pose, camera, name = line.split()
            q = np.array(pose[:4], dtype=float)
            rotation = _rotation(q) @ turned.T
            t = " ".join(pose[4:])
            lines.append(f"{number} {_as_quaternion(rotation)} {t} {camera} {name}\n\n")
    file.write_text("".join(lines))
    capture = import_colmap(bpy.context, folder, points=False)
    bpy.context.view_layer.update()
    heights = [c.matrix_world.translation.z for c in cameras_of(capture).values()]
    assert np.allclose(heights, 4.0 * 0.3, atol=1e-5)
    for camera in cameras_of(capture).values():
        assert abs(camera.matrix_world.col[0].z) < 1e-6  # level
        assert camera.matrix_world.col[1].z > 0.5  # not upside down


def _rotation(q: np.ndarray) -> np.ndarray:
    from cgc_addon.dataset.colmap.records import rotation_matrix

    return rotation_matrix(q / np.linalg.norm(q))


def _as_quaternion(rotation: np.ndarray) -> str:
    from mathutils import Matrix

    return " ".join(f"{value:.9f}" for value in Matrix(rotation.tolist()).to_quaternion())


def test_photos_are_behind_the_cameras_and_not_read_yet(write_capture: Callable) -> None:
    folder = write_capture()
    capture = import_colmap(bpy.context, folder)
    for name, camera in cameras_of(capture).items():
        (background,) = camera.data.background_images
        assert camera.data.show_background_images
        assert background.show_background_image
        assert background.alpha == 0.5
        assert Path(background.image.filepath) == folder / "images" / name
        assert not background.image.has_data


def test_clip_range_and_size_fit_the_capture(write_capture: Callable) -> None:
    capture = import_colmap(bpy.context, write_capture(), frustum_size=0.25)
    for camera in cameras_of(capture).values():
        assert 0.0 < camera.data.clip_start < 0.01
        assert camera.data.clip_end > 40.0
        assert camera.data.display_size == 0.25


def test_points_have_their_colors(write_capture: Callable) -> None:
    folder = write_capture()
    capture = import_colmap(bpy.context, folder)
    cloud = points_of(capture).data
    model = read_model(find_model(folder))
    colors = np.empty(4 * len(cloud.points), np.float32)
    cloud.attributes["point_color"].data.foreach_get("color", colors)
    srgb = np.empty_like(colors)
    cloud.attributes["point_color"].data.foreach_get("color_srgb", srgb)
    assert np.allclose(srgb.reshape(-1, 4)[:, :3] * 255, model.point_colors, atol=0.51)
    assert cloud.attributes["radius"].data[0].value < 0.02
    assert cloud.materials[0].node_tree.nodes["Attribute"].attribute_name == "point_color"


def test_first_import_sets_up_the_scene_and_later_ones_do_not(
    write_capture: Callable, tmp_path: Path
) -> None:
    scene = bpy.context.scene
    import_colmap(bpy.context, write_capture(cameras=EVERY_SHAPE))
    assert of_camera(scene.camera.data).photo == "0000.png"
    assert (scene.render.resolution_x, scene.render.resolution_y) == (1920, 1080)
    assert scene.render.pixel_aspect_y == pytest.approx(1500 / 1450)
    scene.render.resolution_x = 333
    camera = scene.camera
    import_colmap(bpy.context, SAMPLE)
    assert (scene.render.resolution_x, scene.camera) == (333, camera)
    assert len(captures(scene)) == 2


def test_a_camera_of_the_user_stays_the_scenes(write_capture: Callable) -> None:
    own = bpy.data.objects.new("own", bpy.data.cameras.new("own"))
    bpy.context.scene.collection.objects.link(own)
    bpy.context.scene.camera = own
    import_colmap(bpy.context, write_capture())
    assert bpy.context.scene.camera == own


def test_importing_again_changes_nothing(write_capture: Callable) -> None:
    folder = write_capture()
    capture = import_colmap(bpy.context, folder)
    before = counts()
    assert import_colmap(bpy.context, folder / "sparse" / "0" / "cameras.txt") == capture
    assert counts() == before
    assert captures(bpy.context.scene) == [capture]


def test_importing_again_updates_and_keeps_what_a_person_did(write_capture: Callable) -> None:
    folder = write_capture()
    capture = import_colmap(bpy.context, folder)
    root = root_of(capture)
    root.location, root.scale = (1.0, 2.0, 3.0), (2.0, 2.0, 2.0)
    cameras = cameras_of(capture)
    first = cameras["0000.png"]
    first.name, first.hide_render = "my favourite", True
    first.data.display_size, first.data.background_images[0].alpha = 0.7, 0.25
    cloud = points_of(capture)
    own_material = bpy.data.materials.new("own")
    cloud.data.materials[0] = own_material
    own = bpy.data.objects.new("own", None)
    capture.objects.link(own)
    copy = first.copy()
    copy.data = first.data.copy()
    first.users_collection[0].objects.link(copy)

    write_capture(seed=1, points=7, cameras=["1 PINHOLE 100 80 90 95 50 41"])
    assert import_colmap(bpy.context, folder) == capture
    assert cameras_of(capture) == cameras
    assert max(projection_errors(capture, folder)) < 0.01
    assert tuple(root.location) == (1.0, 2.0, 3.0)
    assert (first.name, first.hide_render) == ("my favourite", True)
    assert first.data.display_size == pytest.approx(0.7)
    assert [b.alpha for b in first.data.background_images] == [0.25]
    assert points_of(capture) == cloud
    assert len(cloud.data.points) == 7
    assert list(cloud.data.materials) == [own_material]
    assert own.name in capture.objects
    assert copy.name in capture.all_objects
    assert of_object(copy).kind == "NONE"
    assert intrinsics_of(copy.data).width == 64


def test_cameras_of_photos_that_are_gone_go_with_their_data(write_capture: Callable) -> None:
    folder = write_capture(count=4)
    capture = import_colmap(bpy.context, folder)
    other = import_colmap(bpy.context, SAMPLE)
    before = counts()
    write_capture(count=3)
    import_colmap(bpy.context, folder)
    assert sorted(cameras_of(capture)) == ["0000.png", "0001.png", "0002.png"]
    assert len(cameras_of(other)) == 40
    after = counts()
    changed = {kind: before[kind] - after[kind] for kind in before if before[kind] != after[kind]}
    assert changed == {"objects": 1, "cameras": 1, "images": 1}


def test_a_camera_of_the_scene_that_is_gone_is_replaced(write_capture: Callable) -> None:
    folder = write_capture(names=["a.png", "b.png", "c.png", "d.png"])
    import_colmap(bpy.context, folder)
    write_capture(names=["e.png", "f.png", "g.png", "h.png"])
    import_colmap(bpy.context, folder)
    assert of_camera(bpy.context.scene.camera.data).photo == "e.png"


def test_a_lost_root_is_made_anew(write_capture: Callable) -> None:
    folder = write_capture()
    capture = import_colmap(bpy.context, folder)
    bpy.data.objects.remove(root_of(capture))
    import_colmap(bpy.context, folder)
    assert max(projection_errors(capture, folder)) < 0.01
    assert points_of(capture).parent == root_of(capture)


def test_long_names_stay_apart(write_capture: Callable) -> None:
    names = [f"{'ein sehr langer Ordner für Fotos/' * 3}{n}.png" for n in range(4)]
    folder = write_capture(names=names)
    capture = import_colmap(bpy.context, folder)
    cameras = cameras_of(capture)
    assert sorted(cameras) == names
    for name, camera in cameras.items():
        assert camera.name.endswith(name[-20:])
        assert len(camera.name.encode()) <= 255
    before = counts()
    import_colmap(bpy.context, folder)
    assert counts() == before


def test_photos_can_be_left_out_and_taken_in_later(write_capture: Callable) -> None:
    folder = write_capture()
    capture = import_colmap(bpy.context, folder, photos_as_background=False, points=False)
    assert len(bpy.data.images) == 0
    assert not objects_of_kind(capture, "POINTS")
    import_colmap(bpy.context, folder)
    camera = cameras_of(capture)["0000.png"]
    assert camera.data.background_images[0].show_background_image
    import_colmap(bpy.context, folder, photos_as_background=False)
    assert not camera.data.background_images[0].show_background_image


def test_a_photo_that_is_gone_is_hidden_and_said(write_capture: Callable) -> None:
    folder = write_capture()
    capture = import_colmap(bpy.context, folder)
    shutil.rmtree(folder / "images")
    said: list[str] = []
    import_colmap(bpy.context, folder, warn=said.append)
    assert said == [f"{folder}/images is missing; cameras are imported without photos."]
    assert len(cameras_of(capture)) == 4
    for camera in cameras_of(capture).values():
        assert not camera.data.background_images[0].show_background_image


def test_undistorted_photos_take_the_place_of_distorted_ones(write_capture: Callable) -> None:
    import json

    folder = write_capture(cameras=["1 SIMPLE_RADIAL 64 52 70 31 25 0.1"])
    said: list[str] = []
    capture = import_colmap(bpy.context, folder, warn=said.append)
    assert len(said) == 1
    model = read_model(find_model(folder))
    size = {"width": 60, "height": 48, "fx": 69.0, "fy": 70.0, "cx": 30.0, "cy": 23.5}
    records = [
        {"name": image.name, **size, "world_to_camera": image.world_to_camera.tolist()}
        for image in model.images
    ]
    shutil.copytree(folder / "images", folder / "undistorted" / "images")
    (folder / "undistorted" / "cameras.json").write_text(json.dumps(records))
    said.clear()
    import_colmap(bpy.context, folder, warn=said.append)
    assert said == []
    camera = cameras_of(capture)["0000.png"]
    assert intrinsics_of(camera.data).fx == 69.0
    (background,) = camera.data.background_images
    assert Path(background.image.filepath) == folder / "undistorted" / "images" / "0000.png"


def damage_nothing(folder: Path) -> Path:
    return folder / "nowhere"


def damage_empty(folder: Path) -> Path:
    (folder / "sparse" / "0" / "images.txt").write_text("")
    return folder


def damage_truncated(folder: Path) -> Path:
    file = folder / "sparse" / "0" / "points3D.txt"
    file.write_text(file.read_text()[:-30])
    return folder


def damage_half(folder: Path) -> Path:
    (folder / "sparse" / "0" / "points3D.txt").unlink()
    return folder


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (damage_nothing, "nowhere is not there; choose a folder"),
        (damage_empty, "images.txt holds no image with a pose"),
        (damage_truncated, "points3D.txt"),
        (damage_half, "points3D"),
    ],
)
def test_bad_input_is_said_and_changes_nothing(
    write_capture: Callable, damage: Callable[[Path], Path], says: str
) -> None:
    folder = write_capture()
    capture = import_colmap(bpy.context, folder)
    before = counts()
    pose = cameras_of(capture)["0000.png"].matrix_basis.copy()
    write_capture(seed=1)
    place = damage(folder)
    with pytest.raises(RuntimeError, match=says):  # what an operator's error is to a script
        bpy.ops.cgc.import_colmap(filepath=str(place))
    with pytest.raises(CgcError, match=says):
        import_colmap(bpy.context, place)
    assert counts() == before
    assert cameras_of(capture)["0000.png"].matrix_basis == pose


def test_bad_input_makes_nothing(write_capture: Callable) -> None:
    with pytest.raises(CgcError):
        import_colmap(bpy.context, damage_truncated(write_capture()))
    assert counts() == {kind: int(kind == "scenes") for kind in counts()}


def test_saved_and_loaded_it_is_the_same_and_updates(
    write_capture: Callable, tmp_path: Path
) -> None:
    folder = write_capture(cameras=EVERY_SHAPE)
    import_colmap(bpy.context, folder)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    (capture,) = captures(bpy.context.scene)
    assert max(projection_errors(capture, folder)) < 0.02
    before = counts()
    assert import_colmap(bpy.context, folder) == capture
    assert counts() == before


def test_operator_in_edit_mode_leaves_the_mesh_alone(write_capture: Callable) -> None:
    bpy.ops.mesh.primitive_cube_add()
    cube = bpy.context.object
    bpy.ops.object.mode_set(mode="EDIT")
    assert bpy.ops.cgc.import_colmap(filepath=str(write_capture())) == {"FINISHED"}
    assert cube.type == "MESH"
    assert bpy.context.mode == "EDIT_MESH"
    assert len(captures(bpy.context.scene)) == 1


def test_menu_and_file_handler_are_there_and_go(write_capture: Callable) -> None:
    assert bpy.types.CGC_FH_import_colmap.bl_import_operator == "cgc.import_colmap"
    assert not bpy.types.CGC_FH_import_colmap.poll_drop(bpy.context)  # no viewport in background

    def entries() -> int:
        return len(bpy.types.TOPBAR_MT_file_import._dyn_ui_initialize())

    before = entries()
    unregister()
    try:
        assert entries() == before - 1
        assert not hasattr(bpy.types, "CGC_FH_import_colmap")
        assert "import_colmap" not in dir(bpy.ops.cgc)
    finally:
        register()
    assert entries() == before


def test_undo_takes_back_one_import_after_the_other(write_capture: Callable) -> None:
    folder = write_capture()
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.cgc.import_colmap(filepath=str(folder))
    bpy.ops.ed.undo_push(message="first")  # in a window, operators do it
    write_capture(seed=1, points=7, count=3)
    bpy.ops.cgc.import_colmap(filepath=str(folder))
    bpy.ops.ed.undo_push(message="second")
    bpy.ops.ed.undo()
    (capture,) = captures(bpy.context.scene)
    assert len(cameras_of(capture)) == 4
    assert len(points_of(capture).data.points) == 20
    bpy.ops.ed.undo()
    assert captures(bpy.context.scene) == []
    assert counts()["objects"] == 0


@pytest.mark.parametrize("place", ["", "transforms.json"])
def test_cameras_of_a_transforms_json_are_blenders_own(tmp_path: Path, place: str) -> None:
    """Its axes are those of Blender's cameras: below the root its matrices come back."""
    folder = tmp_path / "capture"
    (folder / "images").mkdir(parents=True)
    poses = []
    for index, (x, y) in enumerate([(4, 0), (0, 4), (-4, 0), (0, -4)]):
        back = np.array([x, y, 2]) / np.linalg.norm([x, y, 2])
        right = np.cross([0, 0, 1], back) / np.linalg.norm(np.cross([0, 0, 1], back))
        pose = np.eye(4)
        pose[:3] = np.column_stack([right, np.cross(back, right), back, (x, y, 2)])
        poses.append({"file_path": f"images/{index}.png", "transform_matrix": pose.tolist()})
        (folder / "images" / f"{index}.png").write_bytes(b"\x89PNG")
    content = {"w": 64, "h": 52, "fl_x": 70, "fl_y": 75, "cx": 31, "cy": 25, "frames": poses}
    (folder / "transforms.json").write_text(json.dumps(content))
    header = "ply\nformat ascii 1.0\nelement vertex 2\n"
    header += "".join(f"property float {axis}\n" for axis in "xyz") + "end_header\n"
    (folder / "sparse_pc.ply").write_text(header + "0 0 0\n1 2 0.5\n")
    assert bpy.ops.cgc.import_colmap(filepath=str(folder / place)) == {"FINISHED"}
    (capture,) = captures(bpy.context.scene)
    bpy.context.view_layer.update()
    found = cameras_of(capture)
    for index, pose in enumerate(poses):
        item = found[f"{index}.png"]
        assert np.allclose(item.matrix_local, pose["transform_matrix"], atol=1e-6)
        # Cameras are level, so that up is z already, and the root turns nothing.
        assert np.allclose(item.matrix_world, pose["transform_matrix"], atol=1e-5)
    assert len(points_of(capture).data.points) == 2
    assert of_collection(capture).dataset == str(folder)
