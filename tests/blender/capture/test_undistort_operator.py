# SPDX-License-Identifier: GPL-3.0-or-later
"""Undistorting photos by a button; the worker is a stand-in that writes what the verb would."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.cameras import intrinsics_of
from cgc_addon.blender.capture.import_colmap import import_colmap
from cgc_addon.blender.capture.parts import objects_of_kind
from cgc_addon.blender.jobs import registry as jobs
from cgc_addon.dataset.colmap.model import read_model
from cgc_addon.dataset.colmap.places import find_model

DISTORTED = "1 SIMPLE_RADIAL 64 52 70 31 25 0.1"


class StandIn:
    """A worker that undistorts at once, or fails."""

    def __init__(self, problem: str = "") -> None:
        self.alive = True
        self.problem = problem
        self.arguments: list[str] = []

    def run(self, arguments: Sequence[str | Path]) -> str:
        verb, dataset, option, folder = self.arguments = [str(item) for item in arguments]
        assert (verb, option) == ("undistort", "-o")
        if not self.problem:
            shutil.copytree(Path(dataset) / "images", Path(folder) / "images")
            size = {"width": 60, "height": 48, "fx": 69.0, "fy": 70.0, "cx": 30.0, "cy": 23.5}
            records = [
                {"name": image.name, **size, "world_to_camera": image.world_to_camera.tolist()}
                for image in read_model(find_model(Path(dataset))).images
            ]
            (Path(folder) / "cameras.json").write_text(json.dumps(records))
        return "1"

    def poll(self) -> list[dict[str, Any]]:
        if self.problem:
            return [{"type": "error", "text": self.problem}]
        return [{"type": "result", "photos": 4}]

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def stop(self, grace: float = 0.0) -> None: ...
    def kill(self) -> None: ...

    def close(self, wait: float = 0.0) -> None:
        self.alive = False


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn()
    monkeypatch.setattr(jobs, "new_worker", lambda: stand_in)
    return stand_in


def test_cameras_fit_the_undistorted_photos_afterwards(
    write_capture: Callable, worker: StandIn
) -> None:
    folder = write_capture(cameras=[DISTORTED])
    capture = import_colmap(bpy.context, folder)
    assert bpy.ops.cgc.undistort_photos() == {"FINISHED"}
    assert worker.arguments[3] == str(folder / "undistorted")
    for camera in objects_of_kind(capture, "CAMERA"):
        assert intrinsics_of(camera.data).fx == 69.0
        (background,) = camera.data.background_images
        assert Path(background.image.filepath).parent == folder / "undistorted" / "images"
    assert len(bpy.data.images) == 4


def test_a_capture_without_distortion_is_left_alone(
    write_capture: Callable, worker: StandIn
) -> None:
    import_colmap(bpy.context, write_capture())
    with pytest.raises(RuntimeError, match="has no lens distortion; its photos fit as they are"):
        bpy.ops.cgc.undistort_photos()
    assert worker.arguments == []


def test_a_worker_that_fails_changes_nothing(write_capture: Callable, worker: StandIn) -> None:
    worker.problem = "images/0002.png is damaged; copy it again."
    capture = import_colmap(bpy.context, write_capture(cameras=[DISTORTED]))
    with pytest.raises(RuntimeError, match=r"images/0002.png is damaged; copy it again\."):
        bpy.ops.cgc.undistort_photos()
    assert intrinsics_of(objects_of_kind(capture, "CAMERA")[0].data).fx == 70.0


def test_it_needs_a_dataset() -> None:
    assert not bpy.ops.cgc.undistort_photos.poll()
