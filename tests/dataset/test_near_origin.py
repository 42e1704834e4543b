# SPDX-License-Identifier: GPL-3.0-or-later
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgc_addon.dataset.cameras_json import read_cameras_json
from cgc_addon.dataset.colmap.records import rotation_matrix
from cgc_addon.dataset.load import load_dataset
from cgc_addon.dataset.near_origin import nearer_frame, origin_for, relative_views
from cgc_addon.dataset.solved import read_solved
from cgc_addon.dataset.undistorted_copy import write_undistorted

SAMPLE = Path(__file__).parents[2] / "cgc_addon" / "sample"
UTM = np.array([500_123.25, 4_649_776.5, 120.0])


def test_is_a_short_whole_place_close_to_the_capture() -> None:
    places = np.random.default_rng(0).normal(size=(40, 3)) + UTM
    assert origin_for(places).tolist() == [500_120.0, 4_649_780.0, 120.0]


@given(st.floats(0.0, 50.0), st.floats(0.01, 1e4))
def test_near_captures_stay_where_they_are(distance: float, size: float) -> None:
    places = size * np.random.default_rng(1).normal(size=(30, 3)) + [distance * size, 0.0, 0.0]
    assert not origin_for(places).any()


@given(
    st.tuples(*[st.floats(-7e6, 7e6)] * 3).filter(lambda place: np.linalg.norm(place) > 1e5),
    st.floats(0.5, 300.0),
)
def test_far_captures_lose_nothing_in_32_bits(
    place: tuple[float, float, float], size: float
) -> None:
    places = size * np.random.default_rng(2).normal(size=(30, 3)) + place
    origin = origin_for(places)
    assert origin.any()
    rounded = (places - origin).astype(np.float32) + origin
    assert np.abs(rounded - places).max() < 1e-5 * size
    assert (origin.astype(np.float32) == origin).all()  # properties in Blender have 32 bits


def test_a_few_lost_cameras_move_no_capture() -> None:
    places = np.random.default_rng(3).normal(size=(40, 3))
    places[:3] += 1e7
    assert not origin_for(places).any()


def test_a_dataset_in_map_coordinates_is_the_dataset_elsewhere(in_map_coordinates: Path) -> None:
    here, there = load_dataset(SAMPLE), load_dataset(in_map_coordinates)
    assert not here.scene.origin.any()
    rest = UTM - there.scene.origin
    assert np.abs(rest).max() <= 5.0
    for near, far in zip(here.scene.views, there.scene.views, strict=True):
        np.testing.assert_allclose(far.center() - rest, near.center(), atol=1e-6)
    # Half a metre, were they rounded before they are shifted.
    np.testing.assert_allclose(there.scene.points - rest, here.scene.points, atol=1e-5)
    assert there.scene.extent == pytest.approx(here.scene.extent, rel=1e-6)
    assert any("(500120, 4649780, 120)" in warning for warning in there.warnings)


def test_the_origin_can_be_that_of_a_run(in_map_coordinates: Path) -> None:
    wanted = np.array([500_000.0, 4_649_000.0, 0.0])
    chosen, given_ = read_solved(in_map_coordinates), read_solved(in_map_coordinates, wanted)
    for image, other in zip(chosen.model.images, given_.model.images, strict=True):
        pose, moved = image.world_to_camera, other.world_to_camera
        shift = pose[:3, :3] @ (wanted - chosen.origin)
        np.testing.assert_allclose(moved[:3, 3], pose[:3, 3] + shift, atol=1e-6)


def test_undistorted_copies_are_in_map_coordinates_again(
    in_map_coordinates: Path, tmp_path: Path
) -> None:
    dataset = load_dataset(in_map_coordinates, max_size=32)
    written = write_undistorted(dataset, tmp_path / "copy")
    read = read_cameras_json(tmp_path / "copy" / "cameras.json")
    for view, again, near in zip(written, read, dataset.scene.views, strict=True):
        np.testing.assert_allclose(again.center(), view.center(), atol=1e-6)
        np.testing.assert_allclose(again.center() - dataset.scene.origin, near.center(), atol=1e-6)


def test_cameras_may_be_in_either_frame() -> None:
    views = load_dataset(SAMPLE).scene.views
    origin = np.array([500_120.0, 4_649_780.0, 120.0])
    for given_ in (views, relative_views(views, -origin)):
        for view, near in zip(nearer_frame(given_, origin), views, strict=True):
            np.testing.assert_allclose(view.world_to_camera, near.world_to_camera, atol=1e-6)


@pytest.fixture
def in_map_coordinates(tmp_path: Path) -> Path:
    """The bundled sample, moved to where maps have it."""
    folder = tmp_path / "site"
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("gt", "masks"))
    model = folder / "sparse" / "0"
    lines = []
    for line in (model / "images.txt").read_text().splitlines():
        words = line.split()
        if line.startswith("#") or len(words) != 10:
            continue
        quaternion = np.array([float(word) for word in words[1:5]])
        quaternion /= np.linalg.norm(quaternion)
        turn = rotation_matrix(quaternion)
        words[1:5] = [f"{value:.17g}" for value in quaternion]
        moved = np.array([float(word) for word in words[5:8]]) - turn @ UTM
        words[5:8] = [f"{value:.17g}" for value in moved]
        lines += [" ".join(words), ""]
    (model / "images.txt").write_text("\n".join(lines) + "\n")
    lines = []
    for line in (model / "points3D.txt").read_text().splitlines():
        words = line.split()
        if not line.startswith("#"):
            words[1:4] = [
                f"{float(word) + place:.6f}" for word, place in zip(words[1:4], UTM, strict=True)
            ]
            lines.append(" ".join(words))
    (model / "points3D.txt").write_text("\n".join(lines) + "\n")
    return folder
