# SPDX-License-Identifier: GPL-3.0-or-later
"""gsplat's sources become objects, and those one Python module.

nvcc and the host's compiler are called as PyTorch's `cpp_extension` calls them, without importing
PyTorch: only its headers and libraries are needed, not the 3 GB that it loads. All objects but one
know nothing of Python and serve every version of it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

WITH_PYTHON = "ext.cpp"
"""The source that binds the others to Python, so belongs to one version of it."""

NVCC_FLAGS = (
    *("-std=c++20", "-O3", "--use_fast_math", "--expt-relaxed-constexpr"),
    *("-D__CUDA_NO_HALF_OPERATORS__", "-D__CUDA_NO_HALF_CONVERSIONS__"),
    *("-D__CUDA_NO_BFLOAT16_CONVERSIONS__", "-D__CUDA_NO_HALF2_OPERATORS__"),
    "-diag-suppress=20012,186",  # GLM's annotations and loops that never turn, by the hundred
)
MSVC_FLAGS = (
    *("/nologo", "/MD", "/EHsc", "/bigobj", "/O2", "/std:c++20", "/Zc:__cplusplus"),
    *("/wd4819", "/wd4251", "/wd4244", "/wd4267", "/wd4275", "/wd4018", "/wd4190", "/wd4624"),
    *("/wd4067", "/wd4068"),
)
GCC_FLAGS = ("-std=c++20", "-O3", "-fPIC", "-Wno-attributes")
TORCH_LIBRARIES = ("c10", "c10_cuda", "torch_cpu", "torch_cuda", "torch", "torch_python")


class CompileError(Exception):
    """A compiler refused; the message is what it said."""


@dataclass(frozen=True)
class Python:
    """The Python that the module is for."""

    include: Path
    libraries: Path
    """Where Windows links python3*.lib from."""
    suffix: str
    """Of extension modules: ".cpython-311-x86_64-linux-gnu.so"."""
    tag: str
    """"cp311"."""
    platform: str
    """"linux_x86_64" or "win_amd64"."""


@dataclass(frozen=True)
class Inputs:
    """What is compiled, against what, with what."""

    gsplat: Path
    """Folder that holds the package `gsplat`."""
    torch: Path
    """The package `torch`: its folders `include` and `lib`."""
    toolkit: Path
    """Holds `bin/nvcc`, `include`, and cudart to link with."""
    contents: str
    """Stands for the contents of all three: objects made of others are not taken for these."""
    architectures: tuple[str, ...]
    """"8.0", "12.0+PTX"."""

    @property
    def sources(self) -> list[Path]:
        """Return the 30 sources, those that take longest first, so that no long one ends alone."""
        cuda = self.gsplat / "gsplat/cuda"
        sources = [*cuda.glob("csrc/*.cu"), *cuda.glob("csrc/*.cpp"), cuda / WITH_PYTHON]
        return sorted(sources, key=lambda path: (path.suffix != ".cu", -path.stat().st_size))


def architecture_flags(architectures: Sequence[str]) -> list[str]:
    """Return what tells nvcc the cards: machine code for each, and PTX where "+PTX" asks.

    Example:
        >>> architecture_flags(["8.0", "12.0+PTX"])[1:]  # doctest: +NORMALIZE_WHITESPACE
        ['-gencode=arch=compute_120,code=sm_120', '-gencode=arch=compute_120,code=compute_120']
    """
    flags = []
    for architecture in architectures:
        number = architecture.removesuffix("+PTX").replace(".", "")
        flags.append(f"-gencode=arch=compute_{number},code=sm_{number}")
        if architecture.endswith("+PTX"):
            flags.append(f"-gencode=arch=compute_{number},code=compute_{number}")
    return flags


def compile_objects(
    inputs: Inputs,
    python: Python,
    folder: Path,
    jobs: int,
    report: Callable[[int, int, str, float], None],
) -> list[Path]:
    """Compile what `folder` does not hold yet and return all objects.

    Args:
        inputs: sources, headers, compilers.
        python: whose headers one of the sources includes.
        folder: where objects are kept, by what they were made of.
        jobs: how many compilers run at once; each takes up to 2.5 GB.
        report: hears how many objects of how many there are, the last one's name and its seconds.

    Raises:
        CompileError: a compiler refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sources = inputs.sources
    objects = [folder / f"{_key(inputs, python, source)}.o" for source in sources]
    missing = [pair for pair in zip(sources, objects, strict=True) if not pair[1].is_file()]
    done = len(sources) - len(missing)
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        futures = {
            pool.submit(_compile, _command(inputs, python, source), target): source
            for source, target in missing
        }
        try:
            for future in as_completed(futures):
                seconds = future.result()
                done += 1
                report(done, len(sources), futures[future].name, seconds)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return objects


