# SPDX-License-Identifier: GPL-3.0-or-later
"""A pixel of the viewport is that pixel of the photo which sees the same thing."""

from __future__ import annotations

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.capture.cameras import apply_intrinsics, set_scene_for
from cgc_addon.blender.photo_masks.photo_pixels import place_photo
from cgc_addon.dataset.scene import PinholeCamera
from cgc_addon.errors import CgcError

CAMERAS = (
    PinholeCamera(640, 480, 500.0, 500.0, 320.0, 240.0),
    PinholeCamera(640, 480, 500.0, 500.0, 250.0, 300.0),
    PinholeCamera(480, 640, 500.0, 410.0, 281.0, 300.5),
    PinholeCamera(1001, 333, 700.0, 900.0, 480.0, 190.0),
)
REGION = (913, 541)


def matrices(
    camera: PinholeCamera, zoom: float, shift: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the projection of a region through a camera, and how its frame lies in that region."""
    data = bpy.data.cameras.new("camera")
    apply_intrinsics(data, camera)
    item = bpy.data.objects.new("camera", data)
    bpy.context.scene.collection.objects.link(item)
    render = bpy.context.scene.render
    projection = item.calc_matrix_camera(
        bpy.context.evaluated_depsgraph_get(),
        x=render.resolution_x,
        y=render.resolution_y,
        scale_x=render.pixel_aspect_x,
        scale_y=render.pixel_aspect_y,
    )
    # The frame keeps its shape on the screen, whatever the region's.
    width = render.resolution_x * render.pixel_aspect_x
    shape = width / (render.resolution_y * render.pixel_aspect_y)
    frame = np.diag([zoom, zoom * REGION[0] / REGION[1] / shape, 1.0, 1.0])
    frame[:2, 3] = shift
    return frame @ np.array(projection), frame


@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize(("zoom", "shift"), [(0.8, (0.0, 0.0)), (2.5, (0.6, -0.3))])
@pytest.mark.parametrize("own_shape", [True, False])
def test_what_a_camera_sees_is_where_its_photo_shows_it(camera, zoom, shift, own_shape):
    if own_shape:
        set_scene_for(bpy.context.scene, camera)
    else:  # Blender would render another picture then, but the photo lies where it belongs
        render = bpy.context.scene.render
        render.resolution_x, render.resolution_y, render.pixel_aspect_y = 600, 640, 1.3
    projection, frame = matrices(camera, zoom, shift)
    photo = place_photo(projection, REGION, camera)
    points = np.random.default_rng(5).uniform((-1, -1, 2), (1, 1, 9), (30, 3))  # x right, y down
    seen = points @ camera.matrix().T
    pixels = seen[:, :2] / seen[:, 2:]
    clip = projection @ np.vstack([points.T * [[1.0], [-1.0], [-1.0]], np.ones(30)])
    places = ((clip[:2] / clip[3] + 1) / 2).T * REGION
    for (u, v), (x, y) in zip(pixels, places, strict=True):
        assert photo.to_photo(x, y) == pytest.approx((u, v), abs=2e-3)
        assert photo.to_region(u, v) == pytest.approx((x, y), abs=2e-3)
    corners = (frame @ np.array([[-1, 1], [1, -1], [0, 0], [1, 1]]))[:2]  # of the frame
    (left, right), (top, bottom) = (corners + 1) / 2 * np.array(REGION)[:, None]
    there = (*photo.to_region(0, 0), *photo.to_region(camera.width, camera.height))
    assert (there == pytest.approx((left, top, right, bottom), abs=2e-3)) is own_shape


def test_a_view_without_perspective_is_refused():
    flat = np.diag([1.0, 1.0, -0.01, 1.0])
    with pytest.raises(CgcError, match="no perspective"):
        place_photo(flat, REGION, CAMERAS[0])
