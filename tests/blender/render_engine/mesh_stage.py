# SPDX-License-Identifier: GPL-3.0-or-later
"""A wall of Gaussians and a ball of a mesh, small and seen from above."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from cgc_addon.blender.common.display_attributes import linear_from_srgb
from cgc_addon.blender.splats.objects import new_splat
from cgc_addon.results.exr import read_exr
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.spherical_harmonics import CONSTANT_BASIS

WIDTH, HEIGHT = 48, 36
PIXELS_PER_UNIT = 50.0 / 36.0 * WIDTH / 6.0
"""At z = 0: the lens has 50 of the sensor's 36 mm, and the camera is 6 units above."""
WALL_COLOR, BALL_COLOR = (0.2, 0.4, 0.9), (0.7, 0.2, 0.05)
WALL = linear_from_srgb(np.array(WALL_COLOR))


def set_stage() -> bpy.types.Scene:
    """Return a scene that Cycles renders, seen from z = 6, with a world that is black."""
    scene = bpy.context.scene
    render = scene.render
    render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 16, False
    scene.cycles.use_adaptive_sampling = False
    render.resolution_x, render.resolution_y = WIDTH, HEIGHT
    render.film_transparent = True
    render.dither_intensity = 0.0
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location.z = 6.0
    scene.collection.objects.link(camera)
    scene.camera = camera
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "IMAGE"
    render.image_settings.file_format = "OPEN_EXR"
    render.image_settings.color_mode = "RGBA"
    render.image_settings.color_depth = "32"
    render.image_settings.exr_codec = "ZIP"
    return scene


def write_layers(scene: bpy.types.Scene, path: Path) -> None:
    """Let a scene write all its passes."""
    settings = scene.render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "MULTI_LAYER_IMAGE"
        settings.use_exr_interleave = True
    settings.file_format = "OPEN_EXR_MULTILAYER"
    settings.exr_codec = "ZIP"
    scene.render.filepath = str(path)


def add_wall(height: float = 0.0, logit: float = 8.0) -> bpy.types.Object:
    """Add a wall of Gaussians of one colour that faces the camera."""
    x, y = np.meshgrid(np.arange(-3.5, 3.6, 0.1), np.arange(-3, 3.1, 0.1))
    count = x.size
    constant = (np.array(WALL_COLOR) - 0.5) / CONSTANT_BASIS
    gaussians = Gaussians(
        means=np.stack([x.ravel(), y.ravel(), np.zeros(count)], axis=1).astype(np.float32),
        log_scales=np.tile(np.log([0.2, 0.2, 1e-4]), (count, 1)).astype(np.float32),
        quats=np.tile([1.0, 0.0, 0.0, 0.0], (count, 1)).astype(np.float32),
        logit_opacities=np.full(count, logit, np.float32),
        sh=np.tile(constant, (count, 1, 1)).astype(np.float32),
    )
    index = np.arange(count, dtype=np.int32)
    item = new_splat("wall", gaussians, index, index)
    item.location.z = height
    bpy.context.scene.collection.objects.link(item)
    return item


def add_ball(height: float = 0.0) -> bpy.types.Object:
    """Add a shining ball of radius 1."""
    bpy.ops.mesh.primitive_uv_sphere_add(segments=64, ring_count=32, radius=1.0)
    item = bpy.context.object
    item.location.z = height
    item.data.materials.append(_shining(BALL_COLOR))
    return item


def _shining(color: tuple[float, float, float]) -> bpy.types.Material:
    material = bpy.data.materials.new("shining")
    if material.node_tree is None:  # from 5.0 on it is always there
        material.use_nodes = True
    nodes = material.node_tree.nodes
    nodes.clear()
    emission, output = (nodes.new(f"ShaderNode{name}") for name in ("Emission", "OutputMaterial"))
    emission.inputs["Color"].default_value = (*color, 1.0)
    material.node_tree.links.new(emission.outputs[0], output.inputs["Surface"])
    return material


def read_picture(path: Path) -> np.ndarray:
    """Return a picture (H, W, 4), rows from the top."""
    channels = read_exr(path)
    return np.dstack([channels[name] for name in "RGBA"])


def distances() -> np.ndarray:
    """Return how far each pixel is from the middle of the picture, px."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    return np.hypot(x - WIDTH / 2, y - HEIGHT / 2)


def silhouette(height: float) -> float:
    """Return the radius of a ball's outline, px: of the cone around it from the camera."""
    return PIXELS_PER_UNIT * 6.0 / np.sqrt((6.0 - height) ** 2 - 1.0)
