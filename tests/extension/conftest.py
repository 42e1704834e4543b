# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip that users install, built by Blender's own builder and installed as they do it.

Each program runs in a Blender of its own, with preferences and extensions in a temporary folder.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRACES = ROOT / "tests" / "blender"

Runner = Callable[..., str]


@pytest.fixture(scope="session")
def builder() -> Path:
    """Return Blender's program for extensions, which lies in the module bpy."""
    found = importlib.util.find_spec("bpy")
    if found is None or not found.submodule_search_locations:
        pytest.skip("needs the module bpy")
    package = Path(found.submodule_search_locations[0])
    (program,) = package.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
    return program


@pytest.fixture(scope="session")
def extension_zip(builder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the zip of this checkout, as `blender --command extension build` makes it."""
    folder = tmp_path_factory.mktemp("built")
    _succeed([sys.executable, str(builder), "validate", str(ROOT)])
    build = ["build", "--source-dir", str(ROOT), "--output-dir", str(folder)]
    _succeed([sys.executable, str(builder), *build])
    (file,) = folder.glob("*.zip")
    _succeed([sys.executable, str(builder), "validate", str(file)])
    return file


@pytest.fixture(scope="session")
def run_in_blender(extension_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Return a function that runs a program in a Blender that has the zip installed.

    The program finds `enable()` and `disable()`, which do what the check mark in the preferences
    does, and `module(name)`, which gives a module of the installed copy.
    """
    resources = tmp_path_factory.mktemp("resources")
    variables = {
        **{key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        "BLENDER_USER_RESOURCES": str(resources),
        "CGC_ENGINES": str(resources / "engines"),
    }

    def run(program: str, **more: str) -> str:
        result = subprocess.run(
            [sys.executable, "-c", PROLOGUE.format(traces=str(TRACES)) + textwrap.dedent(program)],
            env={**variables, **more},
            cwd=resources,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        return result.stdout

    run(
        f"""
        done = bpy.ops.extensions.package_install_files(
            filepath={str(extension_zip)!r}, repo="user_default", enable_on_install=False
        )
        assert done == {{"FINISHED"}}, done
        """
    )
    return run


PROLOGUE = """
import atexit, importlib, sys, time
import bpy
import addon_utils  # is found once bpy is there
sys.path.append({traces!r})
from traces import heavy_modules, traces

NAME = "bl_ext.user_default.cgc"

def fail(error):
    raise error

def enable():
    assert addon_utils.enable(NAME, default_set=True, handle_error=fail) is not None
    atexit.register(disable)  # or Blender 4.5 hangs at its end, as a module

def disable():
    addon_utils.disable(NAME, default_set=True, handle_error=fail)

def module(name):
    return importlib.import_module(NAME + ".cgc_addon." + name)

"""


def _succeed(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
