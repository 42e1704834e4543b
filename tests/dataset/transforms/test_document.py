# SPDX-License-Identifier: GPL-3.0-or-later
"""transforms.json of several programs become the cameras that they mean."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pycolmap
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cgc_addon.dataset.colmap.model import read_model
from cgc_addon.dataset.colmap.records import rotation_matrix
from cgc_addon.dataset.load import load_dataset
from cgc_addon.dataset.solved import find_solved, read_solved
from cgc_addon.dataset.transforms.document import find_transforms, read_transforms
from cgc_addon.errors import CgcError

WIDTH, HEIGHT = 64, 52
INTRINSICS = {"w": WIDTH, "h": HEIGHT, "fl_x": 70.0, "fl_y": 75.0, "cx": 31.0, "cy": 25.0}
TURN = [[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0]]
"""What nerfstudio applies to COLMAP's world."""


def looking(place: tuple[float, ...], target: tuple[float, ...] = (0, 0, 0)) -> list[list[float]]:
    """A level camera of OpenGL, z up: camera to world, x right, y up, z back."""
    back = np.subtract(place, target)
    back = back / np.linalg.norm(back)
    right = np.cross([0.0, 0.0, 1.0], back)
    right /= np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3] = np.column_stack([right, np.cross(back, right), back, place])
    return matrix.tolist()


RING = [looking((4 * np.cos(a), 4 * np.sin(a), 1.2)) for a in np.arange(4) * np.pi / 2]


