# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of files that are read, each with a whole one and with what reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from cgc_addon.cgc.clusters.cluster_file import read_clusters
from cgc_addon.cgc.corrections.records import Correction, read_corrections, write_corrections
from cgc_addon.cgc.corrections.shapes import Shape
from cgc_addon.cgc.segments import read_segments
from cgc_addon.dataset.cameras_json import read_cameras_json, write_cameras_json
from cgc_addon.dataset.image_files import read_header, read_opacity, read_photo
from cgc_addon.dataset.label_maps import read_label_map
from cgc_addon.dataset.mask_answers import pack_masks, read_answers, write_answers
from cgc_addon.dataset.photo_size import photo_size
from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.dataset.solved import read_solved
from cgc_addon.errors import CgcError
from cgc_addon.masks.foreign.importing import import_label_maps
from cgc_addon.masks.label_png import read_label_png
from cgc_addon.masks.review import open_review
from cgc_addon.results.exr import read_exr
from cgc_addon.results.frame_request import (
    FramePart,
    FrameRequest,
    read_frame_request,
    write_frame_request,
)
from cgc_addon.splats.formats import WriteSettings, format_of
from cgc_addon.splats.gaussian_file import IndexedGaussians, read_gaussians, write_gaussians
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.pillow_pictures import pillow_codec
from cgc_addon.splats.ply import write_ply
from cgc_addon.splats.read import read_splat
from cgc_addon.splats.write import write_splat
from cgc_addon.training.run_folder import RunFolder

from ..results.written_exr import write_exr

SAMPLE = Path(__file__).parents[2] / "cgc_addon" / "sample"
OLD_RUN = Path(__file__).parents[1] / "earlier_versions" / "0.1.0"


@dataclass(frozen=True)
class Kind:
    """One kind of file."""

    name: str
    make: Callable[[Path], Path]
    """Fills an empty folder and returns the file that will be damaged."""
    read: Callable[[Path], object]
    """Reads that file, as the product does; what fails is a CgcError."""


def _answers(folder: Path) -> Path:
    masks = np.indices((3, 12, 16)).sum(axis=0) % 5 == 0
    write_answers(folder / "0000.npz", pack_masks(masks, np.full(3, 0.9), np.full(3, 0.8)))
    return folder / "0000.npz"


def _model(name: str) -> Callable[[Path], Path]:
    """Return what writes a COLMAP model in binary or in text, with two photos."""

    def make(folder: Path) -> Path:
        import pycolmap

        model = folder / "sparse" / "0"
        model.mkdir(parents=True)
        (folder / "images").mkdir()
        camera = pycolmap.Camera(
            model="OPENCV", width=64, height=48, params=[50, 50, 32, 24, 0.1, 0, 0, 0], camera_id=1
        )
        made = pycolmap.Reconstruction()
        made.add_camera_with_trivial_rig(camera)
        for number in (1, 2):
            image = pycolmap.Image(name=f"{number}.jpg", camera_id=1, image_id=number)
            pose = pycolmap.Rigid3d(pycolmap.Rotation3d(), [0.1 * number, 0, 2])
            made.add_image_with_trivial_frame(image, pose)
            Image.new("RGB", (64, 48)).save(folder / "images" / image.name)
        for number in range(20):
            made.add_point3D(np.array([number, 1.0, 2.0]), pycolmap.Track(), np.uint8([9, 9, 9]))
        (made.write_binary if name.endswith(".bin") else made.write_text)(model)
        return model / name

    return make


def _copy(source: Path, name: str | None = None) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        target = folder / (name or source.name)
        target.write_bytes(source.read_bytes())
        return target

    return make


def _corrected(folder: Path) -> Path:
    path = folder / "corrections.npz"
    points = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    shape = Shape(points, np.arange(40) < 25)
    part = Correction("split", "split 3 at 1,2 of a.jpg", shape, "Cup", (1, 2, 3), points[30:])
    write_corrections(path, (part, Correction("unassign", "unassigned by hand", shape)))
    return path


