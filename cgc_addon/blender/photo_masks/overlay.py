# SPDX-License-Identifier: GPL-3.0-or-later
"""The masks of a photo, drawn over it in viewports that look through its camera.

Whether they are shown is of this session; which level, and how strongly, is kept in the scene.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import bpy
import numpy as np

from ...errors import CgcError
from ..common.access import of_scene
from ..common.context import members_of, region_of, scene_of
from ..common.windows import areas_of
from . import review
from .photo_pixels import PhotoInRegion, place_photo
from .picture import mask_picture

if TYPE_CHECKING:
    from bpy.types import Context, Region, RegionView3D, Scene, SpaceView3D
    from gpu.types import GPUTexture


@dataclass
class _Shown:
    """What is drawn; there is one of it at most."""

    handle: Any = None
    version: int = -1
    texture: GPUTexture | None = None
    """Of the picture of `version`."""
    problem: str = ""


_shown = _Shown()


def is_shown() -> bool:
    """Return whether masks are drawn."""
    return _shown.handle is not None


def show() -> None:
    """Draw masks over every viewport that looks through the camera of a photo."""
    if _shown.handle is None and not bpy.app.background:
        _shown.handle = bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_PIXEL")
    redraw()


def hide() -> None:
    """Draw none any more."""
    if _shown.handle is not None:
        with suppress(ValueError):  # Blender has removed it by itself
            bpy.types.SpaceView3D.draw_handler_remove(_shown.handle, "WINDOW")
    _shown.handle, _shown.texture, _shown.version = None, None, -1
    redraw()


def redraw() -> None:
    """Draw viewports and their sidebars again."""
    for area in areas_of(bpy.context, "VIEW_3D"):
        area.tag_redraw()


def photo_in_region(
    scene: Scene, region: Region, view: RegionView3D | None
) -> PhotoInRegion | None:
    """Return where the photo of the scene's camera lies in a region; None where it is not seen.

    Raises:
        CgcError: the scene's camera is that of no photo, or its masks cannot lie over it.
    """
    if view is None or view.view_perspective != "CAMERA":
        return None
    camera = review.masks_of_camera(scene).camera
    return place_photo(np.array(view.window_matrix), (region.width, region.height), camera)


def _draw() -> None:
    """Draw the picture; called by Blender with pixels of the region as coordinates."""
    try:
        _draw_masks(bpy.context)
    except CgcError:
        return  # the panel says why
    except Exception:
        hide()  # once is enough: Blender would call it again with every redraw
        raise


def _draw_masks(context: Context) -> None:
    scene, region = scene_of(context), region_of(context)
    view = members_of(context).region_data
    space = cast("SpaceView3D", members_of(context).space_data)
    camera = space.camera if space.use_local_camera else scene.camera
    if camera != scene.camera:
        return
    place = photo_in_region(scene, region, view)
    if place is None:
        return
    masks = review.refresh(scene)
    if _shown.texture is None or _shown.version != review.version():
        picture = mask_picture(masks.labels, review.picked())
        _shown.texture, _shown.version = _texture(picture), review.version()
    camera = review.masks_of_camera(scene).camera
    corner = place.to_region(0.0, camera.height)
    opposite = place.to_region(camera.width, 0.0)
    _draw_texture(_shown.texture, corner, opposite, of_scene(scene).review_opacity)


def _texture(picture: np.ndarray) -> GPUTexture:
    import gpu

    types: Any = gpu.types  # its stubs know no constructor arguments
    height, width = picture.shape[:2]
    buffer = types.Buffer("FLOAT", picture.size, picture.reshape(-1))
    texture = types.GPUTexture((width, height), format="RGBA8", data=buffer)
    with suppress(AttributeError):  # Blenders without it smooth what is enlarged
        texture.filter_mode(False)
    return texture


def _draw_texture(
    texture: GPUTexture,
    corner: tuple[float, float],
    opposite: tuple[float, float],
    opacity: float,
) -> None:
    import gpu
    from gpu_extras.batch import batch_for_shader

    (left, bottom), (right, top) = corner, opposite
    shader = gpu.shader.from_builtin("IMAGE_COLOR")
    batch = batch_for_shader(
        shader,
        "TRI_STRIP",
        {
            "pos": ((left, bottom), (right, bottom), (left, top), (right, top)),
            "texCoord": ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)),
        },
    )
    gpu.state.blend_set("ALPHA")
    try:
        shader.bind()
        shader.uniform_sampler("image", texture)
        shader.uniform_float("color", (1.0, 1.0, 1.0, opacity))
        batch.draw(shader)
    finally:
        gpu.state.blend_set("NONE")