def save_photo(path: Path, size: tuple[int, int] = (WIDTH, HEIGHT), **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    gradient = np.linspace(0, 255, size[0] * size[1] * 3).reshape(size[1], size[0], 3)
    Image.fromarray(gradient.astype(np.uint8)).save(path, **options)


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    """Return a function that writes a JSON and the photos of its frames."""

    def write(
        common: dict[str, Any] | None = None,
        paths: list[str] | None = None,
        *,
        file: str = "transforms.json",
        photos: bool = True,
        frames: list[dict[str, Any]] | None = None,
    ) -> Path:
        paths = paths or [f"images/{index:04d}.png" for index in range(4)]
        if photos:
            for path in paths:
                save_photo(tmp_path / path)
        made = [
            {"file_path": path, "transform_matrix": pose}
            for path, pose in zip(paths, RING * len(paths), strict=False)
        ]
        for frame, changes in zip(made, frames or [], strict=False):
            frame.update(changes)
        content = {**(INTRINSICS if common is None else common), "frames": made}
        (tmp_path / file).write_text(json.dumps(content))
        return tmp_path / file

    return write


def change(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def projected(camera, pose: np.ndarray, point: tuple[float, ...]) -> np.ndarray:
    seen = pose[:3, :3] @ point + pose[:3, 3]
    return pycolmap.Camera(
        model=camera.model, width=camera.width, height=camera.height, params=camera.params
    ).img_from_cam(seen[None])[0]


# ---- Axes ----------------------------------------------------------------------------------------


def test_a_camera_at_a_known_place_sees_known_points_where_they_are(write) -> None:
    """From (4, 0, 0) towards the origin, z up: +y is to the right, +z is above."""
    file = write(frames=[{"transform_matrix": looking((4, 0, 0))}])
    model = read_transforms(file).model
    image, camera = model.images[0], model.cameras[model.images[0].camera_id]
    np.testing.assert_allclose(image.world_to_camera[:3, 3], (0, 0, 4), atol=1e-12)
    for point, pixel in (
        ((0, 0, 0), (31, 25)),
        ((0, 1, 0), (31 + 70 / 4, 25)),
        ((0, 0, 1), (31, 25 - 75 / 4)),
        ((2, 1, -1), (31 + 70 / 2, 25 + 75 / 2)),
    ):
        np.testing.assert_allclose(projected(camera, image.world_to_camera, point), pixel)
    rotation = image.world_to_camera[:3, :3]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_cameras_agree_with_the_colmap_model_that_nerfstudio_converts(
    make_capture, write_dataset, write
) -> None:
    """As ns-process-data writes them: rows exchanged and turned, axes of cameras turned."""
    folder = write_dataset(make_capture(model="OPENCV"))
    model = read_model(folder / "sparse" / "0")
    frames = []
    for image in model.images:
        pose = np.linalg.inv(image.world_to_camera)
        pose[:3, 1:3] *= -1
        pose = pose[[0, 2, 1, 3]]
        pose[2] *= -1
        frames.append({"file_path": f"./images/{image.name}", "transform_matrix": pose.tolist()})
    names = ("fl_x", "fl_y", "cx", "cy", "k1", "k2", "p1", "p2")
    camera = model.cameras[1]
    common = dict(zip(names, camera.params, strict=True))
    content = {**common, "w": camera.width, "h": camera.height, "camera_model": "OPENCV"}
    file = folder / "transforms.json"
    file.write_text(json.dumps({**content, "applied_transform": TURN, "frames": frames}))
    turn = np.array(TURN)[:, :3]
    found = read_transforms(file).model
    assert list(found.cameras.values()) == [camera]
    for mine, theirs in zip(found.images, model.images, strict=True):
        assert mine.name == theirs.name
        moved = mine.world_to_camera[:3, :3] @ turn
        np.testing.assert_allclose(moved, theirs.world_to_camera[:3, :3], atol=1e-12)
        translations = (mine.world_to_camera[:3, 3], theirs.world_to_camera[:3, 3])
        np.testing.assert_allclose(*translations, atol=1e-12)


def test_matrices_of_three_rows_and_of_scaled_cameras_are_read(write) -> None:
    scaled = np.array(RING[1])
    scaled[:3, :3] *= 0.25
    file = write(frames=[{"transform_matrix": RING[0][:3]}, {"transform_matrix": scaled.tolist()}])
    poses = [image.world_to_camera for image in read_transforms(file).model.images]
    expected = [image.world_to_camera for image in read_transforms(write()).model.images]
    np.testing.assert_allclose(poses, expected, atol=1e-12)


@settings(max_examples=50, deadline=None, database=None)
@given(
    quaternion=st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(
        lambda values: np.linalg.norm(values) > 0.1
    ),
    place=st.lists(st.floats(-1e4, 1e4), min_size=3, max_size=3),
)
def test_any_pose_keeps_its_place_and_its_axes(tmp_path_factory, quaternion, place) -> None:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_matrix(np.array(quaternion) / np.linalg.norm(quaternion))
    matrix[:3, 3] = place
    folder = tmp_path_factory.mktemp("pose")
    frame = {"file_path": "images/a.png", "transform_matrix": matrix.tolist()}
    (folder / "transforms.json").write_text(json.dumps({**INTRINSICS, "frames": [frame]}))
    (image,) = read_transforms(folder / "transforms.json").model.images
    back = np.linalg.inv(image.world_to_camera)
    np.testing.assert_allclose(back[:3, 3], place, atol=1e-8)
    np.testing.assert_allclose(back[:3, :3], matrix[:3, :3] * (1, -1, -1), atol=1e-9)


# ---- Lenses --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("common", "model", "params"),
    [
        ({}, "PINHOLE", (70, 75, 31, 25)),
        ({"camera_model": "PINHOLE"}, "PINHOLE", (70, 75, 31, 25)),
        ({"camera_model": "OPENCV"}, "OPENCV", (70, 75, 31, 25, 0, 0, 0, 0)),
        ({"k1": 0.1, "p2": 0.2}, "OPENCV", (70, 75, 31, 25, 0.1, 0, 0, 0.2)),
        (
            {"k1": 0.1, "k3": 0.3, "camera_model": "OPENCV"},
            "FULL_OPENCV",
            (70, 75, 31, 25, 0.1, 0, 0, 0, 0.3, 0, 0, 0),
        ),
        (
            {"camera_model": "OPENCV_FISHEYE", "k1": 0.1, "k4": 0.4},
            "OPENCV_FISHEYE",
            (70, 75, 31, 25, 0.1, 0, 0, 0.4),
        ),
        ({"is_fisheye": True, "k1": 0.1}, "OPENCV_FISHEYE", (70, 75, 31, 25, 0.1, 0, 0, 0)),
        ({"is_fisheye": True}, "PINHOLE", (70, 75, 31, 25)),
        ({"camera_model": "SIMPLE_RADIAL", "fl_y": 70, "k1": 0.1}, "SIMPLE_RADIAL", None),
        ({"camera_model": "SIMPLE_RADIAL", "k1": 0.1}, "OPENCV", (70, 75, 31, 25, 0.1, 0, 0, 0)),
        ({"camera_model": "SIMPLE_PINHOLE", "fl_y": 70}, "SIMPLE_PINHOLE", (70, 31, 25)),
        ({"camera_model": "RADIAL", "fl_y": 70, "k2": 0.2}, "RADIAL", (70, 31, 25, 0, 0.2)),
        ({"fl_y": None}, "PINHOLE", (70, 70, 31, 25)),
        ({"cx": None, "cy": None}, "PINHOLE", (70, 75, 32, 26)),
        ({"w": 64.0, "h": 52.0}, "PINHOLE", (70, 75, 31, 25)),
        ({"camera_model": "EQUIRECTANGULAR"}, "EQUIRECTANGULAR", (64, 52)),
    ],
)
def test_lenses_have_colmap_models(write, common, model, params) -> None:
    given = {key: value for key, value in {**INTRINSICS, **common}.items() if value is not None}
    (camera,) = read_transforms(write(given)).model.cameras.values()
    assert (camera.model, camera.width, camera.height) == (model, WIDTH, HEIGHT)
    assert camera.params == (params or (70, 31, 25, 0.1))


@pytest.mark.parametrize(
    "common",
    [
        {"camera_angle_x": 2 * np.arctan(32 / 70)},
        {"camera_angle_x": 2 * np.arctan(32 / 70), "w": WIDTH, "h": HEIGHT},
        {"x_fov": 2 * np.degrees(np.arctan(32 / 70))},
        {"camera_angle_y": 2 * np.arctan(26 / 70)},
        {"fl_x": 70},
    ],
)
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_the_photo_says_what_the_file_does_not(write, common, ending) -> None:
    """Synthetic captures have nothing but the field of view."""
    paths = [f"images/{index}.{ending}" for index in range(4)]
    (camera,) = read_transforms(write(common, paths)).model.cameras.values()
    assert (camera.width, camera.height) == (WIDTH, HEIGHT)
    np.testing.assert_allclose(camera.params, (70, 70, 32, 26))


def test_frames_may_have_lenses_of_their_own(write) -> None:
    """What a frame says of the focal length replaces both of the file's."""
    file = write(
        frames=[{}, {"fl_x": 90.0}, {"w": 128, "h": 104, "fl_x": 140, "fl_y": 150}, {"k1": 0.1}]
    )
    model = read_transforms(file).model
    cameras = [model.cameras[image.camera_id] for image in model.images]
    assert [camera.params for camera in cameras] == [
        (70, 75, 31, 25), (90, 90, 31, 25), (140, 150, 31, 25), (70, 75, 31, 25, 0.1, 0, 0, 0),
    ]  # fmt: skip
    assert (cameras[2].width, cameras[2].height) == (128, 104)
    assert len(model.cameras) == 4


# ---- Photos --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paths", "written", "photos", "names"),
    [
        (["images/b.png", "images/a.png"], None, "images", ["a.png", "b.png"]),
        (["./images/a.png", "images/sub/b.png"], None, "images", ["a.png", "sub/b.png"]),
        (["photos/a.jpg", "b.png"], None, "", ["b.png", "photos/a.jpg"]),
        (["images\\a.png"], ["images/a.png"], "images", ["a.png"]),
        (["images/a", "images/b.5"], ["images/a.JPG", "images/b.5.png"], "images", None),
        (["/captures/cap/images/a.png"], ["images/a.png"], "images", ["a.png"]),
        (["../cap/images/a.png"], ["images/a.png"], "images", ["a.png"]),
        (["C:\\cap\\images\\a.png"], ["images/a.png"], "images", ["a.png"]),
        (["data/cap/images/a.png"], ["images/a.png"], "images", ["a.png"]),
        (["images/a.png"], ["images/a.PNG"], "images", ["a.PNG"]),
        (["images/12:30.png"], ["images/12:30.png"], "images", ["12:30.png"]),
        (["images/\u00e9"], ["images/e\u0301.JPG"], "images", ["e\u0301.JPG"]),
    ],
)
def test_paths_lead_to_photos_of_the_dataset(
    write, tmp_path, paths, written, photos, names
) -> None:
    for path in written or paths:
        save_photo(tmp_path / path)
    found = read_transforms(write(paths=paths, photos=False))
    assert found.photos == tmp_path / photos
    assert [image.name for image in found.model.images] == (names or ["a.JPG", "b.5.png"])
    assert found.model.warnings == ()


