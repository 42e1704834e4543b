# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of a capture say, and what is said of files that are missing or wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

from cgc_addon.blender.capture.files import dataset_of, read_capture
from cgc_addon.blender.training.dataset_facts import inspect
from cgc_addon.blender.training.plan import check_dataset
from cgc_addon.dataset.colmap.model import read_model
from cgc_addon.errors import CgcError

OPENCV = "1 OPENCV 64 52 70 75 31 25 0.1 -0.05 0.002 -0.003"


@pytest.mark.parametrize(
    "place", ["", "sparse", "sparse/0", "sparse/0/cameras.txt", "sparse/0/points3D.txt"]
)
def test_any_place_of_a_model_leads_to_its_dataset(write_capture: Callable, place: str) -> None:
    folder = write_capture()
    assert dataset_of(folder / place) == folder


def test_a_model_without_a_dataset_is_its_own(write_capture: Callable, tmp_path: Path) -> None:
    folder = (write_capture() / "sparse" / "0").rename(tmp_path / "model")
    files = read_capture(folder / "images.txt")
    assert files.dataset == folder
    assert len(files.photos) == 4
    assert files.warnings == (f"{folder}/images is missing; cameras are imported without photos.",)


def test_a_second_model_is_read_and_shown_the_photos_above(write_capture: Callable) -> None:
    folder = write_capture()
    second = folder / "sparse" / "1"
    shutil.copytree(folder / "sparse" / "0", second)
    files = read_capture(second)
    assert files.dataset == second
    assert files.photos[0].file == folder / "images" / "0000.png"
    assert "since you chose it" in files.warnings[0]


def test_the_model_of_most_photos_is_that_of_the_dataset(write_capture: Callable) -> None:
    folder = write_capture()
    second = folder / "sparse" / "1"
    shutil.copytree(folder / "sparse" / "0", second)
    images = folder / "sparse" / "0" / "images.txt"
    records = [line for line in images.read_text().splitlines(True) if not line.startswith("#")]
    images.write_text("".join(records[:2]))
    files = read_capture(second / "images.txt")
    assert (files.dataset, len(files.photos)) == (folder, 4)
    assert files.warnings[0].endswith("left out: 0 with 1.")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("sparse/0/frames.txt", "is no file of a COLMAP model; choose cameras, images or points3D"),
        ("images/0000.png", "is no file of a COLMAP model"),
        ("nowhere", "is not there; choose a folder"),
    ],
)
def test_other_files_are_refused(write_capture: Callable, name: str, says: str) -> None:
    folder = write_capture()
    (folder / "sparse/0/frames.txt").write_text("")
    with pytest.raises(CgcError, match=says):
        read_capture(folder / name)


def test_pinhole_views_are_exact_and_in_name_order(write_capture: Callable) -> None:
    files = read_capture(write_capture())
    assert [photo.view.name for photo in files.photos] == [f"{n:04d}.png" for n in range(4)]
    camera = files.photos[0].view.camera
    assert (camera.width, camera.height) == (64, 52)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (70.0, 75.0, 31.0, 25.0)
    assert files.warnings == ()
    assert np.allclose(files.up, (0.0, 0.0, 1.0), atol=1e-6)
    assert files.reach >= files.extent > 0.0
    assert len(files.points) == len(files.point_colors) == 20


def test_distortion_is_said_with_its_size(write_capture: Callable) -> None:
    folder = write_capture(cameras=[OPENCV])
    (warning,) = read_capture(folder).warnings
    assert warning.startswith(f"{folder}: lens distortion is ignored, up to ")
    assert warning.endswith("; run Undistort Photos to have cameras that fit exactly.")
    moved = []
    for x, y in [((u - 31) / 70, (v - 25) / 75) for u in (0, 64) for v in (0, 52)]:
        s = x * x + y * y
        radial = 0.1 * s - 0.05 * s * s
        dx = x * radial + 2 * 0.002 * x * y - 0.003 * (s + 2 * x * x)
        dy = y * radial - 2 * 0.003 * x * y + 0.002 * (s + 2 * y * y)
        moved.append(np.hypot(70 * dx, 75 * dy))
    assert f" {max(moved):.3g} px in the corners" in warning


