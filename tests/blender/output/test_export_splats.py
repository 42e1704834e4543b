# SPDX-License-Identifier: GPL-3.0-or-later
"""Exported splats are what the scene shows: read back they agree, drawn they look the same."""

from __future__ import annotations

import json
import os
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from mathutils import Euler, Matrix

from cgc_addon.blender.common.webp import blender_codec
from cgc_addon.blender.output import export_splats as module
from cgc_addon.blender.output.export_splats import ExportSettings, export_splats
from cgc_addon.dataset.cameras_json import write_cameras_json
from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.errors import CgcError
from cgc_addon.splats.formats import WriteSettings
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.ply import read_ply, write_ply
from cgc_addon.splats.read import read_splat
from cgc_addon.splats.select import subset
from cgc_addon.splats.transform import transform

from ..kitchen import ROOT, assert_close, kitchen

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def gaussians() -> Gaussians:
    """Return the 300 Gaussians of the kitchen that the scene holds."""
    return kitchen()


def exported(path: Path, frame: str = "CAPTURE", **settings) -> Gaussians:
    file = WriteSettings("ply")
    export_splats(bpy.context, ExportSettings(path, frame=frame, file=file, **settings))
    return read_ply(path).gaussians


def test_an_unedited_scene_is_the_splat_it_came_from(tmp_path, gaussians) -> None:
    back = exported(tmp_path / "splat.ply")
    for name in ("means", "logit_opacities", "sh", "features", "segments"):
        np.testing.assert_array_equal(getattr(back, name), getattr(gaussians, name), err_msg=name)
    assert_close(back, gaussians)


def test_the_world_frame_is_that_of_the_scene(tmp_path, gaussians) -> None:
    back = exported(tmp_path / "splat.ply", frame="Z_UP")
    assert_close(back, transform(gaussians, np.array(ROOT)))


def test_a_moved_object_is_exported_where_it_is(tmp_path, gaussians) -> None:
    item = bpy.data.objects["object 1"]
    item.matrix_basis = Matrix.LocRotScale((1, 2, 3), Euler((0.5, 0.6, 0.7)), (1, -2, 0.5))
    item.select_set(True)
    back = exported(tmp_path / "splat.ply", what="SELECTED")
    own = subset(gaussians, gaussians.segments == 1)
    assert_close(back, transform(own, np.array(item.matrix_basis, dtype=np.float64)))


def test_hidden_objects_stay_out_unless_asked_for(tmp_path, gaussians) -> None:
    bpy.data.objects["object 1"].hide_set(True)
    bpy.data.collections["Unassigned"].hide_viewport = True
    assert set(exported(tmp_path / "splat.ply").segments) == {2}
    assert set(exported(tmp_path / "all.ply", hidden=True).segments) == {0, 1, 2}