def test_frames_without_photo_are_left_out_and_that_is_said(write, tmp_path) -> None:
    file = write()
    (tmp_path / "images" / "0002.png").unlink()
    found = read_transforms(file)
    assert [image.name for image in found.model.images] == ["0000.png", "0001.png", "0003.png"]
    assert found.model.warnings == (
        f"{file}: 1 of 4 photos are missing, the first is images/0002.png; they are left out.",
    )
    assert len(load_dataset(tmp_path).scene.views) == 3


def test_without_any_photo_cameras_are_there_but_no_dataset(write, tmp_path) -> None:
    found = read_transforms(write(photos=False))
    assert len(found.model.images) == 4
    with pytest.raises(CgcError, match="images is missing; put the photos of the model there"):
        load_dataset(tmp_path)
    with pytest.raises(CgcError, match=r"frame 1 .*0000.png is missing, as are all photos"):
        read_transforms(write({"camera_angle_x": 0.8}, photos=False))


def test_synthetic_captures_are_read_with_all_their_parts(write, tmp_path) -> None:
    common = {"camera_angle_x": 0.8}
    for part, count in (("train", 3), ("val", 1), ("test", 2)):
        paths = [f"./{part}/r_{index}" for index in range(count)]
        for path in paths:
            save_photo(tmp_path / f"{path}.png")
        write(common, paths, file=f"transforms_{part}.json", photos=False)
    save_photo(tmp_path / "test" / "r_0_depth_0001.png")
    assert find_transforms(tmp_path) == tmp_path / "transforms_train.json"
    dataset = load_dataset(tmp_path)
    assert [view.name for view in dataset.scene.views] == [
        "test/r_0.png", "test/r_1.png", "train/r_0.png", "train/r_1.png", "train/r_2.png",
        "val/r_0.png",
    ]  # fmt: skip
    said = " ".join(dataset.warnings)
    assert "transforms_val.json, transforms_test.json are taken along" in said
    assert "no points" in said
    assert "have no pose" not in said
    for part in ("val", "test"):
        (tmp_path / f"transforms_{part}.json").unlink()
    assert len(load_dataset(tmp_path).scene.views) == 3


