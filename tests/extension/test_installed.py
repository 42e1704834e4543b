# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user gets who installs the zip: all of it, quickly, and nothing left when it goes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("bpy")


def test_the_zip_holds_the_add_on_with_its_sample_and_nothing_of_the_workshop(
    extension_zip: Path,
) -> None:
    with zipfile.ZipFile(extension_zip) as file:
        names = file.namelist()
    assert {"blender_manifest.toml", "__init__.py", "cgc_addon/blender/panels/sidebar.py"} <= set(
        names
    )
    assert any(name.startswith("cgc_addon/sample/sparse/0/") for name in names)
    tops = {name.split("/")[0] for name in names}
    assert tops <= {"blender_manifest.toml", "__init__.py", "cgc_addon", "LICENSE", "README.md"}
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".whl"))]


def test_it_is_enabled_quickly_without_anything_heavy(run_in_blender) -> None:
    output = run_in_blender(
        """
        already = heavy_modules()
        begun = time.perf_counter()
        enable()
        print("seconds", time.perf_counter() - begun)
        assert heavy_modules() == already, heavy_modules() - already
        operators = [name for name in dir(bpy.types) if name.startswith("CGC_OT_")]
        panels = [name for name in dir(bpy.types) if name.startswith("CGC_PT_")]
        assert len(operators) > 10, operators
        assert len(panels) > 3, panels
        preferences = module("blender.common.preferences")
        assert preferences.PACKAGE == NAME, preferences.PACKAGE
        bpy.context.preferences.addons[NAME].preferences.threads = 3
        assert preferences.stored().threads == 3
        assert preferences.models_folder().parts[-3:] == ("user_default", "cgc", "models")
        assert bpy.context.scene.cgc.preset == "standard"
        """
    )
    seconds = float(output.split("seconds")[1].split()[0])
    # On a quiet machine it takes a tenth of that; Blender's own limit of patience is 0.3 s.
    assert seconds < 3.0


def test_disabling_leaves_no_trace_and_enabling_again_works(run_in_blender) -> None:
    run_in_blender(
        """
        before = traces()
        for _ in range(2):
            enable()
            assert traces() - before
            disable()
            left = traces() ^ before
            assert not left, left
            assert not [name for name in bpy.context.preferences.addons.keys() if name == NAME]
        """
    )


def test_it_stays_enabled_when_a_file_is_opened_and_goes_with_factory_settings(
    run_in_blender, tmp_path: Path
) -> None:
    run_in_blender(
        f"""
        enable()
        bpy.context.scene.cgc.dataset = "/somewhere"
        bpy.ops.wm.save_as_mainfile(filepath={str(tmp_path / "a.blend")!r})
        bpy.ops.wm.read_homefile()
        assert bpy.context.scene.cgc.dataset == ""
        bpy.ops.wm.open_mainfile(filepath={str(tmp_path / "a.blend")!r})
        assert bpy.context.scene.cgc.dataset == "/somewhere"
        bpy.ops.wm.read_factory_settings()
        assert not hasattr(bpy.types.Scene, "cgc")
        """
    )


def test_the_bundled_sample_is_imported(run_in_blender) -> None:
    run_in_blender(
        """
        from pathlib import Path
        enable()
        sample = Path(module("cli.demo").__file__).parents[1] / "sample"
        assert bpy.ops.cgc.import_colmap(filepath=str(sample)) == {"FINISHED"}
        cameras = [item for item in bpy.data.objects if item.cgc.kind == "CAMERA"]
        points = [item for item in bpy.data.objects if item.cgc.kind == "POINTS"]
        assert len(cameras) == 40, cameras
        assert len(points) == 1, points
        assert all(camera.data.background_images for camera in cameras)
        """
    )


def test_a_verb_of_the_command_runs_in_the_engines_interpreter(
    run_in_blender, engine_python: Path
) -> None:
    output = run_in_blender(
        """
        enable()
        sys.exit(module("blender.command").run_verb(["probe", "--json"]))
        """,
        CGC_PYTHON=str(engine_python),
    )
    told = json.loads(output.splitlines()[-1])
    assert told["type"] == "result"
    assert told["missing"] == []


def test_the_engine_renders_and_takes_its_worker_along(run_in_blender, engine_python: Path) -> None:
    run_in_blender(
        """
        import os
        before = traces()
        enable()
        bpy.ops.wm.read_homefile(use_empty=True)
        scene = bpy.context.scene
        scene.render.engine = "CGC_SPLATS"
        scene.render.resolution_x = scene.render.resolution_y = 16
        scene.view_settings.view_transform = "Standard"
        scene.world = bpy.data.worlds.new("world")
        scene.world.color = (1.0, 0.0, 0.0)
        scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        scene.collection.objects.link(scene.camera)
        np = importlib.import_module("numpy")
        white = module("splats.gaussians").Gaussians(
            means=np.zeros((1, 3), np.float32),
            log_scales=np.zeros((1, 3), np.float32),
            quats=np.array([[1, 0, 0, 0]], np.float32),
            logit_opacities=np.full(1, 6, np.float32),
            sh=np.full((1, 1, 3), 1.7, np.float32),
        )
        objects = module("blender.splats.objects")
        index = np.zeros(1, np.int32)
        splat = objects.new_splat("splat", white, index, index)
        splat.location.z = -5.0
        scene.collection.objects.link(splat)
        scene.render.filepath = os.path.join(bpy.app.tempdir, "picture.png")
        bpy.ops.render.render(write_still=True)
        picture = bpy.data.images.load(scene.render.filepath)
        middle = 4 * (8 * 16 + 8)
        assert min(picture.pixels[middle : middle + 3]) > 0.8, picture.pixels[middle : middle + 4]
        worker = module("blender.render_engine.render_worker").render_worker()._worker
        assert worker.alive
        disable()
        worker._process._child.wait(10)
        scene.render.engine = "BLENDER_WORKBENCH"
        end = time.monotonic() + 10
        while traces() ^ before and time.monotonic() < end:
            time.sleep(0.05)  # threads end a moment after the worker whose words they read
        left = traces() ^ before
        assert not left, left
        """,
        CGC_PYTHON=str(engine_python),
    )
