# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the sample dataset: photos, exact ids, label maps and a COLMAP model of the sample scene.

Run with a Python that has the packages bpy, numpy and Pillow:

    python tests/sample_scene/render_sample.py -o cgc_addon/sample
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from alignment import assert_aligned
from build_scene import build_scene
from capture import Intrinsics, capture_path, set_camera, write_cameras
from inconsistent_masks import PARTS_PER_OBJECT, spoil_dataset, write_label_map
from numpy.typing import NDArray
from PIL import Image
from sparse_points import sparse_points, write_points

log = logging.getLogger("sample scene")


def make_dataset(
    output: Path, *, size: tuple[int, int], views: int, samples: int, level: float, seed: int
) -> None:
    """Render the sample scene and write the dataset into `output`, in place of what was there.

    Args:
        output: the dataset folder; its own files beside the dataset's folders are left alone.
        size: width and height of the photos in pixels.
        views: number of photos.
        samples: light paths a pixel, before denoising.
        level: how inconsistent the label maps are, see `inconsistent_masks`.
        seed: repeats points and label maps exactly; the photos do not depend on it.
    """
    names = build_scene()
    lens = Intrinsics.of_size(*size)
    poses = {f"{k:04d}.jpg": pose for k, pose in enumerate(capture_path(views))}
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".rendering-") as folder:
        dataset = Path(folder)
        write_cameras(dataset / "sparse" / "0", lens, poses)
        photos, depths = _render_views(dataset, lens, poses, samples)
        assert_aligned(dataset, log)
        points, colors = sparse_points(
            lens,
            np.stack(list(poses.values())),
            photos,
            depths,
            count=round(5000 * min(1.0, views / 40)),
            noise=0.003 * _extent(poses),
            outliers=0.02,
            seed=seed,
        )
        write_points(dataset / "sparse" / "0" / "points3D.txt", points, colors)
        objects = {str(k): name for k, name in names.items()}
        (dataset / "objects.json").write_text(json.dumps(objects, indent=2) + "\n")
        for report in spoil_dataset(dataset, level, seed):
            log.info("%s", report)
        for made in sorted(dataset.iterdir()):
            old = output / made.name
            if old.is_dir():
                shutil.rmtree(old)
            made.replace(old)