def test_a_photo_in_two_parts_is_one_view(write) -> None:
    paths = ["images/0000.png", "images/0001.png"]
    write(paths=paths, file="transforms_train.json")
    write(paths=[*paths[1:], "images/0002.png"], file="transforms_test.json")
    file = write(paths=paths, file="transforms_train.json")
    assert len(read_transforms(file).model.images) == 3


# ---- Points --------------------------------------------------------------------------------------


def write_points(path: Path, positions: np.ndarray, colors: str = "uchar") -> None:
    rows = [" ".join(f"{value:.6f}" for value in row) for row in positions]
    kinds = [f"property {colors} {name}" for name in ("red", "green", "blue")]
    shade = {"uchar": " 10 20 255", "float": " 0.2 0.4 1.0"}.get(colors, "")
    header = ["ply", "format ascii 1.0", f"element vertex {len(rows)}"]
    header += [f"property float {axis}" for axis in "xyz"] + (kinds if shade else [])
    path.write_text("\n".join([*header, "end_header", *(row + shade for row in rows), ""]))


@pytest.fixture
def cloud() -> np.ndarray:
    """Points above the origin, higher than wide, as the cameras of `RING` see them."""
    return np.random.default_rng(0).uniform((-0.5, -0.5, -1.4), (0.5, 0.5, 1.4), (200, 3))