def _old_run(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        for path in (OLD_RUN / "run").iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        return folder / name

    return make


def _transforms(folder: Path) -> Path:
    (folder / "images").mkdir()
    frames = []
    for number in range(3):
        Image.new("RGB", (64, 48)).save(folder / "images" / f"{number}.png")
        pose = np.eye(4)
        pose[0, 3] = number
        frames.append({"file_path": f"images/{number}.png", "transform_matrix": pose.tolist()})
    content = {"fl_x": 50.0, "fl_y": 50, "cx": 32, "cy": 24, "w": 64, "h": 48, "k1": 0.1}
    content |= {"applied_transform": np.eye(4)[:3].tolist(), "frames": frames}
    content["ply_file_path"] = "sparse_pc.ply"
    header = "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
    header += "property float z\nproperty uchar red\nproperty uchar green\nproperty uchar blue\n"
    rows = "0 0 -3 1 2 3\n1 0 -3 4 5 6\n0 1 -3 7 8 9\n"
    (folder / "sparse_pc.ply").write_text(header + "end_header\n" + rows)
    (folder / "transforms.json").write_text(json.dumps(content))
    return folder / "transforms.json"


def _points(folder: Path) -> Path:
    return _transforms(folder).with_name("sparse_pc.ply")


def _cameras(folder: Path) -> Path:
    camera = PinholeCamera(64, 48, 50.0, 50.0, 32.0, 24.0)
    views = [View(f"{number}.jpg", camera, np.eye(4)) for number in range(3)]
    write_cameras_json(folder / "cameras.json", views)
    return folder / "cameras.json"


def _gaussians(count: int = 40) -> Gaussians:
    values = np.random.default_rng(0)
    return Gaussians(
        means=values.normal(size=(count, 3)).astype(np.float32),
        log_scales=values.normal(-3, 1, (count, 3)).astype(np.float32),
        quats=values.normal(size=(count, 4)).astype(np.float32),
        logit_opacities=values.normal(size=count).astype(np.float32),
        sh=values.normal(size=(count, 4, 3)).astype(np.float32),
        features=values.normal(size=(count, 16)).astype(np.float32),
        segments=values.integers(0, 5, count).astype(np.int32),
    )


def _ply(folder: Path) -> Path:
    write_ply(folder / "splat.ply", _gaussians())
    return folder / "splat.ply"


def _written(name: str, version: int) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / f"a.{name}"
        settings = WriteSettings(format_of(path), version)
        write_splat(path, _gaussians(), settings, pillow_codec())
        return path

    return make


def _read_packed(path: Path) -> object:
    return read_splat(path, pillow_codec())


def _handed_over(folder: Path) -> Path:
    part = IndexedGaussians(_gaussians(), np.arange(40, dtype=np.int32))
    write_gaussians(folder / "part.npz", part)
    return folder / "part.npz"


def _dot_splat(folder: Path) -> Path:
    values = np.random.default_rng(0)
    records = b"".join(
        np.float32([*values.normal(size=3), *values.uniform(0.01, 0.1, 3)]).tobytes()
        + values.bytes(8)
        for _ in range(50)
    )
    (folder / "a.splat").write_bytes(records)
    return folder / "a.splat"


def _photo(ending: str, mode: str = "RGB") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        with Image.open(SAMPLE / "images" / "0000.jpg") as image:
            image.convert(mode).resize((96, 72)).save(folder / f"a{ending}")
        return folder / f"a{ending}"

    return make


def _read_photo(path: Path) -> None:
    read_header(path)
    with suppress(OSError):  # it is said by its callers that the size cannot be told
        photo_size(path)
    read_photo(path, upright=True)
    read_opacity(path)


def _annotations(folder: Path) -> Path:
    """Write masks as COCO has them, beside a dataset of their photos."""
    _model("cameras.txt")(folder)
    masks = [
        {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0,
         "segmentation": [[5, 5, 30, 5, 30, 30, 5, 30]], "area": 600, "bbox": [5, 5, 25, 25]},
        {"id": 2, "image_id": 2, "category_id": 1, "iscrowd": 1, "area": 9, "bbox": [0, 0, 3, 3],
         "segmentation": {"size": [48, 64], "counts": [100, 50, 48 * 64 - 150]}},
    ]  # fmt: skip
    images = [
        {"id": number, "file_name": f"{number}.jpg", "width": 64, "height": 48} for number in (1, 2)
    ]
    theirs = folder / "theirs"
    theirs.mkdir()
    content = {"images": images, "annotations": masks, "categories": [{"id": 1, "name": "a"}]}
    (theirs / "instances.json").write_text(json.dumps(content))
    return theirs / "instances.json"


def _array(folder: Path) -> Path:
    _model("cameras.txt")(folder)
    (folder / "theirs").mkdir()
    for number in (1, 2):
        np.save(folder / "theirs" / f"{number}.npy", np.ones((48, 64), np.int64))
    return folder / "theirs" / "1.npy"


def _import(path: Path) -> None:
    import_label_maps(path.parent, path.parents[1], overwrite=True)


def _review(folder: Path) -> Path:
    from cgc_addon.masks.corrections import removal
    from cgc_addon.masks.review import correct

    (folder / "a.png").write_bytes((SAMPLE / "masks" / "0000.png").read_bytes())
    review = open_review(folder, "a")
    correct(review, removal([1]))
    return next(folder.rglob("*.json"))


def _read_review(path: Path) -> None:
    folder = next(parent for parent in path.parents if (parent / "a.png").is_file())
    open_review(folder, "a")


def _exr(folder: Path) -> Path:
    write_exr(
        folder / "a.exr", {"Z": np.ones((9, 7), np.float32), "R": np.ones((9, 7), np.float32)}
    )
    return folder / "a.exr"


def _request(folder: Path) -> Path:
    camera = PinholeCamera(64, 48, 50.0, 50.0, 32.0, 24.0)
    request = FrameRequest(
        parts=(FramePart(folder / "part.npz", np.eye(4), "chair", 7),),
        view=View("frame.png", camera, np.eye(4)),
        passes=("combined", "depth"),
        output=folder,
        to_world=np.eye(4),
        to_scene=np.eye(3),
        background=(0.1, 0.2, 0.3),
    )
    write_frame_request(folder / "frame.json", request)
    return folder / "frame.json"


def _checkpoint(folder: Path) -> Path:
    for path in (OLD_RUN / "unfinished").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder / "checkpoint.safetensors"


def _read_checkpoint(path: Path) -> None:
    import torch

    from cgc_addon.training.checkpoint import load_checkpoint

    load_checkpoint(path, torch.device("cpu"))


def _dataset(path: Path) -> object:
    folder = next(parent for parent in path.parents if (parent / "images").is_dir())
    return read_solved(folder)


KINDS = (
    *(
        Kind(name, _model(name), _dataset)
        for stem in ("cameras", "images", "points3D")
        for name in (f"{stem}.bin", f"{stem}.txt")
    ),
    Kind("transforms.json", _transforms, _dataset),
    Kind("sparse_pc.ply", _points, _dataset),
    Kind("cameras.json", _cameras, read_cameras_json),
    Kind("photo.jpg", _photo(".jpg"), _read_photo),
    Kind("photo.png", _photo(".png", "RGBA"), _read_photo),
    Kind("photo.tif", _photo(".tif"), _read_photo),
    Kind("photo.webp", _photo(".webp"), _read_photo),
    Kind("labels.png", _copy(SAMPLE / "masks" / "0000.png"), read_label_map),
    Kind("labels.png in Blender", _copy(SAMPLE / "masks" / "0000.png"), read_label_png),
    Kind("corrections.json", _review, _read_review),
    Kind("annotations.json", _annotations, _import),
    Kind("labels.npy", _array, _import),
    Kind("splat.ply", _ply, read_splat),
    Kind("splat.splat", _dot_splat, read_splat),
    *(
        Kind(f"splat.{name}", _written(name, version), _read_packed)
        for name, version in (("spz", 2), ("sog", 3))
    ),
    Kind("gaussians.npz", _handed_over, read_gaussians),
    Kind("config.json", _old_run("config.json"), lambda path: RunFolder(path.parent).read_config()),
    Kind("segments.json", _old_run("segments.json"), read_segments),
    Kind("masks_answers", _answers, read_answers),
    Kind("clusters.npz", _old_run("clusters.npz"), read_clusters),
    Kind("corrections.npz", _corrected, read_corrections),
    Kind(
        "metrics.jsonl",
        _old_run("metrics.jsonl"),
        lambda path: RunFolder(path.parent).rewind_metrics(10),
    ),
    Kind("frame request", _request, read_frame_request),
    Kind("frame.exr", _exr, read_exr),
    Kind("checkpoint.safetensors", _checkpoint, _read_checkpoint),
)  # fmt: skip

EXPECTED = (CgcError,)
"""What reading a damaged file may end in."""