def _render_views(
    dataset: Path, lens: Intrinsics, poses: dict[str, NDArray[np.float64]], samples: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Write images/, gt/ and parts/; return photos (V, H, W, 3) and depths (V, H, W) in metres."""
    photos, depths = [], []
    (dataset / "images").mkdir()
    for number, (name, pose) in enumerate(poses.items()):
        set_camera(lens, pose)
        photo = _render_photo(samples, seed=number)
        codes, depth = _render_codes_and_depth()
        if (codes == 0).any():
            raise AssertionError(f"{name} shows something that is not part of the room.")
        image = Image.fromarray(photo)
        image.save(dataset / "images" / name, quality=88, optimize=True)
        label_name = f"{Path(name).stem}.png"
        write_label_map(dataset / "parts" / label_name, codes)
        write_label_map(dataset / "gt" / label_name, (codes // PARTS_PER_OBJECT).astype(np.uint16))
        photos.append(photo)
        depths.append(depth)
        log.info("%s, view %d of %d", name, number + 1, len(poses))
    return np.stack(photos), np.stack(depths)


def _render_photo(samples: int, seed: int) -> NDArray[np.uint8]:
    """Return the picture (H, W, 3) sRGB of the scene's camera."""
    scene: Any = bpy.context.scene
    _set_cycles(samples, seed)
    scene.cycles.use_denoising = True
    scene.cycles.denoiser = "OPENIMAGEDENOISE"
    scene.cycles.pixel_filter_type = "BLACKMAN_HARRIS"
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGB"
    scene.render.image_settings.color_depth = "8"
    with _rendered(".png") as path, Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _render_codes_and_depth() -> tuple[NDArray[np.uint16], NDArray[np.float32]]:
    """Return part codes (H, W) and z (H, W) in metres of what lies behind each pixel's centre."""
    scene: Any = bpy.context.scene
    layer: Any = bpy.context.view_layer
    _set_cycles(samples=1, seed=0)
    scene.cycles.use_denoising = False
    # A box of 0.01 pixel puts the only sample of a pixel into its centre.
    scene.cycles.pixel_filter_type = "BOX"
    scene.cycles.filter_width = 0.01
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.image_settings.color_mode = "RGB"
    scene.render.image_settings.color_depth = "32"
    layer.material_override = _index_and_depth_material()
    try:
        with _rendered(".exr") as path:
            image: Any = bpy.data.images.load(str(path))
            image.colorspace_settings.name = "Non-Color"
            width, height = image.size
            pixels = np.empty(width * height * image.channels, dtype=np.float32)
            image.pixels.foreach_get(pixels)
            bpy.data.images.remove(image)
    finally:
        layer.material_override = None
    values = pixels.reshape(height, width, -1)[::-1]  # Blender's first row is the lowest
    codes = np.rint(values[..., 0]).astype(np.uint16)
    if np.abs(values[..., 0] - codes).max() > 1e-3:
        raise AssertionError("A pixel of the index render mixes two surfaces.")
    return codes, values[..., 1].copy()


def _index_and_depth_material() -> bpy.types.Material:
    """Return a material that glows with (object index, z in camera axes, 0)."""
    name = "index and depth"
    if name in bpy.data.materials:
        return bpy.data.materials[name]
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree: Any = material.node_tree
    tree.nodes.clear()
    index = tree.nodes.new("ShaderNodeObjectInfo").outputs["Object Index"]
    depth = tree.nodes.new("ShaderNodeCameraData").outputs["View Z Depth"]
    combine = tree.nodes.new("ShaderNodeCombineColor")
    glow = tree.nodes.new("ShaderNodeEmission")
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(index, combine.inputs[0])
    tree.links.new(depth, combine.inputs[1])
    tree.links.new(combine.outputs[0], glow.inputs["Color"])
    tree.links.new(glow.outputs[0], output.inputs["Surface"])
    return material


def _set_cycles(samples: int, seed: int) -> None:
    """Set what the renders of photos and of codes share."""
    scene: Any = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = samples
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.seed = seed
    scene.cycles.max_bounces = 6
    scene.cycles.sample_clamp_indirect = 4.0
    scene.render.dither_intensity = 0.0
    scene.render.use_persistent_data = True
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.look = "None"


@contextmanager
def _rendered(suffix: str) -> Iterator[Path]:
    """Render the scene's camera into a file that is gone after the block."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"render{suffix}"
        scene: Any = bpy.context.scene
        scene.render.filepath = str(path)
        bpy.ops.render.render(write_still=True)
        yield path


def _extent(poses: dict[str, NDArray[np.float64]]) -> float:
    """Return the radius around the mean camera that holds all cameras, metres."""
    centers = np.stack([-pose[:3, :3].T @ pose[:3, 3] for pose in poses.values()])
    return float(np.linalg.norm(centers - centers.mean(axis=0), axis=1).max())


def main() -> None:
    """Read the command line and make the dataset."""
    parser = argparse.ArgumentParser(description="Render the sample dataset with Blender's Cycles.")
    parser.add_argument("-o", "--output", type=Path, required=True, help="dataset folder")
    parser.add_argument("--size", type=int, nargs=2, default=(384, 288), metavar=("W", "H"))
    parser.add_argument("--views", type=int, default=40)
    parser.add_argument("--samples", type=int, default=24, help="light paths a pixel")
    parser.add_argument("--level", type=float, default=1.0, help="how wrong the label maps are")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    make_dataset(
        arguments.output,
        size=tuple(arguments.size),
        views=arguments.views,
        samples=arguments.samples,
        level=arguments.level,
        seed=arguments.seed,
    )


if __name__ == "__main__":
    main()
