# SPDX-License-Identifier: GPL-3.0-or-later
"""From an installed zip to a trained splat and back to nothing, in a Blender without PyTorch.

    BLENDER_PYTHON tests/installed/engine_whole_way.py [--build cpu|cuda] [--archive ENGINE.zip]

BLENDER_PYTHON is a Python that has Blender as a module and no PyTorch, such as that of
`.venv-blender-4.5`. The zip of this checkout is built with Blender's own builder and installed as
users do it; Install Engine brings the engine; the bundled sample is trained with the preset draft
through the installed extension; Remove takes the engine away. What is left behind is an error. It
downloads half a gigabyte (CUDA: three) and takes minutes, so it is no part of the test suite.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = "bl_ext.user_default.cgc"

PROLOGUE = f"""
import atexit, importlib, json, os, shutil, sys, time
from pathlib import Path
import bpy
import addon_utils

def fail(error):
    raise error

def module(name):
    return importlib.import_module({NAME!r} + ".cgc_addon." + name)

def enable():
    addon_utils.enable({NAME!r}, default_set=True, handle_error=fail)
    atexit.register(lambda: addon_utils.disable({NAME!r}, handle_error=fail))
    bpy.context.preferences.system.use_online_access = True

"""
INSTALL_ZIP = """
done = bpy.ops.extensions.package_install_files(
    filepath=os.environ["ZIP"], repo="user_default", enable_on_install=False
)
assert done == {"FINISHED"}, done
"""
INSTALL_ENGINE = """
enable()
assert importlib.util.find_spec("torch") is None
assert module("blender.install.facts").look().missing
done = bpy.ops.cgc.install_engine(build=os.environ["BUILD"], archive=os.environ["ARCHIVE"])
assert done == {"FINISHED"}, done
engine = module("blender.install.facts").look().engine
assert "torch" not in sys.modules
print("TOLD", json.dumps({"folder": str(engine.home.folder), "bytes": engine.size}))
"""
CHECK = """
enable()
assert bpy.ops.cgc.check_engine() == {"FINISHED"}
assert bpy.ops.cgc.check_worker() == {"FINISHED"}
report = module("blender.jobs.registry").worker_report()
print("TOLD", json.dumps({"interpreter": str(report.interpreter.path), "draws": report.rasterizer}))
"""
TRAIN = """
enable()
capture = Path(os.environ["WORK"], "desk")
shutil.copytree(Path(module("cli.demo").__file__).parents[1] / "sample", capture)
assert bpy.ops.cgc.import_colmap(filepath=str(capture)) == {"FINISHED"}
bpy.context.scene.cgc.preset = "draft"
assert bpy.ops.cgc.train() == {"FINISHED"}
found = [item.name for item in bpy.data.collections if item.cgc.kind == "SEGMENT"]
assert len(found) >= 3, found
assert "torch" not in sys.modules
print("TOLD", json.dumps({"segments": len(found)}))
"""
REMOVE = """
enable()
assert bpy.ops.cgc.remove_engine() == {"FINISHED"}
assert module("blender.install.facts").look().missing
"""
STEPS = (
    ("the zip is installed", INSTALL_ZIP),
    ("the engine is installed", INSTALL_ENGINE),
    ("it is checked", CHECK),
    ("the sample is trained", TRAIN),
    ("the engine is removed", REMOVE),
)


def main() -> int:
    """Go the whole way and return 0 if all of it went well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", choices=("auto", "cpu", "cuda"), default="cpu")
    parser.add_argument("--archive", default="", help="install from it instead of the network")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cgc-installed-") as place:
        return whole_way(Path(place), options)


def whole_way(place: Path, options: argparse.Namespace) -> int:
    """Do it in a folder, which stands in for the user's home."""
    home = place / "home"
    for name in ("blender", "home", "zip", "work"):
        (place / name).mkdir()
    named = {"CGC_PYTHON", "CGC_ENGINES", "PYTHONPATH"}
    variables = {
        **{key: value for key, value in os.environ.items() if key not in named},
        "BLENDER_USER_RESOURCES": str(place / "blender"),
        "XDG_DATA_HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "WORK": str(place / "work"),
        "ZIP": str(build_zip(place / "zip")),
        "BUILD": options.build,
        "ARCHIVE": str(Path(options.archive).absolute()) if options.archive else "",
    }
    for what, program in STEPS:
        began = time.monotonic()
        told = run_in_blender(program, variables, place)
        print(f"{time.monotonic() - began:7.1f} s  {what}  {told}", flush=True)
    left = sorted(str(path.relative_to(home)) for path in home.rglob("*") if "cgc-eng" in str(path))
    print(f"left behind: {', '.join(left) or 'nothing'}")
    return 1 if left else 0


def build_zip(folder: Path) -> Path:
    """Build the extension with Blender's own builder."""
    found = importlib.util.find_spec("bpy")
    assert found is not None, "this Python has no Blender"
    package = Path((found.submodule_search_locations or [""])[0])
    (builder,) = package.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
    command = [sys.executable, str(builder), "build", "--source-dir", str(ROOT)]
    subprocess.run([*command, "--output-dir", str(folder)], check=True, stdout=subprocess.DEVNULL)
    (file,) = folder.glob("*.zip")
    print(f"{file.name}: {file.stat().st_size / 1e6:.1f} MB", flush=True)
    return file


def run_in_blender(program: str, variables: dict[str, str], place: Path) -> dict[str, object]:
    """Run a program in a Blender of its own; return what it told."""
    ended = subprocess.run(
        [sys.executable, "-c", PROLOGUE + textwrap.dedent(program)],
        env=variables,
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        print(ended.stdout)
        raise SystemExit("that failed; its output stands above")
    told = [line for line in ended.stdout.splitlines() if line.startswith("TOLD ")]
    return json.loads(told[-1].removeprefix("TOLD ")) if told else {}


if __name__ == "__main__":
    raise SystemExit(main())