def test_size_of_fisheye_distortion_is_not_guessed(write_capture: Callable) -> None:
    folder = write_capture(cameras=["1 OPENCV_FISHEYE 64 52 70 75 31 25 0.02 -0.01 0 0"])
    (warning,) = read_capture(folder).warnings
    assert "lens distortion is ignored; run Undistort Photos" in warning


def test_a_panorama_is_refused_by_its_number(write_capture: Callable) -> None:
    folder = write_capture(cameras=["1 EQUIRECTANGULAR 64 52 64 52"])
    with pytest.raises(CgcError, match=r"sparse/0: camera 1: .*panoramas"):
        read_capture(folder)


def undistort_by_hand(folder: Path, ending: str = ".png") -> None:
    """Write what the verb would, with intrinsics of its own."""
    records = []
    (folder / "undistorted" / "images").mkdir(parents=True)
    for photo in read_capture(folder).photos:
        view = photo.view
        size = {"width": 60, "height": 50, "fx": 71.0, "fy": 76.0, "cx": 30.5, "cy": 24.5}
        records.append(
            {"name": view.stem + ending, **size, "world_to_camera": view.world_to_camera.tolist()}
        )
        copy = folder / "undistorted" / "images" / (view.stem + ending)
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes((folder / "images" / view.name).read_bytes())
    (folder / "undistorted" / "cameras.json").write_text(json.dumps(records))


def test_undistorted_photos_and_their_cameras_are_taken(write_capture: Callable) -> None:
    folder = write_capture(cameras=[OPENCV])
    undistort_by_hand(folder)
    files = read_capture(folder)
    assert files.warnings == ()
    assert files.photos[1].view.camera.fx == 71.0
    assert files.photos[1].file == folder / "undistorted" / "images" / "0001.png"


def test_a_photo_that_is_missing_was_not_undistorted(write_capture: Callable) -> None:
    folder = write_capture(cameras=[OPENCV])
    undistort_by_hand(folder)
    (folder / "images" / "0002.png").unlink()
    records = json.loads((folder / "undistorted" / "cameras.json").read_text())
    del records[2]
    (folder / "undistorted" / "cameras.json").write_text(json.dumps(records))
    files = read_capture(folder)
    names = [photo.view.name for photo in files.photos]
    assert (names, files.warnings) == (["0000.png", "0001.png", "0003.png"], ())


def test_photos_are_found_under_the_names_that_disks_made_of_them(write_capture: Callable) -> None:
    folder = write_capture()
    for photo in sorted((folder / "images").iterdir()):
        photo.rename(photo.with_suffix(".PNG"))
    files = read_capture(folder)
    assert [photo.view.name for photo in files.photos] == [f"{n:04d}.PNG" for n in range(4)]
    assert files.photos[0].file == folder / "images" / "0000.PNG"
    assert files.warnings == ()


def test_undistorted_photos_may_have_become_png(write_capture: Callable) -> None:
    folder = write_capture(cameras=[OPENCV], names=["a/1.tif", "a/2.tif", "b/1.tif", "b/2.tif"])
    undistort_by_hand(folder, ".png")
    photo = read_capture(folder).photos[2]
    assert photo.view.name == "b/1.tif"
    assert photo.view.camera.fx == 71.0
    assert photo.file == folder / "undistorted" / "images" / "b" / "1.png"


def test_undistorted_photos_of_another_model_are_not_taken(write_capture: Callable) -> None:
    undistort_by_hand(write_capture(cameras=[OPENCV]))
    folder = write_capture(cameras=[OPENCV], seed=1)
    files = read_capture(folder)
    assert files.photos[0].view.camera.fx == 70.0
    assert files.photos[0].file == folder / "images" / "0000.png"
    (warning,) = files.warnings
    assert "cameras.json is of another model: 0000.png differs. Lens distortion is" in warning


def test_damaged_cameras_json_is_said_and_not_taken(write_capture: Callable) -> None:
    folder = write_capture(cameras=[OPENCV])
    undistort_by_hand(folder)
    (folder / "undistorted" / "cameras.json").write_text("[")
    (warning,) = read_capture(folder).warnings
    assert "cameras.json is not valid JSON" in warning
    assert "Lens distortion is ignored; run Undistort Photos" in warning


def test_pinhole_captures_need_no_undistorted_photos(write_capture: Callable) -> None:
    folder = write_capture()
    undistort_by_hand(folder)
    assert read_capture(folder).photos[0].view.camera.fx == 70.0


