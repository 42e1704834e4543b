# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender uses of the engine works with NumPy and the standard library, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cgc_addon.cgc.clusters.cluster_file import write_clusters
from cgc_addon.cgc.clusters.granularity import MergeTree
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.ply import write_ply

ROOT = Path(__file__).parents[1]

NUMPY_ALONE = (
    *("choices", "errors", "files", "ply_table", "progress"),
    *(
        "dataset.colmap.camera_models",
        "dataset.cameras_json",
        "dataset.colmap.model",
        "dataset.framing",
    ),
    *("dataset.folder", "dataset.names", "dataset.pinhole", "dataset.scene", "dataset.solved"),
    *("splats.gaussians", "splats.ply", "splats.read", "splats.rotations", "splats.select"),
    *("splats.spherical_harmonics", "splats.transform", "splats.write"),
    *("cgc.clusters.cluster_file", "cgc.clusters.granularity", "cgc.segments", "cgc.settings"),
    *("training.config_json", "training.presets", "training.run_folder"),
    *("masks.models.fetch", "masks.models.weights"),
    *("results.cryptomatte", "results.exr", "results.frame_request", "results.mesh_layer"),
)

WALL = """
import importlib, importlib.abc, sys

class Wall(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in ("numpy", "cgc_addon"):
            raise ImportError(f"{name} is not there in Blender")

sys.meta_path.insert(0, Wall())
"""


def run_behind_the_wall(program: str, *arguments: object) -> str:
    result = subprocess.run(
        [sys.executable, "-c", WALL + program, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_the_wall_keeps_other_packages_out() -> None:
    program = """
for name in ("torch", "PIL", "plyfile", "scipy"):
    try:
        importlib.import_module(name)
    except ImportError:
        print(name)
"""
    assert run_behind_the_wall(program).split() == ["torch", "PIL", "plyfile", "scipy"]


@pytest.mark.parametrize("module", NUMPY_ALONE)
def test_the_module_imports(module) -> None:
    run_behind_the_wall("importlib.import_module('cgc_addon.' + sys.argv[1])", module)


def test_the_sample_is_read() -> None:
    program = """
from pathlib import Path
from cgc_addon.dataset.colmap.model import read_model
from cgc_addon.dataset.colmap.places import find_model
from cgc_addon.dataset.framing import scene_extent, scene_up
from cgc_addon.dataset.pinhole import approximate_pinhole
from cgc_addon.dataset.scene import View
model = read_model(find_model(Path(sys.argv[1])))
views = [
    View(image.name, approximate_pinhole(model.cameras[image.camera_id]), image.world_to_camera)
    for image in model.images
]
print(len(views), len(model.points), scene_extent(views, model.points) > 0, len(scene_up(views)))
"""
    sample = ROOT / "cgc_addon" / "sample"
    assert run_behind_the_wall(program, sample).split() == ["40", "5000", "True", "3"]


def test_a_splat_and_its_clusters_are_read_turned_and_written(tmp_path) -> None:
    generator = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return generator.normal(size=shape).astype(np.float32)

    labels = np.array([1, 2, 1, 0, 2], np.int32)
    splat = Gaussians(
        *(normal(5, 3), normal(5, 3), normal(5, 4), normal(5), normal(5, 16, 3), normal(5, 16)),
        labels,
    )
    write_ply(tmp_path / "splat.ply", splat)
    tree = MergeTree(2, np.array([[1, 2]], np.int32), np.array([0.5], np.float32))
    write_clusters(tmp_path / "clusters.npz", labels, tree)
    program = """
from pathlib import Path
import numpy as np
from cgc_addon.cgc.clusters.cluster_file import read_clusters
from cgc_addon.cgc.segments import describe_segments, read_segments, write_segments
from cgc_addon.splats.ply import read_ply, write_ply
from cgc_addon.splats.transform import transform
folder = Path(sys.argv[1])
splat = read_ply(folder / "splat.ply").gaussians
labels, tree = read_clusters(folder / "clusters.npz")
labels = tree.labels(labels, granularity=1.0, minimum_size=1, gaussians=splat)
write_segments(folder / "segments.json", describe_segments(labels, splat.features))
quarter_turn = np.array([[0.0, -2, 0, 1], [2, 0, 0, 2], [0, 0, 2, 3], [0, 0, 0, 1]])
write_ply(folder / "turned.ply", transform(splat, quarter_turn))
turned = read_ply(folder / "turned.ply").gaussians
print(len(turned), len(read_segments(folder / "segments.json")))
"""
    assert run_behind_the_wall(program, tmp_path).split() == ["5", "1"]
