# SPDX-License-Identifier: GPL-3.0-or-later
"""The script in docs/ goes the whole way on the installed extension, as its readers will run it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("bpy")

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "docs" / "whole_way.py"


@pytest.fixture(scope="module")
def capture(engine_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four balls on a board, drawn by the engine's Python."""
    folder = tmp_path_factory.mktemp("tiny") / "balls"
    subprocess.run(
        [str(engine_python), "-m", "tests.tiny_dataset", str(folder)],
        cwd=ROOT,
        timeout=300,
        check=True,
    )
    return folder


@pytest.mark.slow
def test_the_script_makes_objects_masks_splats_and_a_blend(
    run_in_blender, engine_python: Path, capture: Path, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    told = run_in_blender(
        f"""
        import runpy
        enable()
        sys.argv = ["blender", "--", {str(capture)!r}, {str(output)!r}]
        runpy.run_path({str(SCRIPT)!r}, run_name="__main__")
        """,
        CGC_PYTHON=str(engine_python),
    )
    line = next(line for line in told.splitlines() if line.startswith("segments: "))
    segments = line.removeprefix("segments: ").split(", ")
    assert len(segments) >= 3

    photos = sorted(path.stem for path in (capture / "images").iterdir())
    assert sorted(path.stem for path in (output / "masks" / "labels").glob("*.png")) == photos
    listed = json.loads((output / "masks" / "segments.json").read_text())["segments"]
    names = {entry["name"] for entry in listed}
    assert names <= set(segments[:-1])  # the smallest is hidden
    assert len(names) >= 2

    assert (output / "scene.ply").is_file()
    exported = {path.stem for path in (output / "objects").glob("*.ply")}
    assert exported - {"Unassigned"} == set(segments[:-1])

    run_in_blender(
        f"""
        enable()
        bpy.ops.wm.open_mainfile(filepath={str(output / "scene.blend")!r})
        found = [item for item in bpy.data.collections if item.cgc.kind == "SEGMENT"]
        assert sorted(item.name for item in found) == {sorted(segments)!r}
        cameras = [item for item in bpy.data.objects if item.cgc.kind == "CAMERA"]
        assert len(cameras) == {len(photos)}
        """
    )


def test_the_script_ends_with_an_error_when_a_step_fails(
    run_in_blender, capture: Path, tmp_path: Path
) -> None:
    told = run_in_blender(
        f"""
        import runpy
        enable()
        sys.argv = ["blender", "--", {str(tmp_path / "no capture")!r}, {str(tmp_path)!r}]
        try:
            runpy.run_path({str(SCRIPT)!r}, run_name="__main__")
        except RuntimeError as error:
            print("failed:", error)
        """
    )
    assert "no capture is not there" in told
