# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernels are compiled from and with, fetched with pip where it is not at hand.

gsplat's wheel carries its sources. Of PyTorch's wheel only headers and libraries to link with are
unpacked. nvcc comes from an installed CUDA toolkit if it is of the version that PyTorch was built
with, else from NVIDIA's own packages, which need no installer and no rights.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

from cgc_addon.installation.hardware import PYTORCH_INDEXES

from .compiling import Python

GSPLAT_SHA256 = {"1.5.3": "515a3773641f5e7f7717acab6276c0b1d6dbcad087b7968ca653337c3189a982"}
"""What is compiled into people's engines is what was looked at."""
TOOLKIT = "cuda-toolkit[nvcc,cudart,cccl]"

ASK_PYTHON = """
import json, sys, sysconfig
print(json.dumps({
    "include": sysconfig.get_path("include"),
    "libraries": sys.base_exec_prefix + "/libs",
    "suffix": sysconfig.get_config_var("EXT_SUFFIX"),
    "tag": "cp%d%d" % sys.version_info[:2],
    "platform": sysconfig.get_platform().replace("-", "_").replace(".", "_"),
}))
"""


class FetchError(Exception):
    """Something that the build needs is not to be had: one sentence with the cure."""


@dataclass(frozen=True)
class Torch:
    """PyTorch's wheel, unpacked as far as needed."""

    folder: Path
    version: str
    """Without the local part."""
    cuda: str
    toolkit: str
    """Version of CUDA's packages that belong to it, for pip: "13.0.3", "13.0.*"."""
    headers: str
    """Digest of all its headers."""