@pytest.mark.parametrize(
    ("colors", "expected"),
    [("uchar", (10, 20, 255)), ("float", (51, 102, 255)), ("none", (128, 128, 128))],
)
def test_points_are_in_the_frame_of_the_cameras(write, tmp_path, cloud, colors, expected) -> None:
    file = write({**INTRINSICS, "ply_file_path": "cloud.ply", "applied_transform": TURN})
    write_points(tmp_path / "cloud.ply", cloud, colors)
    model = read_transforms(file).model
    np.testing.assert_allclose(model.points, cloud, atol=1e-6)
    assert np.array_equal(np.unique(model.point_colors, axis=0), [expected])
    assert model.warnings == ()
    assert len(read_transforms(file, points=False).model.points) == 0


def test_points_that_were_left_as_colmap_had_them_are_brought_along(write, tmp_path, cloud) -> None:
    """As nerfstudio wrote them at first; where cameras look tells it."""
    far = cloud + np.array([0, 0, 30])
    frames = [{"transform_matrix": looking(tuple(place), (0, 0, 30))} for place in (
        (4, 0, 31), (0, 4, 31), (-4, 0, 31), (0, -4, 31),
    )]  # fmt: skip
    file = write({**INTRINSICS, "applied_transform": TURN, "applied_scale": 2.0}, frames=frames)
    turn = 2.0 * np.array(TURN)[:, :3]
    write_points(tmp_path / "sparse_pc.ply", far @ np.linalg.inv(turn).T)
    model = read_transforms(file).model
    np.testing.assert_allclose(model.points, far, atol=1e-4)
    assert "applied_transform brings it there" in model.warnings[0]
    write_points(tmp_path / "sparse_pc.ply", far)
    np.testing.assert_allclose(read_transforms(file).model.points, far, atol=1e-4)


@pytest.mark.parametrize(("telling", "turned"), [(2, False), (30, True)])
def test_a_share_of_the_points_is_enough_to_tell(write, tmp_path, telling, turned) -> None:
    """Of 200 points some lie above what both cameras see, and beside each other once turned."""
    random = np.random.default_rng(1)
    amid = random.uniform(-0.3, 0.3, (180 - telling, 3))
    aside = np.tile([0, 40.0, 40.0], (20, 1))  # seen neither way: no frame is certain
    above = random.uniform((-0.1, -0.1, 2.3), (0.1, 0.1, 2.5), (telling, 3))
    cloud = np.concatenate([amid, aside, above])
    frames = [{"transform_matrix": looking((x, 0, 0))} for x in (6, -6)]
    file = write({**INTRINSICS, "applied_transform": TURN}, frames=frames)
    write_points(tmp_path / "sparse_pc.ply", cloud)
    model = read_transforms(file).model
    assert bool(model.warnings) is turned
    expected = cloud @ np.array(TURN)[:, :3].T if turned else cloud
    np.testing.assert_allclose(model.points, expected, atol=1e-4)


def test_points_that_are_missing_or_no_numbers(write, tmp_path, cloud) -> None:
    file = write({**INTRINSICS, "ply_file_path": "cloud.ply"})
    model = read_transforms(file).model
    assert model.warnings == (
        f"{tmp_path / 'cloud.ply'}, which transforms.json names, is missing.",
    )
    cloud[3] = np.nan
    write_points(tmp_path / "cloud.ply", cloud)
    model = read_transforms(file).model
    assert len(model.points) == len(model.point_colors) == 199
    assert "1 of 200 points" in model.warnings[0]
    write_points(tmp_path / "cloud.ply", cloud[:0])
    assert len(read_transforms(file).model.points) == 0
    (tmp_path / "cloud.ply").write_text("ply\nformat ascii 1.0\nend_header\n")
    with pytest.raises(CgcError, match=r"cloud\.ply is no point cloud"):
        read_transforms(file)


