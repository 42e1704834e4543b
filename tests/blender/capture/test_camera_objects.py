# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras see all of their capture and little beyond, whatever its size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.capture.camera_objects import cameras_collection
from cgc_addon.blender.capture.files import read_capture
from cgc_addon.blender.capture.import_colmap import import_colmap
from cgc_addon.blender.capture.parts import objects_of_kind, root_of


@pytest.mark.parametrize("scale", [1.0, 50.0])
def test_the_clip_range_fits_the_capture_at_any_size(
    write_capture: Callable[..., Path], scale: float
) -> None:
    folder = write_capture()
    capture = import_colmap(bpy.context, folder)
    root_of(capture).scale = (scale, scale, scale)
    bpy.context.view_layer.update()
    import_colmap(bpy.context, folder)  # again: cameras are brought in line with the new size
    files = read_capture(folder)
    radius = float(np.linalg.norm(files.points, axis=1).max())
    for item in objects_of_kind(capture, "CAMERA"):
        farthest = scale * (radius + float(np.linalg.norm(item.matrix_basis.translation)))
        assert item.data.clip_start < 0.01 * scale * files.extent
        assert farthest < item.data.clip_end < 100 * farthest
        # Depths of 24 bits still tell things apart that far.
        assert item.data.clip_end / item.data.clip_start < 1e6


def test_cameras_are_out_of_the_way_of_clicks_until_asked_for(
    write_capture: Callable[..., Path],
) -> None:
    folder = write_capture()
    capture = import_colmap(bpy.context, folder)
    cameras = objects_of_kind(capture, "CAMERA")
    assert not set(cameras) & set(bpy.context.selectable_objects)
    for item in cameras:
        locks = (*item.lock_location, *item.lock_rotation, *item.lock_scale, item.lock_rotation_w)
        assert all(locks)
        item.lock_location = (False, False, False)
    collection = cameras_collection(capture)
    assert collection is not None
    collection.hide_select = False
    assert set(cameras) <= set(bpy.context.selectable_objects)
    import_colmap(bpy.context, folder)  # again: what was chosen stays
    assert not collection.hide_select
    assert not any(cameras[0].lock_location)