def link(inputs: Inputs, python: Python, objects: Sequence[Path], target: Path) -> None:
    """Link the objects into the module `target`, which finds PyTorch's libraries already loaded.

    Raises:
        CompileError: the linker refused.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _run(_link_command(inputs, python, objects, target))


def _link_command(
    inputs: Inputs, python: Python, objects: Sequence[Path], target: Path
) -> list[str]:
    lib = inputs.torch / "lib"
    if python.platform.startswith("win"):
        return [
            *(_link_of_visual_studio(), "/nologo", "/DLL", f"/OUT:{target}", *map(str, objects)),
            *(f"{name}.lib" for name in TORCH_LIBRARIES),
            "cudart.lib",
            # Nothing of torch_cuda is called by name; without this the linker drops it.
            "/INCLUDE:?warp_size@cuda@at@@YAHXZ",
            *(f"/LIBPATH:{lib}", f"/LIBPATH:{inputs.toolkit / 'lib/x64'}"),
            f"/LIBPATH:{python.libraries}",
        ]
    return [
        *(os.environ.get("CXX", "g++"), "-shared", "-s", "-o", str(target), *map(str, objects)),
        *(f"-L{lib}", *(f"-l{name}" for name in TORCH_LIBRARIES)),
        str(_cudart(inputs.toolkit)),
    ]


def _link_of_visual_studio() -> str:
    """Return the linker beside cl.exe: shells that come with Git have another link.exe first."""
    compiler = shutil.which("cl.exe")
    return str(Path(compiler).with_name("link.exe")) if compiler else "link.exe"


def _cudart(toolkit: Path) -> Path:
    """Return CUDA's runtime: an installed toolkit names it without its version, a wheel with it."""
    for folder in ("lib64", "lib", "targets/x86_64-linux/lib"):
        for found in sorted((toolkit / folder).glob("libcudart.so*")):
            return found
    raise CompileError(f"{toolkit}: no libcudart.so; give another toolkit with CUDA_HOME.")


def _command(inputs: Inputs, python: Python, source: Path) -> list[str]:
    """Return the command that compiles a source, without the object's name."""
    cuda = inputs.gsplat / "gsplat/cuda"
    includes = [cuda / "include", cuda / "csrc/third_party/glm"]
    system = [
        inputs.torch / "include",
        inputs.torch / "include/torch/csrc/api/include",
        inputs.toolkit / "include",
    ]
    if source.name == WITH_PYTHON:
        system.append(python.include)
    windows = python.platform.startswith("win")
    defines = ["-DTORCH_EXTENSION_NAME=csrc", "-DTORCH_API_INCLUDE_EXTENSION_H"]
    if source.suffix == ".cu":
        host = [*MSVC_FLAGS, "/DWIN32_LEAN_AND_MEAN"] if windows else GCC_FLAGS[2:]
        # nvcc passes on the version of C++ by itself, and knows the headers of its own toolkit.
        host = [flag for flag in host if not flag.startswith("/std")]
        return [
            str(inputs.toolkit / "bin/nvcc"),
            *NVCC_FLAGS,
            *(["--use-local-env"] if windows else []),
            *defines,
            *architecture_flags(inputs.architectures),
            *(f"-Xcompiler={flag}" for flag in host),
            *(f"-I{path}" for path in includes),
            *_system_folders(system[:2], windows),
            *("-c", str(source), "-o"),
        ]
    if windows:
        return [
            *("cl.exe", *MSVC_FLAGS, *defines, "/DWIN32_LEAN_AND_MEAN"),
            *(f"/I{path}" for path in (*includes, *system)),
            *("/c", str(source), "/Fo"),
        ]
    return [
        *(os.environ.get("CXX", "g++"), *GCC_FLAGS, *defines),
        *(f"-I{path}" for path in includes),
        *_system_folders(system, windows),
        *("-c", str(source), "-o"),
    ]


def _system_folders(folders: Sequence[Path], windows: bool) -> list[str]:
    """Return options for headers of others, whose warnings are not for us."""
    if windows:
        return [f"-I{folder}" for folder in folders]
    return [part for folder in folders for part in ("-isystem", str(folder))]


def _key(inputs: Inputs, python: Python, source: Path) -> str:
    """Return the name of a source's object: other contents or flags are another object."""
    command = " ".join(_command(inputs, python, source))
    for path in (inputs.gsplat, inputs.torch, inputs.toolkit):
        command = command.replace(str(path), "")
    parts = [command, inputs.contents, python.tag if source.name == WITH_PYTHON else ""]
    return f"{source.stem}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:16]}"


def _compile(command: list[str], target: Path) -> float:
    """Compile into `target` and return the seconds; half an object is never left under its name."""
    if target.is_file():  # another build of the same folder was faster
        return 0.0
    started = time.monotonic()
    half = target.with_suffix(f".{os.getpid()}.part")
    try:
        # cl.exe takes the name in one piece.
        _run([*command[:-1], f"/Fo{half}"] if command[-1] == "/Fo" else [*command, str(half)])
        half.replace(target)
    finally:
        half.unlink(missing_ok=True)
    return time.monotonic() - started


def _run(command: list[str]) -> None:
    finished = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if finished.returncode:
        raise CompileError(f"{' '.join(command)}\n{finished.stdout}")