# ---- Whole datasets ------------------------------------------------------------------------------


def test_a_dataset_is_loaded_and_undistorted(write, tmp_path, cloud, save_ids) -> None:
    file = write({**INTRINSICS, "k1": -0.2, "k2": 0.05})
    write_points(tmp_path / "sparse_pc.ply", cloud)
    save_photo(tmp_path / "images" / "extra.png")
    for index in range(4):
        save_ids(tmp_path / "masks" / f"{index:04d}.png", np.ones((HEIGHT, WIDTH), np.uint8))
    assert find_solved(tmp_path) == file
    dataset = load_dataset(tmp_path)
    assert [view.name for view in dataset.scene.views] == [f"{i:04d}.png" for i in range(4)]
    assert len(dataset.scene.points) == 200
    assert dataset.scene.up[2] > 0.99
    view = dataset.scene.views[0]
    expected = pycolmap.undistort_camera(
        pycolmap.UndistortCameraOptions(blank_pixels=0.0),
        pycolmap.Camera(
            model="OPENCV",
            width=WIDTH,
            height=HEIGHT,
            params=[70, 75, 31, 25, -0.2, 0.05, 0, 0],
        ),
    )
    assert (view.camera.width, view.camera.height) == (expected.width, expected.height)
    assert view.camera.fx == pytest.approx(expected.focal_length_x)
    assert dataset.store.photo(0).shape == (view.camera.height, view.camera.width, 3)
    assert dataset.store.labels(0).shape == (view.camera.height, view.camera.width)
    assert any("1 photos have no pose" in warning for warning in dataset.warnings)


def test_photos_beside_images_have_their_masks_below_their_folder(
    write, tmp_path, save_ids
) -> None:
    write(paths=["train/a.png", "train/b.png"])
    save_ids(tmp_path / "masks" / "train" / "a.png", np.ones((HEIGHT, WIDTH), np.uint8))
    dataset = load_dataset(tmp_path)
    assert [dataset.store.has_labels(index) for index in range(2)] == [True, False]
    assert not any("no pose" in warning for warning in dataset.warnings)