def test_missing_and_unreadable_photos_are_counted_once_each(write_capture: Callable) -> None:
    folder = write_capture()
    (folder / "images" / "0001.png").unlink()
    (folder / "images" / "0003.png").unlink()
    (folder / "images" / "0002.png").write_bytes(b"no photo")
    files = read_capture(folder)
    assert [photo.file is None for photo in files.photos] == [False, True, True, True]
    assert files.warnings == (
        f"{folder}/images: 2 of 4 photos are missing, the first is 0001.png; "
        "their cameras show no photo.",
        f"{folder}/images: 1 of 4 photos are no images that can be read, the first is 0002.png; "
        "their cameras show no photo.",
    )


def as_transforms(folder: Path, photos: str = "images", **common: object) -> Path:
    """Turn a COLMAP capture into one with a transforms.json, its photos in another folder."""
    model = read_model(folder / "sparse" / "0")
    camera = model.cameras[1]
    frames = []
    for image in model.images:
        pose = np.linalg.inv(image.world_to_camera) @ np.diag([1.0, -1, -1, 1])
        path = f"./{photos}/{image.stem}"
        frames.append({"file_path": path, "transform_matrix": pose.tolist()})
    lens = dict(zip(("fl_x", "fl_y", "cx", "cy"), camera.params, strict=False))
    content = {"w": camera.width, "h": camera.height, **lens, **common, "frames": frames}
    (folder / "transforms.json").write_text(json.dumps(content))
    (folder / "images").rename(folder / "taken")
    (folder / "taken").rename(folder / photos)
    shutil.rmtree(folder / "sparse")
    return folder


@pytest.mark.parametrize("photos", ["images", "train"])
@pytest.mark.parametrize("place", ["", "transforms.json"])
def test_a_transforms_json_is_a_capture(write_capture: Callable, photos: str, place: str) -> None:
    folder = write_capture()
    before = read_capture(folder)
    as_transforms(folder, photos)
    files = read_capture(folder / place)
    prefix = "" if photos == "images" else "train/"
    assert files.dataset == folder
    assert [photo.view.name for photo in files.photos] == [f"{prefix}{n:04d}.png" for n in range(4)]
    for mine, theirs in zip(files.photos, before.photos, strict=True):
        assert mine.view.camera == theirs.view.camera
        assert np.allclose(mine.view.world_to_camera, theirs.view.world_to_camera)
        assert mine.file == folder / photos / f"{theirs.view.name}"
    assert np.allclose(files.up, before.up)
    assert (len(files.points), files.warnings) == (0, ())


def test_distortion_of_a_transforms_json_is_said(write_capture: Callable) -> None:
    folder = as_transforms(write_capture(), k1=0.1)
    (warning,) = read_capture(folder).warnings
    assert "lens distortion is ignored, up to" in warning
    undistort_by_hand(folder)
    assert read_capture(folder).photos[0].view.camera.fx == 71.0


def test_a_colmap_model_goes_before_a_transforms_json(write_capture: Callable) -> None:
    folder = write_capture()
    (folder / "transforms.json").write_text("{}")
    assert read_capture(folder).warnings == ()
    files = read_capture(folder / "transforms.json")
    assert len(files.photos) == 4
    assert files.warnings == (
        f"{folder} has a COLMAP model, too; that is read, not transforms.json.",
    )


def test_a_damaged_transforms_json_is_said(write_capture: Callable) -> None:
    folder = as_transforms(write_capture())
    (folder / "transforms.json").write_text("{}")
    with pytest.raises(CgcError, match=r"transforms\.json must have a list"):
        read_capture(folder)


@pytest.mark.parametrize("photos", ["images", "train"])
def test_the_panel_and_training_take_a_transforms_json(write_capture: Callable, photos) -> None:
    folder = as_transforms(write_capture(), photos, k1=0.1)
    for stem in ("0000", "0001", "stranger"):
        mask = folder / "masks" / ("" if photos == "images" else photos) / f"{stem}.png"
        mask.parent.mkdir(parents=True, exist_ok=True)
        mask.write_bytes(b"")
    check_dataset(folder)
    facts = inspect(folder, None)
    assert (facts.photos, facts.labelled, facts.strangers) == (4, 2, 1)
    assert (facts.distorted, facts.label_folder) == (True, "masks")
    shutil.rmtree(folder / photos)
    with pytest.raises(CgcError, match=r"images|photos"):
        inspect(folder, None)
