# SPDX-License-Identifier: GPL-3.0-or-later
"""An empty Blender with the add-on registered, for every test in this folder.

Each test file begins with `pytest.importorskip("bpy")`, so that a Python without bpy skips it.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

if importlib.util.find_spec("bpy") is not None:
    # Before bpy is imported: nobody's preferences and extensions are read, let alone written.
    _resources = tempfile.mkdtemp(prefix="cgc-blender-")
    os.environ["BLENDER_USER_RESOURCES"] = _resources
    atexit.register(shutil.rmtree, _resources, ignore_errors=True)
    # Nor does an engine count that the user of this machine has installed.
    os.environ["CGC_ENGINES"] = str(Path(_resources, "engines"))
    # Nor are compiled shaders shared with the other Blenders that are tested at the same time.
    for _name in ("MESA_SHADER_CACHE_DISABLE", "MESA_GLSL_CACHE_DISABLE"):
        os.environ.setdefault(_name, "true")


@pytest.fixture(scope="session")
def registered() -> Iterator[None]:
    """Register the add-on once; take it back whatever happens.

    Blender 4.5 hangs at the end of the interpreter while an operator is still registered.
    """
    import cgc_addon

    cgc_addon.register()
    atexit.register(cgc_addon.unregister)
    yield
    atexit.unregister(cgc_addon.unregister)
    cgc_addon.unregister()


@pytest.fixture(autouse=True)
def blender(registered: None) -> None:
    """Start every test from an empty file with factory settings."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)


@pytest.fixture(scope="session")
def graphics() -> None:
    """Make a graphics context without a window; skip the test where that cannot be."""
    import gpu

    initialise = getattr(gpu, "init", None)
    if initialise is None:
        pytest.skip("this Blender draws in windows only")
    try:
        initialise()
    except Exception as error:  # of what is missing on this computer
        pytest.skip(f"there is no graphics context: {error}")


SMALL_PHOTO = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde"
    b"\0\0\0\x0cIDATx\x9cc\xf8\xcf\xc0\0\0\3\1\1\0\xc9\xfe\x92\xef\0\0\0\0IEND\xaeB`\x82"
)
"""A PNG of one red pixel."""


@pytest.fixture
def write_capture(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a small dataset by hand: a ring of level cameras around z."""

    def write(
        count: int = 4,
        cameras: Sequence[str] = ("1 PINHOLE 64 52 70 75 31 25",),
        names: Sequence[str] = (),
        points: int = 20,
        seed: int = 0,
    ) -> Path:
        random = np.random.default_rng(seed)
        folder = tmp_path / "capture"
        model = folder / "sparse" / "0"
        model.mkdir(parents=True, exist_ok=True)
        (model / "cameras.txt").write_text("\n".join(cameras) + "\n")
        lines = []
        for index in range(count):
            angle = 2 * np.pi * index / count + 0.1 * seed
            forward = -np.array([np.cos(angle), np.sin(angle), 0.3])
            forward /= np.linalg.norm(forward)
            right = np.cross(forward, [0.0, 0.0, 1.0])
            right /= np.linalg.norm(right)
            rotation = np.stack([right, np.cross(forward, right), forward])
            place = 4.0 * np.array([np.cos(angle), np.sin(angle), 0.3])
            pose = [*_quaternion(rotation), *(-rotation @ place)]
            name = names[index] if names else f"{index:04d}.png"
            numbers = " ".join(f"{value:.12f}" for value in pose)
            camera = cameras[index % len(cameras)].split()[0]
            lines.append(f"{index + 1} {numbers} {camera} {name}\n\n")
            photo = folder / "images" / name
            photo.parent.mkdir(parents=True, exist_ok=True)
            photo.write_bytes(SMALL_PHOTO)
        (model / "images.txt").write_text("".join(lines))
        (model / "points3D.txt").write_text(
            "".join(
                f"{number} {x} {y} {z} {r} {g} {b} 0.5\n"
                for number, ((x, y, z), (r, g, b)) in enumerate(
                    zip(
                        random.normal(size=(points, 3)),
                        random.integers(0, 256, (points, 3)),
                        strict=True,
                    ),
                    start=1,
                )
            )
        )
        return folder

    return write


CLUSTER_SIZES = (7, 40, 30, 20, 15, 12, 5)
"""Gaussians in each cluster of a run that `write_run` writes, those in none first."""


@pytest.fixture
def write_run(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a small run by hand, as training leaves it.

    Its clusters 1 and 2 join at 0.9, 3 and 4 at 0.4, 1 and 3 at 0.2. So at the granularity 0.5
    there are three segments, 1 + 2, 3 + 4 and 5, while 6 is too small for one; at 1 there are two.
    Unless it `tells_cut`, its segments.json does not say where the tree was cut, as in 0.1.0.
    """

    def write(
        name: str = "run",
        dataset: Path | None = None,
        granularity: float = 0.5,
        minimum_size: int = 10,
        seed: int = 0,
        segmented: bool = True,
        tells_cut: bool = True,
    ) -> Path:
        from cgc_addon.cgc.clusters.cluster_file import write_clusters
        from cgc_addon.cgc.clusters.granularity import MergeTree
        from cgc_addon.cgc.segments import Cut, describe_segments, write_segments
        from cgc_addon.files import write_json
        from cgc_addon.splats.gaussians import Gaussians
        from cgc_addon.splats.ply import write_ply

        random = np.random.default_rng(seed)
        clusters = random.permutation(np.repeat(np.arange(7), CLUSTER_SIZES)).astype(np.int32)
        merges = np.array([[1, 2], [3, 4], [1, 3]], np.int32)
        tree = MergeTree(6, merges, np.array([0.9, 0.4, 0.2], np.float32))
        labels = tree.labels(clusters, granularity, minimum_size)

        def normal(*shape: int) -> np.ndarray:
            return random.normal(size=(len(clusters), *shape)).astype(np.float32)

        gaussians = Gaussians(
            means=normal(3) + clusters[:, None],
            log_scales=normal(3) - 1,  # so that every segment hangs together
            quats=normal(4),
            logit_opacities=normal(),
            sh=normal(4, 3),
            features=normal(16) if segmented else None,
            segments=labels if segmented else None,
        )
        folder = tmp_path / name
        config = {"dataset": str(dataset or tmp_path / "no dataset"), "version": 1}
        settings = {"granularity": 0.5, "minimum_size": minimum_size}
        write_json(folder / "config.json", {**config, "segments": settings})
        write_ply(folder / "splat.ply", gaussians)
        if segmented:
            assert gaussians.features is not None
            write_clusters(folder / "clusters.npz", clusters, tree)
            cut = Cut(granularity, minimum_size) if tells_cut else None
            listed = describe_segments(labels, gaussians.features, cut)
            write_segments(folder / "segments.json", listed)
        return folder

    return write


def _quaternion(rotation: np.ndarray) -> np.ndarray:
    """wxyz of a rotation (3, 3), from the eigenvector that a rotation's symmetric form has."""
    (a, b, c), (d, e, f), (g, h, i) = rotation
    form = np.array(
        [
            [a + e + i, h - f, c - g, d - b],
            [h - f, a - e - i, b + d, c + g],
            [c - g, b + d, e - a - i, f + h],
            [d - b, c + g, f + h, i - a - e],
        ]
    )
    return np.linalg.eigh(form)[1][:, -1]