def ask_python(interpreter: Path) -> Python:
    """Return what a module for this interpreter must know of it.

    Raises:
        FetchError: it does not run, or has no headers.
    """
    try:
        answer = subprocess.run(
            [interpreter, "-c", ASK_PYTHON], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise FetchError(
            f"{interpreter} does not run ({error}); give another with --python."
        ) from None
    found = json.loads(answer.stdout)
    include = Path(found["include"])
    if not (include / "Python.h").is_file():
        raise FetchError(f"{include}: no Python.h; install the headers of this Python.")
    return Python(
        include, Path(found["libraries"]), found["suffix"], found["tag"], found["platform"]
    )


def locked_version(lock: Path, package: str) -> str:
    """Return the version that a file of requirements pins.

    Raises:
        FetchError: it pins none.
    """
    found = re.search(rf"^{package}==([^\s;]+)", lock.read_text("utf-8"), re.MULTILINE)
    if not found:
        raise FetchError(f"{lock}: no version of {package}; add one.")
    return found[1]


def fetch_gsplat(interpreter: Path, version: str, folder: Path) -> Path:
    """Return gsplat's wheel as PyPI has it, from `folder` if it is there already.

    Raises:
        FetchError: it is another one than the recipe knows, or cannot be had.
    """
    wheel = _download(
        interpreter, f"gsplat=={version}", folder, f"gsplat-{version}-py3-none-any.whl"
    )
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != GSPLAT_SHA256.get(version):
        raise FetchError(
            f"{wheel}: SHA-256 {found} is not that of gsplat {version} in "
            "wheels/gsplat/fetching.py; look at what changed and enter it there."
        )
    return wheel


def unpack_gsplat(wheel: Path, folder: Path) -> Path:
    """Unpack all of gsplat into `folder` and return it."""
    if not (folder / "gsplat/cuda/ext.cpp").is_file():
        _unpack(wheel, folder, "")
    return folder


def fetch_torch(interpreter: Path, python: Python, version: str, folder: Path) -> Torch:
    """Fetch PyTorch's wheel with CUDA and unpack its headers and libraries into `folder`.

    Raises:
        FetchError: it cannot be had, or is a build without CUDA.
    """
    package = folder / f"torch-{version}-{python.tag}" / "torch"
    if not (package / "version.py").is_file():
        windows = python.platform.startswith("win")  # PyPI has its PyTorch without CUDA
        index = ["--index-url", PYTORCH_INDEXES["Windows", "cuda"]] if windows else []
        name = f"torch-{version}*-{python.tag}-{python.tag}-*.whl"
        wheel = _download(interpreter, f"torch=={version}", folder, name, index)
        _unpack(wheel, package.parent, r"torch/(include|lib)/|torch/version\.py|[^/]*\.dist-info/")
    text = (package / "version.py").read_text("utf-8")
    cuda = re.search(r"^cuda\b.*= '([\d.]+)'", text, re.MULTILINE)
    if not cuda:
        raise FetchError(
            f"{package}: this PyTorch was built without CUDA; pip took it from an index or folder "
            "of its configuration, which PIP_CONFIG_FILE and PIP_FIND_LINKS change."
        )
    metadata = next(package.parent.glob("*.dist-info/METADATA")).read_text("utf-8")
    named = re.search(r"^Requires-Dist: cuda-toolkit\[.*\]==([\d.]+)", metadata, re.MULTILINE)
    record = next(package.parent.glob("*.dist-info/RECORD")).read_text("utf-8").splitlines()
    headers = "\n".join(sorted(line for line in record if line.startswith("torch/include/")))
    return Torch(
        package,
        version,
        cuda[1],
        named[1] if named else f"{cuda[1]}.*",
        hashlib.sha256(headers.encode()).hexdigest(),
    )


def find_toolkit(interpreter: Path, torch: Torch, folder: Path) -> Path:
    """Return a folder with `bin/nvcc` of the CUDA that PyTorch was built with.

    Raises:
        FetchError: neither is one installed, nor can it be had.
    """
    nvcc = shutil.which("nvcc")
    installed = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH")]
    installed += [str(Path(nvcc).resolve().parents[1]) if nvcc else None, "/usr/local/cuda"]
    for candidate in map(Path, filter(None, installed)):
        # Distributions put nvcc on the path alone, away from its headers.
        has_headers = (candidate / "include/cuda_runtime.h").is_file()
        if has_headers and nvcc_version(candidate) == torch.cuda:
            return candidate
    target = folder / f"toolkit-{torch.toolkit.replace('*', 'x')}"
    found = [path.parents[1] for path in target.glob("nvidia/cu*/bin/nvcc*")]
    if not found:
        say(f"Fetching nvcc of CUDA {torch.toolkit} …")
        half = target.with_name(target.name + ".part")
        shutil.rmtree(half, ignore_errors=True)
        _pip(interpreter, "install", "--target", str(half), f"{TOOLKIT}=={torch.toolkit}")
        half.rename(target)
        found = [path.parents[1] for path in target.glob("nvidia/cu*/bin/nvcc*")]
    if not found or nvcc_version(found[0]) != torch.cuda:
        raise FetchError(f"{target}: no nvcc of CUDA {torch.cuda}; set CUDA_HOME to a toolkit.")
    return found[0]


def nvcc_version(toolkit: Path) -> str:
    """Return "13.0" of the toolkit's nvcc, or "" where there is none that runs."""
    try:
        answer = subprocess.run(
            [toolkit / "bin/nvcc", "--version"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    found = re.search(r"release (\d+\.\d+)", answer.stdout)
    return found[1] if found else ""


def say(line: str) -> None:
    """Tell the person in front of it."""
    print(line, file=sys.stderr, flush=True)


def _download(
    interpreter: Path, requirement: str, folder: Path, pattern: str, index: list[str] | None = None
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.glob(pattern)):
        say(f"Fetching {requirement} …")
        _pip(interpreter, "download", "--no-deps", "-d", str(folder), requirement, *(index or []))
    found = sorted(folder.glob(pattern))
    if not found:
        raise FetchError(f"{folder}: pip brought no {pattern}; put the wheel there by hand.")
    return found[0]


def _pip(interpreter: Path, *arguments: str) -> None:
    finished = subprocess.run(
        [interpreter, "-m", "pip", "--disable-pip-version-check", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if finished.returncode:
        last = finished.stdout.strip().splitlines()[-1:] or ["it said nothing"]
        raise FetchError(f"pip {' '.join(arguments)} failed: {last[0]}")


def _unpack(wheel: Path, folder: Path, wanted: str) -> None:
    half = folder.with_name(folder.name + ".part")
    shutil.rmtree(half, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if re.match(wanted, name)]
        archive.extractall(half, names)
    shutil.rmtree(folder, ignore_errors=True)
    half.rename(folder)