def test_photos_of_half_the_size_are_scaled(write, tmp_path) -> None:
    write()
    for path in (tmp_path / "images").iterdir():
        save_photo(path, (WIDTH // 2, HEIGHT // 2))
    dataset = load_dataset(tmp_path)
    assert dataset.scene.views[0].camera.fx == 35.0
    assert any("not of their camera's size" in warning for warning in dataset.warnings)


def test_a_colmap_model_wins(make_capture, write_dataset, write) -> None:
    folder = write_dataset(make_capture(count=3))
    write(paths=["images/0000.png", "images/0001.png"])
    assert find_solved(folder) == folder / "sparse" / "0"
    assert len(read_solved(folder).model.images) == 3
    (folder / "sparse" / "0" / "points3D.bin").unlink()  # whole models only
    (folder / "transforms.json").write_bytes((folder.parent / "transforms.json").read_bytes())
    assert find_solved(folder) == folder / "transforms.json"


def test_photos_of_synthetic_captures_are_cut_out(write, tmp_path) -> None:
    write({"camera_angle_x": 0.8})
    rgba = np.full((HEIGHT, WIDTH, 4), (200, 100, 50, 0), np.uint8)
    rgba[: HEIGHT // 2, :, 3] = 255
    Image.fromarray(rgba).save(tmp_path / "images" / "0000.png")
    store = load_dataset(tmp_path).store
    assert store.are_cut_out
    assert (store.photo(0)[: HEIGHT // 2] == (200, 100, 50)).all()
    assert (store.photo(0)[HEIGHT // 2 :] == 0).all()


# ---- Damage --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"frames": []}, '"frames" of one or more'),
        ({"frames": {}}, '"frames" of one or more'),
        ({"frames": [{"transform_matrix": RING[0]}]}, 'frame 1 must be an object with a "file_pa'),
        ({"frames": [7]}, "frame 1 must be an object"),
        ({"fl_x": "wide"}, '"fl_x" must be a number, but is wide'),
        ({"fl_x": float("nan")}, '"fl_x" must be a number'),
        ({"fl_x": -5}, "focal length that is not positive"),
        ({"w": 64.5}, "give whole numbers"),
        ({"w": 10**9}, "cannot be"),
        ({"k4": 0.1}, "distortion k4"),
        ({"camera_model": "FISHEYE624"}, "camera model 'FISHEYE624'; read are"),
        ({"ftheta_p0": 0.1}, "neither perspective nor fisheye"),
        ({"applied_transform": [[1, 0], [0, 1]], "ply_file_path": "p.ply"}, '"applied_transform"'),
        ({"applied_scale": 0, "ply_file_path": "p.ply"}, '"applied_scale"'),
        ({"ply_file_path": "../p.ply"}, "no path below"),
        ({"ply_file_path": 5}, '"ply_file_path" must be a path'),
    ],
)
def test_what_cannot_be_is_one_sentence(write, tmp_path, cloud, changes, reason) -> None:
    file = write()
    write_points(tmp_path / "p.ply", cloud)
    change(file, **changes)
    with pytest.raises(CgcError, match=reason):
        read_transforms(file)


@pytest.mark.parametrize(
    ("matrix", "reason"),
    [
        (None, "four rows of four"),
        ([[1, 2], [3, 4]], "four rows of four"),
        ([[float("nan")] * 4] * 4, "four rows of four"),
        ("identity", "four rows of four"),
        (np.zeros((4, 4)).tolist(), "mirrors or shears"),
        (np.diag([1, 1, -1, 1]).tolist(), "mirrors or shears"),
        (np.diag([1, 2, 1, 1]).tolist(), "mirrors or shears"),
    ],
)
def test_poses_that_are_none_are_refused(write, matrix, reason) -> None:
    file = write(frames=[{}, {}, {"transform_matrix": matrix}])
    with pytest.raises(CgcError, match=rf"frame 3 \(images/0002.png\).*{reason}"):
        read_transforms(file)


def test_a_file_without_focal_length_or_size_says_so(write, tmp_path) -> None:
    with pytest.raises(CgcError, match="has no focal length"):
        read_transforms(write({"w": WIDTH, "h": HEIGHT}))
    with pytest.raises(CgcError, match="field of view of 180 degrees"):
        read_transforms(write({"camera_angle_x": np.pi}))
    file = write({"camera_angle_x": 0.8})
    (tmp_path / "images" / "0001.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(CgcError, match=r"frame 2 .* how large its photo is"):
        read_transforms(file)


@pytest.mark.parametrize("content", ["", "{", '{"frames": [', "[]", "3", '"frames"'])
def test_damaged_files_are_refused(tmp_path, content) -> None:
    (tmp_path / "transforms.json").write_text(content)
    with pytest.raises(CgcError, match=r"transforms.json (is not valid JSON|must have a list)"):
        load_dataset(tmp_path)


def test_two_frames_of_one_photo_are_refused(write) -> None:
    file = write(paths=["images/a.png", "./images/a.png"])
    with pytest.raises(CgcError, match=r"a.png and a.png have the same name"):
        read_transforms(file)


def test_a_folder_without_cameras_names_both_kinds(tmp_path) -> None:
    with pytest.raises(CgcError, match=r"holds no COLMAP model.*no transforms.json"):
        load_dataset(tmp_path)


def test_masks_that_frames_name_are_not_passed_over_in_silence(write) -> None:
    file = write(frames=[{"mask_path": "masks/0000.png"}, {"mask_path": ""}, {}])
    (warning,) = read_transforms(file, points=False).model.warnings
    assert "the masks of 1 frames (mask_path) are not used" in warning
