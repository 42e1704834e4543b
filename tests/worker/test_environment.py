# SPDX-License-Identifier: GPL-3.0-or-later
import os
from pathlib import Path

import pytest

from cgc_addon.errors import CgcError
from cgc_addon.worker.environment import worker_environment

PARENT = Path("/add-ons")


def test_what_blender_set_for_its_own_python_is_dropped():
    base = {
        "PATH": "/bin",
        "PYTHONHOME": "/opt/blender/python",
        "PYTHONSTARTUP": "/x.py",
        "PYTHONPATH": "/opt/blender/modules",
        "PYTHONNOUSERSITE": "1",
        "CUDA_VISIBLE_DEVICES": "1",
    }
    environment = worker_environment(base, PARENT, [Path("/wheels")])
    assert environment == {
        "PATH": "/bin",
        "PYTHONNOUSERSITE": "1",
        "CUDA_VISIBLE_DEVICES": "1",
        "PYTHONPATH": os.pathsep.join([str(PARENT), str(Path("/wheels"))]),
        "PYTHONSAFEPATH": "1",
        "PYTHONUTF8": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "GOMP_SPINCOUNT": "1000",
    }
    assert base["PYTHONHOME"] == "/opt/blender/python"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/opt/blender-5.2.0-linux-x64/lib/mesa", None),
        ("/snap/blender/12/lib:/usr/local/cuda/lib64", "/usr/local/cuda/lib64"),
        ("/usr/local/cuda/lib64", "/usr/local/cuda/lib64"),
        ("/usr/lib/myblender", "/usr/lib/myblender"),
    ],
)
@pytest.mark.skipif(os.pathsep != ":", reason="paths of Linux and macOS")
def test_blenders_own_libraries_are_not_for_others(before, after):
    environment = worker_environment({"LD_LIBRARY_PATH": before}, PARENT)
    assert environment.get("LD_LIBRARY_PATH") == after


def test_a_folder_that_pythonpath_cannot_name_is_told():
    with pytest.raises(CgcError, match="move the add-on"):
        worker_environment({}, Path(f"/with{os.pathsep}in it"))
