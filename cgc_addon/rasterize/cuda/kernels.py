# SPDX-License-Identifier: GPL-3.0-or-later
"""gsplat's kernels: in its wheel, compiled here once before, or still to be compiled.

gsplat 1.5.3 compiles while it is imported: silently, unstoppably, with ten compilers of 2 GB each.
So it is handed the module that it would look for, `gsplat.csrc`, from a folder of our own.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

MODULE = "gsplat.csrc"
LIBRARY = "gsplat_csrc"
"""What the compiled module is called on disk; Python's entry into it has the same name."""
STAMP = "compiled-for.json"


class UnfitKernelsError(Exception):
    """Kernels that are there and do not load; part of a sentence, with the cure."""


@dataclass(frozen=True)
class Tools:
    """What kernels are compiled with."""

    toolkit: Path
    """Of CUDA: holds `bin/nvcc`."""
    path: str
    """The search path under which `ninja` is found."""


def come_with_gsplat() -> bool:
    """Return whether this gsplat was installed with its kernels.

    Raises:
        ModuleNotFoundError: there is no gsplat, or it lacks a package.
    """
    return MODULE in sys.modules or importlib.util.find_spec(MODULE) is not None


def load_those_of_gsplat() -> None:
    """Load the kernels that came with gsplat.

    Raises:
        UnfitKernelsError: they were compiled for another PyTorch.
    """
    import torch

    try:
        importlib.import_module(MODULE)
    except ImportError as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise UnfitKernelsError(
            f"the kernels of this gsplat do not fit PyTorch {torch.__version__} ({reason}); "
            "install the gsplat that was compiled for it, or PyPI's, which is compiled here"
        ) from None


def build_folder() -> Path:
    """Return where kernels are compiled, where PyTorch keeps such things; it need not exist yet."""
    import torch

    root = os.environ.get("TORCH_EXTENSIONS_DIR")
    folder = Path(root) if root else Path.home() / ".cache/torch_extensions"
    versions = (
        f"py{sys.version_info.major}{sys.version_info.minor}",
        f"torch{torch.__version__.replace('+', '-')}",
        f"gsplat{_gsplat_version()}",
    )
    return folder / "-".join(versions)


