# SPDX-License-Identifier: GPL-3.0-or-later
"""A bundle as its users have it: dropped on a Blender without PyTorch and without a network.

    python3 tests/wheels/installed_bundle.py PYTHON BUNDLE.zip

PYTHON is that of an environment with the module bpy, and nothing of the engine. The bundle is
installed from disk, the sample is trained with the preset draft, and the extension is uninstalled;
times and sizes are printed. On Linux all of it runs in a network namespace of its own that leads
nowhere. Not part of the tests that run every time: it unpacks 1.6 GB and takes some minutes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NO_NETWORK = ("unshare", "--net", "--map-root-user")

IN_BLENDER = """
import errno, os, runpy, socket, sys, time
from pathlib import Path
import bpy

script, sample, output, bundle = map(Path, sys.argv[-4:])
resources = Path(os.environ["BLENDER_USER_RESOURCES"])


def size(folder):
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def step(name, began):
    seconds = time.monotonic() - began
    print(f"{name}: {seconds:.1f} s; {size(resources):,.0f} MB in Blender's folder")


for package in ("torch", "numba", "pycolmap"):
    try:
        __import__(package)
    except ImportError:
        continue
    raise SystemExit(f"{package} is installed already: this shows nothing.")
try:
    socket.create_connection(("192.0.2.1", 80), timeout=2)
except OSError as error:
    print("network:", error)
    if os.environ["NETWORK"] == "off" and error.errno != errno.ENETUNREACH:
        raise SystemExit("The network is not off.")

began = time.monotonic()
done = bpy.ops.extensions.package_install_files(
    filepath=str(bundle), repo="user_default", enable_on_install=True
)
assert done == {"FINISHED"}, done
step("install and enable", began)
assert "torch" not in sys.modules
import numpy
assert ".local" not in numpy.__file__, numpy.__file__

began = time.monotonic()
sys.argv = ["blender", "--", str(sample), str(output)]
runpy.run_path(str(script), run_name="__main__")
step("import, train, recut, export", began)
assert "torch" not in sys.modules

import addon_utils
began = time.monotonic()
addon_utils.disable("bl_ext.user_default.cgc", default_set=True)
step("disable", began)
addon_utils.enable("bl_ext.user_default.cgc", default_set=True)
began = time.monotonic()
done = bpy.ops.extensions.package_uninstall(repo_index=USER_DEFAULT, pkg_id="cgc")
assert done == {"FINISHED"}, done
step("uninstall", began)
left = sorted(str(path.relative_to(resources)) for path in resources.rglob("*") if path.is_file())
print("left behind:", ", ".join(left) or "nothing")
assert set(left) <= {"extensions/.cache/compat.dat"}, left  # Blender's own list
""".replace(
    "USER_DEFAULT",
    "next(i for i, repo in enumerate(bpy.context.preferences.extensions.repos) "
    'if repo.module == "user_default")',
)


def main(arguments: list[str]) -> int:
    """Try a bundle and return the exit code."""
    if len(arguments) != 2:
        print(__doc__)
        return 2
    # A link's own path, not what it leads to: a virtual environment is known by that.
    python, bundle = Path(arguments[0]).absolute(), Path(arguments[1]).resolve()
    with tempfile.TemporaryDirectory() as temporary:
        command = [str(python), "-c", IN_BLENDER, str(ROOT / "docs" / "whole_way.py")]
        command += [str(ROOT / "cgc_addon" / "sample"), str(Path(temporary, "output")), str(bundle)]
        variables = {
            name: value
            for name, value in os.environ.items()
            if name not in ("PYTHONPATH", "CGC_PYTHON")
        }
        variables["BLENDER_USER_RESOURCES"] = str(Path(temporary, "blender"))
        variables["NUMBA_CACHE_DIR"] = str(Path(temporary, "numba"))
        Path(temporary, "blender").mkdir()
        variables["NETWORK"] = "off" if shutil.which("unshare") else "on"
        if variables["NETWORK"] == "off":
            command = [*NO_NETWORK, *command]
        else:
            print("The network stays on: there is no unshare on this system.")
        return subprocess.run(command, env=variables, cwd=temporary, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
