# SPDX-License-Identifier: GPL-3.0-or-later
"""A camera is looked through as its photo was taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.capture.files import read_capture
from cgc_addon.blender.capture.import_colmap import import_colmap
from cgc_addon.blender.capture.parts import root_of
from cgc_addon.blender.picking.looking import viewpoint_of_camera
from cgc_addon.errors import CgcError


def test_points_fall_where_the_photo_has_them(write_capture: Callable[..., Path]) -> None:
    folder = write_capture()
    capture = import_colmap(bpy.context, folder)
    bpy.context.view_layer.update()
    matrix = np.array(root_of(capture).matrix_world)
    files = read_capture(folder)
    for photo in files.photos:
        view, camera = photo.view, photo.view.camera
        seen = viewpoint_of_camera(bpy.context, view.name)
        assert (seen.width, seen.height) == (camera.width, camera.height)
        points = np.column_stack([files.points, np.ones(len(files.points))])
        in_view = points @ matrix.T @ seen.world_to_view.T
        clip = in_view @ seen.projection.T
        found = (clip[:, :2] / clip[:, 3:] + 1) * (seen.width / 2, seen.height / 2)
        x, y, z = (points @ view.world_to_camera.T)[:, :3].T
        assert np.allclose(-in_view[:, 2], z, atol=1e-4)
        expected = np.column_stack(
            [camera.fx * x / z + camera.cx, camera.height - camera.fy * y / z - camera.cy]
        )
        assert np.allclose(found, expected, rtol=1e-4, atol=1e-2)


def test_what_is_no_camera_is_said() -> None:
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("empty", None))
    for name, message in (("none", "There is no camera none"), ("empty", "empty is no camera")):
        with pytest.raises(CgcError, match=message):
            viewpoint_of_camera(bpy.context, name)