def is_compiled(folder: Path) -> bool:
    """Return whether `folder` holds kernels for the cards of this computer."""
    try:
        stamp = json.loads((folder / STAMP).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return stamp == {"cards": architectures()} and library_in(folder).is_file()


def library_in(folder: Path) -> Path:
    """Return where PyTorch's compiling puts the module."""
    return folder / f"{LIBRARY}{'.pyd' if sys.platform == 'win32' else '.so'}"


def architectures() -> str:
    """Return the architectures of all cards, as TORCH_CUDA_ARCH_LIST wants them: "8.6;12.0"."""
    import torch

    count = torch.cuda.device_count()
    numbers = {torch.cuda.get_device_capability(index) for index in range(count)}
    return ";".join(f"{major}.{minor}" for major, minor in sorted(numbers))


def sources() -> list[Path]:
    """Return the sources of gsplat's kernels, some thirty; none where its wheel lacks them."""
    cuda = _gsplat_folder() / "cuda"
    return sorted([*cuda.glob("csrc/*.cu"), *cuda.glob("csrc/*.cpp"), *cuda.glob("ext.cpp")])


def include_folders() -> list[Path]:
    """Return the folders of the headers that they include."""
    cuda = _gsplat_folder() / "cuda"
    return [cuda / "include", cuda / "csrc/third_party/glm"]


def load_compiled(folder: Path) -> ModuleType:
    """Load the module from `folder` in the place where gsplat looks for it.

    Raises:
        ImportError: it does not load.
    """
    import gsplat

    spec = importlib.util.spec_from_file_location(LIBRARY, library_in(folder))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[MODULE] = module
    gsplat.csrc = module  # type: ignore[attr-defined]
    return module


def find_tools() -> tuple[Tools | None, str]:
    """Return what kernels are compiled with, or None and what is missing, with the cure.

    Nothing is compiled to find out: whatever would fail after minutes is looked at before.
    """
    import torch

    if not sources():
        return None, "gsplat has neither kernels nor their sources; install it anew, from PyPI"
    cuda = str(torch.version.cuda)
    package = f'python -m pip install "cuda-toolkit[nvcc,cudart,cccl]=={cuda}.*"'
    toolkit = next((folder for folder in _toolkits() if _is_toolkit(folder)), None)
    if toolkit is None:
        return None, (
            "gsplat must compile its kernels and finds no CUDA toolkit (nvcc); install CUDA "
            f"{cuda}, or run `{package}` with {sys.executable}"
        )
    found = _version_of(toolkit)
    if found.split(".")[0] != cuda.split(".", maxsplit=1)[0]:
        return None, (
            f"gsplat must compile its kernels with CUDA {cuda}, which PyTorch was built with, and "
            f"{toolkit} is CUDA {found or 'of no version that it tells'}; name the other with "
            "CUDA_HOME"
        )
    if not _finds_compiler():
        need = (
            "the C++ build tools of Visual Studio 2022"
            if sys.platform == "win32"
            else "g++, of the package g++ or gcc-c++"
        )
        return None, f"gsplat must compile its kernels and finds no C++ compiler; install {need}"
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        return None, (
            f"gsplat must compile its kernels and {sys.executable} has no headers (Python.h); "
            "install them (python3-dev, python3-devel), or make the engine with another Python"
        )
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    if shutil.which("ninja", path=path) is None:
        return None, (
            "gsplat must compile its kernels and finds no ninja; run `python -m pip install ninja` "
            f"with {sys.executable}"
        )
    return Tools(toolkit, path), ""


def _toolkits() -> list[Path]:
    """Return folders that may hold a CUDA toolkit, the ones that were named first."""
    named = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH")]
    folders = [Path(folder) for folder in named if folder]
    site = Path(sysconfig.get_path("purelib"))
    folders += sorted(site.glob("nvidia/cu[0-9]*"), reverse=True)
    if nvcc := shutil.which("nvcc"):
        folders.append(Path(nvcc).resolve().parents[1])
    if sys.platform == "win32":
        programs = Path("C:/Program Files/NVIDIA GPU Computing Toolkit/CUDA")
        folders += sorted(programs.glob("v*.*"), reverse=True)
    else:
        folders.append(Path("/usr/local/cuda"))
    return folders


def _nvcc(toolkit: Path) -> Path:
    return toolkit / "bin" / ("nvcc.exe" if sys.platform == "win32" else "nvcc")


def _is_toolkit(folder: Path) -> bool:
    """Return whether nvcc and its headers are there; some systems put nvcc on the path alone."""
    return _nvcc(folder).is_file() and (folder / "include/cuda_runtime.h").is_file()


def _version_of(toolkit: Path) -> str:
    """Return the version that nvcc tells, "13.0", or ""."""
    try:
        answer = subprocess.run(
            [_nvcc(toolkit), "--version"], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    found = re.search(r"release (\d+\.\d+)", answer.stdout)
    return found[1] if found else ""


def _finds_compiler() -> bool:
    if sys.platform != "win32":
        return shutil.which(os.environ.get("CXX", "c++")) is not None
    # PyTorch asks Visual Studio's installer for its compiler where no prompt has set it up.
    programs = os.environ.get("PROGRAMFILES(X86)", "C:/Program Files (x86)")
    installer = Path(programs) / "Microsoft Visual Studio/Installer/vswhere.exe"
    return shutil.which("cl") is not None or installer.is_file()


def _gsplat_version() -> str:
    import gsplat

    return gsplat.__version__


def _gsplat_folder() -> Path:
    import gsplat

    return Path(str(gsplat.__file__)).parent
