# SPDX-License-Identifier: GPL-3.0-or-later
"""What Blender 5.3 reads by itself of exported files is what was exported."""

from __future__ import annotations

from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

import addon_utils
import numpy as np

from cgc_addon.blender.output.export_splats import ExportSettings, export_splats
from cgc_addon.splats.formats import WriteSettings
from cgc_addon.splats.transform import transform

from ..kitchen import ROOT, kitchen

pytestmark = pytest.mark.skipif(
    bpy.app.version < (5, 3, 0), reason="Blender reads splats from 5.3 on"
)


def written(path: Path, settings: WriteSettings):
    """Export the kitchen, empty the scene, and return the Gaussians as they stood in the world."""
    gaussians = kitchen()
    export_splats(bpy.context, ExportSettings(path, file=settings))
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)
    return transform(gaussians, np.array(ROOT))


def values(name: str) -> np.ndarray:
    (item,) = (o for o in bpy.context.scene.objects if o.type == "POINTCLOUD")
    return np.array([element.vector[:] for element in item.data.attributes[name].data])


def places() -> np.ndarray:
    (item,) = (o for o in bpy.context.scene.objects if o.type == "POINTCLOUD")
    matrix = np.array(item.matrix_world)
    return values("position") @ matrix[:3, :3].T + matrix[:3, 3]


@pytest.mark.parametrize("version", [2, 3, 4])
def test_spz(tmp_path, version) -> None:
    expected = written(tmp_path / "a.spz", WriteSettings("spz", version))
    assert bpy.ops.wm.spz_import(filepath=str(tmp_path / "a.spz")) == {"FINISHED"}
    np.testing.assert_allclose(places(), expected.means, atol=2e-4)
    volumes = np.log(values("scale")).sum(axis=1)
    np.testing.assert_allclose(volumes, expected.log_scales.sum(axis=1), atol=0.1)
    base = values("radiance:base")
    np.testing.assert_allclose(base[:, 3], expected.opacities, atol=0.51 / 255)
    np.testing.assert_allclose(base[:, :3], expected.sh[:, 0], atol=0.014)


def test_glb(tmp_path) -> None:
    expected = written(tmp_path / "a.glb", WriteSettings("glb"))
    addon_utils.enable("io_scene_gltf2")
    assert bpy.ops.import_scene.gltf(filepath=str(tmp_path / "a.glb")) == {"FINISHED"}
    np.testing.assert_allclose(places(), expected.means, atol=1e-4)
    volumes = np.log(values("scale")).sum(axis=1)
    np.testing.assert_allclose(volumes, expected.log_scales.sum(axis=1), atol=1e-4)
    base = values("radiance:base")
    np.testing.assert_allclose(base[:, 3], expected.opacities, atol=1e-5)
    np.testing.assert_allclose(base[:, :3], expected.sh[:, 0], atol=1e-5)


def test_ply(tmp_path) -> None:
    expected = written(tmp_path / "a.ply", WriteSettings("plain"))
    assert bpy.ops.wm.ply_import(filepath=str(tmp_path / "a.ply")) == {"FINISHED"}
    assert values("radiance:sh_14").shape == (300, 3)
    base = values("radiance:base")
    np.testing.assert_allclose(base[:, 3], expected.opacities, atol=1e-5)
