# SPDX-License-Identifier: GPL-3.0-or-later
"""A .blend that 0.1.0 wrote, in Blender 4.5, opens as it was saved and is brought up to date."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.capture.parts import captures, objects_of_kind, root_of, segment_collections
from cgc_addon.blender.common.access import of_camera, of_collection, of_scene
from cgc_addon.blender.common.format_version import FORMAT_VERSION
from cgc_addon.blender.segments.data import (
    all_segments,
    count_of,
    has_automatic_name,
    splats_of,
)
from cgc_addon.blender.segments.merge_tree import stored_tree
from cgc_addon.blender.segments.recut import recut
from cgc_addon.blender.splats.objects import gaussians_of

EARLIER = Path(__file__).parents[1] / "earlier_versions" / "0.1.0" / "capture.blend"
TREE = {
    "count": 6,
    "merges": [[1, 2], [3, 4], [1, 3]],
    "heights": [float(np.float32(height)) for height in (0.9, 0.4, 0.2)],
}
GRANULARITY = float(np.float32(0.7784339189529419))


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """Return a copy, as opening and saving may leave something beside the file."""
    return Path(shutil.copy(EARLIER, tmp_path))


def open_file(path: Path, capfd: pytest.CaptureFixture[str]) -> bpy.types.Collection:
    """Open a file as a user does, which must say nothing, and return its capture."""
    capfd.readouterr()
    bpy.ops.wm.open_mainfile(filepath=str(path))
    told = "".join(capfd.readouterr())
    assert "Traceback" not in told
    assert "cgc" not in told.replace(str(path), "")
    (capture,) = captures(bpy.context.scene)
    return capture


def positions_by_gaussian(capture: bpy.types.Collection) -> np.ndarray:
    """Return where each Gaussian is in the world, (N, 3), in the order of the run's splat."""
    bpy.context.view_layer.update()
    places, order = [], []
    for collection in all_segments(capture):
        for item in splats_of(collection):
            means = gaussians_of(item).means.astype(np.float64)
            matrix = np.array(item.matrix_world)
            places.append(means @ matrix[:3, :3].T + matrix[:3, 3])
            index = np.empty(len(means), np.int32)
            item.data.attributes["gaussian"].data.foreach_get("value", index)
            order.append(index)
    return np.concatenate(places)[np.argsort(np.concatenate(order))]


def check_content(capture: bpy.types.Collection) -> None:
    """Check what a person did before the file was saved by 0.1.0."""
    scene, settings = of_scene(bpy.context.scene), of_collection(capture)
    assert (scene.preset, scene.backend, scene.steps) == ("draft", "cpu", 123)
    assert (scene.photo_mask_model, scene.look_color) == ("vit_b", "SEGMENT")
    assert scene.look_shape == "ELLIPSOIDS"
    assert (scene.dataset, settings.dataset, settings.run) == ("//tiny", "//tiny", "//merged")
    assert settings.granularity == GRANULARITY
    assert settings.minimum_size == 10

    cameras = objects_of_kind(capture, "CAMERA")
    assert len(cameras) == 12
    assert len({of_camera(camera.data).photo for camera in cameras}) == 12
    assert all(of_camera(camera.data).width == 48 for camera in cameras)
    assert len(objects_of_kind(capture, "POINTS")) == 1
    assert root_of(capture).type == "EMPTY"

    ball, other = segment_collections(capture)
    assert (ball.name, of_collection(ball).segment) == ("Red ball", 1)
    assert of_collection(ball).named
    assert of_collection(ball).pinned
    (moved,) = splats_of(ball)
    assert moved.location[:] == (0.5, 0.0, 0.0)
    assert moved.rotation_euler[:] == pytest.approx((0.0, 0.0, 0.3))
    assert of_collection(other).color[:] == pytest.approx((0.1, 0.9, 0.3))
    assert (of_collection(other).named, of_collection(other).pinned) == (False, False)
    assert has_automatic_name(other)
    assert not of_collection(other).shown
    assert (other.hide_viewport, other.hide_render) == (True, False)
    assert [count_of(collection) for collection in all_segments(capture)] == [105, 12, 12]

    tree = stored_tree(capture)
    assert tree.count == TREE["count"]
    assert tree.merges.tolist() == TREE["merges"]
    assert tree.heights.tolist() == TREE["heights"]


def check_up_to_date(capture: bpy.types.Collection) -> None:
    assert of_scene(bpy.context.scene).version == FORMAT_VERSION
    parts = [capture, *capture.children_recursive]
    assert {of_collection(part).version for part in parts} == {FORMAT_VERSION}
    assert json.loads(of_collection(capture).merge_tree) == {"version": 1, **TREE}


def test_it_opens_as_it_was_saved_and_up_to_date(earlier: Path, capfd) -> None:
    capture = open_file(earlier, capfd)
    check_content(capture)
    check_up_to_date(capture)


def test_opening_changes_no_file(earlier: Path, capfd) -> None:
    before = earlier.read_bytes()
    open_file(earlier, capfd)
    assert earlier.read_bytes() == before


def sizes(capture: bpy.types.Collection) -> list[int]:
    return [count_of(collection) for collection in all_segments(capture)]


def test_its_segments_are_recut_to_whole_objects_and_back(earlier: Path, capfd) -> None:
    capture = open_file(earlier, capfd)
    before, ball = positions_by_gaussian(capture), segment_collections(capture)[0]
    assert recut(capture, 0.0, 10).by_hand == 1
    # What is pinned stays as it is; 0.1.0 had left what floats apart where it was.
    assert sizes(capture) == [105, 11, 13]

    of_collection(ball).pinned = False
    assert recut(capture, 0.0, 10).segments == 5
    assert recut(capture, 1.0, 10).segments == 2
    assert recut(capture, GRANULARITY, 10).segments == 2
    assert sizes(capture) == [98, 11, 20]
    assert ball.name == "Red ball"
    np.testing.assert_allclose(positions_by_gaussian(capture), before, atol=1e-5)


def test_what_was_brought_up_to_date_is_saved(earlier: Path, tmp_path: Path, capfd) -> None:
    open_file(earlier, capfd)
    again = tmp_path / "again.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(again), relative_remap=False)
    capture = open_file(again, capfd)
    check_content(capture)
    check_up_to_date(capture)


@pytest.mark.parametrize("link", [False, True])
def test_a_capture_that_is_appended_or_linked_comes_up_to_date(
    earlier: Path, link: bool, capfd
) -> None:
    capfd.readouterr()
    folder = f"{earlier}/Collection/"
    bring = bpy.ops.wm.link if link else bpy.ops.wm.append
    bring(filepath=f"{folder}tiny", directory=folder, filename="tiny")
    assert "Traceback" not in "".join(capfd.readouterr())
    (capture,) = (one for one in bpy.data.collections if of_collection(one).kind == "CAPTURE")
    assert (capture.library is not None) == link
    assert of_collection(capture).version == FORMAT_VERSION
    assert json.loads(of_collection(capture).merge_tree) == {"version": 1, **TREE}
    assert stored_tree(capture).count == 6