def test_segments_become_files_with_safe_names(tmp_path, gaussians) -> None:
    file = WriteSettings("ply")
    settings = ExportSettings(tmp_path / "room.ply", "SEGMENTS", "CAPTURE", file)
    written = export_splats(bpy.context, settings)
    folder = tmp_path / "room"
    names = ["Chair.ply", "Table_ oak_round.ply", "Unassigned.ply"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert written == {folder / n: len(read_ply(folder / n).gaussians) for n in names}
    chair = read_ply(folder / "Chair.ply").gaussians
    assert_close(chair, subset(gaussians, gaussians.segments == 1))
    assert [path.name for path in tmp_path.iterdir()] == ["room"]


def test_a_collection_is_exported_alone(tmp_path, gaussians) -> None:
    assert set(exported(tmp_path / "chair.ply", collection="Chair").segments) == {1}
    with pytest.raises(CgcError, match="Nowhere has no splat"):
        exported(tmp_path / "none.ply", collection="Nowhere")


def test_properties_stand_in_the_order_that_viewers_expect(tmp_path, gaussians) -> None:
    path = tmp_path / "splat.ply"
    exported(path)
    header = path.read_bytes().split(b"end_header")[0].decode().split("\n")
    properties = [line.split()[-1] for line in header if line.startswith("property")]
    expected = ["x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2"]
    expected += [f"f_rest_{n}" for n in range(45)]
    expected += ["opacity", "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"]
    assert properties[: len(expected)] == expected
    assert properties[-1] == "segment"


def test_nothing_to_export_is_an_error_and_no_file(tmp_path) -> None:
    for what, message in (("VISIBLE", "no splat to see"), ("SELECTED", "No splat is selected")):
        with pytest.raises(CgcError, match=message):
            exported(tmp_path / "splat.ply", what=what)
    assert list(tmp_path.iterdir()) == []


def test_a_scale_of_zero_is_an_error_and_leaves_the_old_files(tmp_path, gaussians) -> None:
    for what, path in (("VISIBLE", tmp_path / "all.ply"), ("SEGMENTS", tmp_path / "parts.ply")):
        export_splats(bpy.context, ExportSettings(path, what=what))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.ply")}
    bpy.data.objects["object 2"].scale = (1, 0, 1)
    for what, path in (("VISIBLE", tmp_path / "all.ply"), ("SEGMENTS", tmp_path / "parts.ply")):
        with pytest.raises(CgcError, match=r"object 2: .*scale of zero"):
            export_splats(bpy.context, ExportSettings(path, what=what))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.ply")} == before


def test_a_folder_is_written_whole_or_not_at_all(tmp_path, gaussians, monkeypatch) -> None:
    written = []

    def full_disk(path: Path, *_rest, **_options) -> None:
        if written:
            raise CgcError(f"{path} could not be written: no space left on device.")
        written.append(path)
        path.write_bytes(b"ply")

    monkeypatch.setattr(module, "write_splat", full_disk)
    with pytest.raises(CgcError, match="no space left"):
        export_splats(bpy.context, ExportSettings(tmp_path / "room.ply", what="SEGMENTS"))
    assert written
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path, gaussians) -> None:
    (tmp_path / "room").write_text("a file")
    with pytest.raises(CgcError, match="room could not be written"):
        export_splats(bpy.context, ExportSettings(tmp_path / "room.ply", what="SEGMENTS"))


@pytest.mark.parametrize("ending", [".ply", ".spz", ".sog", ".glb"])
def test_segments_become_files_of_every_format(tmp_path, gaussians, ending) -> None:
    name = {".ply": "plain"}.get(ending, ending[1:])
    settings = ExportSettings(tmp_path / "room.x", what="SEGMENTS", file=WriteSettings(name))
    written = export_splats(bpy.context, settings)
    assert {path.suffix for path in written} == {ending}
    assert sum(written.values()) == 300
    assert all(path.stat().st_size > 500 for path in written)


@pytest.mark.parametrize("name", ["plain", "ply", "spz", "sog"])
def test_upright_files_stand_as_the_scene_does(tmp_path, gaussians, name) -> None:
    """Read as COLMAP's axes, with down as y, they are the scene with Z up."""
    path = tmp_path / "splat.bin"
    export_splats(bpy.context, ExportSettings(path, file=WriteSettings(name)))
    back = read_splat(path, blender_codec()).gaussians
    stood_up = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]])
    world = transform(gaussians, np.array(ROOT)).means
    means = transform(back, stood_up).means
    nearest = np.abs(means[:, None] - world).max(axis=2).min(axis=0)
    assert nearest.max() < 5e-3  # SOG has an order of its own


@pytest.mark.parametrize("version", [2, 3, 4])
def test_spz_of_every_version_comes_back(tmp_path, gaussians, version) -> None:
    path = tmp_path / "splat.spz"
    settings = ExportSettings(path, frame="CAPTURE", file=WriteSettings("spz", version))
    export_splats(bpy.context, settings)
    back = read_splat(path).gaussians
    np.testing.assert_allclose(back.means, gaussians.means, atol=2e-4)
    np.testing.assert_allclose(back.log_scales, gaussians.log_scales, atol=0.033)
    np.testing.assert_allclose(back.sh[:, 1:], gaussians.sh[:, 1:], atol=0.51 * 4 / 128)


def test_a_file_of_splat_transform_in_version_4() -> None:
    folder = REPOSITORY / "tests" / "splats" / "made_by_splat_transform"
    for name in ("cloud.spz", "cloud.sog"):
        ours = read_splat(folder / name, blender_codec())
        theirs = read_splat(folder / f"{name.replace('.', '_')}.ply")
        assert (ours.dropped, ours.notes) == (0, ())
        np.testing.assert_allclose(ours.gaussians.means, theirs.gaussians.means, atol=1e-6)
        np.testing.assert_allclose(ours.gaussians.sh, theirs.gaussians.sh, atol=1e-6)


def test_glb_is_y_up(tmp_path, gaussians) -> None:
    export_splats(bpy.context, ExportSettings(tmp_path / "a.glb", file=WriteSettings("glb")))
    data = (tmp_path / "a.glb").read_bytes()
    size = struct.unpack_from("<I", data, 12)[0]
    document = json.loads(data[20 : 20 + size])
    (primitive,) = document["meshes"][0]["primitives"]
    accessor = document["accessors"][primitive["attributes"]["POSITION"]]
    world = transform(gaussians, np.array(ROOT)).means
    x, y, z = world.max(axis=0)[0], world.max(axis=0)[2], -world.min(axis=0)[1]
    np.testing.assert_allclose(accessor["max"], [x, y, z], atol=1e-4)


def drawn(engine: Path, splat: Path, views: list[View], output: Path) -> np.ndarray:
    """Return pictures (V, H, W, 3), 0 to 1, that the engine draws."""
    write_cameras_json(output / "cameras.json", views)
    cameras, folder = str(output / "cameras.json"), str(output)
    command = [str(engine), "-m", "cgc_addon", "render", str(splat), "--cameras", cameras]
    command += ["--what", "rgb", "-o", folder]
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONPATH")}
    subprocess.run(command, cwd=REPOSITORY, check=True, env=environment, capture_output=True)
    pictures = []
    for view in views:
        image = bpy.data.images.load(str(output / "rgb" / f"{view.stem}.png"))
        image.colorspace_settings.name = "Non-Color"
        pixels = np.array(image.pixels[:], dtype=np.float64)
        pictures.append(pixels.reshape(view.camera.height, view.camera.width, -1)[..., :3])
    return np.stack(pictures)


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    return float(-10 * np.log10(max(np.mean((first - second) ** 2), 1e-12)))


def test_moving_an_object_looks_like_moving_the_camera_the_other_way(
    tmp_path, gaussians, engine_python: Path
) -> None:
    item = bpy.data.objects["object 1"]
    exported(tmp_path / "still.ply", collection="Chair")
    scale = 1.7
    item.matrix_basis = Matrix.LocRotScale((0.3, -0.2, 0.5), Euler((0.5, 1, 2)), [scale] * 3)
    bpy.context.view_layer.update()
    exported(tmp_path / "moved.ply", collection="Chair")
    camera = PinholeCamera(width=160, height=120, fx=150, fy=140, cx=75, cy=66)
    views, countered = [], []
    for number in range(3):
        pose = np.array(Matrix.Translation((0, 0, 9)) @ Matrix.Rotation(2.1 * number, 4, "Y"))
        views.append(View(f"{number}.png", camera, pose))
        moved = pose @ np.array(item.matrix_basis, dtype=np.float64)
        moved[:3] /= scale  # a camera has no size: it goes nearer instead
        countered.append(View(f"{number}.png", camera, moved))
    with_object = drawn(engine_python, tmp_path / "moved.ply", views, tmp_path / "object")
    with_camera = drawn(engine_python, tmp_path / "still.ply", countered, tmp_path / "camera")
    assert with_object.std() > 0.05  # there is something to see
    assert psnr(with_object, with_camera) >= 40
    # The test would notice: harmonics that do not turn along give another picture.
    moved, still = (read_ply(tmp_path / f"{n}.ply").gaussians for n in ("moved", "still"))
    write_ply(tmp_path / "wrong.ply", replace(moved, sh=still.sh))
    assert (
        psnr(drawn(engine_python, tmp_path / "wrong.ply", views, tmp_path / "wrong"), with_camera)
        < 35
    )
