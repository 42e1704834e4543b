# SPDX-License-Identifier: GPL-3.0-or-later
"""Check wheels of gsplat as far as that goes without a card.

    python3 wheels/gsplat/check.py --python ENVIRONMENT/bin/python WHEEL [WHEEL …]

The Python must be of the wheel's version and have PyTorch with CUDA and what gsplat needs, but no
gsplat. In it, with neither nvcc nor a compiler on the PATH, the wheel must load, have each
operation that the backend of this project calls, and carry a call as far as the driver, which is
missing where there is no card. What it is linked with and how large it is are told.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BACKEND = ROOT / "cgc_addon/rasterize/cuda"
LAZY = ("_make_lazy_cuda_func", "_make_lazy_cuda_obj")
"""How gsplat's Python side names what is compiled."""

LOAD = """
import json, sys
import torch
from gsplat.cuda import _backend
kernels = _backend._C
print(json.dumps({
    "torch": torch.__version__,
    "file": getattr(kernels, "__file__", None),
    "operations": [name for name in dir(kernels) if not name.startswith("__")],
}))
"""
CALL = """
import ctypes
import numpy as np
import torch
from gsplat import csrc

torch.cuda._lazy_init = lambda: None  # asks for the driver before the kernels could

def on_card(shape):
    # The tensor says that it lies on a card, which is as far as that goes without one.
    capsule = np.ones(shape, np.float32).__dlpack__()
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    ctypes.c_int32.from_address(pointer(capsule, b"dltensor") + 8).value = 2
    return torch.utils.dlpack.from_dlpack(capsule)

csrc.spherical_harmonics_fwd(0, on_card((4, 3)), on_card((4, 1, 3)), None)
"""


class CheckError(Exception):
    """What is wrong with a wheel."""


def main(arguments: list[str] | None = None) -> int:
    """Check the wheels that the command line names and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wheels", nargs="+", type=Path)
    parser.add_argument("--python", type=Path, required=True, help="has PyTorch with CUDA")
    options = parser.parse_args(arguments)
    failed = 0
    for wheel in options.wheels:
        print(wheel.name)
        try:
            for line in check(wheel, options.python):
                print(f"  {line}")
        except CheckError as error:
            failed += 1
            print(f"  WRONG: {error}")
    return 1 if failed else 0


def check(wheel: Path, interpreter: Path) -> list[str]:
    """Return what was seen of a wheel, a line each.

    Raises:
        CheckError: something is not as it should be.
    """
    lines = [f"{wheel.stat().st_size:,} bytes, sha256 {_digest(wheel)}"]
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder).resolve() / "site"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
        module = next(path for path in site.glob("gsplat/csrc.*") if path.suffix != ".cpp")
        lines.append(f"{module.name}: {module.stat().st_size:,} bytes")
        if module.suffix == ".so":
            lines += _linked_with(module, interpreter)
            lines.append(f"needs {', '.join(needed_versions(module.read_bytes()))}")
        lines += _loads(site, Path(folder), interpreter)
        lines.append(_reaches_the_driver(site, Path(folder), interpreter))
    return lines


def operations_called(backend: Path, wrapper: str) -> set[str]:
    """Return gsplat's compiled operations that the backend's calls come down to.

    Args:
        backend: folder of sources that call `gsplat.NAME`.
        wrapper: source of gsplat's `cuda/_wrapper.py`.
    """
    wanted = set()
    for file in backend.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                wanted |= {node.attr} if node.value.id == "gsplat" else set()
    definitions = {
        node.name: node
        for node in ast.parse(wrapper).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    operations: set[str] = set()
    seen: set[str] = set()
    while wanted := wanted - seen:
        name = wanted.pop()
        seen.add(name)
        for node in ast.walk(definitions[name]) if name in definitions else ():
            if isinstance(node, ast.Name):
                wanted.add(node.id)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in LAZY:
                # "CameraModelType.PINHOLE": the type is compiled in, its members come with it.
                operations |= {text.partition(".")[0] for text in _strings_in(node.args[0])}
    return operations


def needed_versions(module: bytes) -> list[str]:
    """Return the newest versions of the system's libraries that a module asks for.

    Example:
        >>> needed_versions(b"GLIBC_2.4 GLIBC_2.14 GLIBCXX_3.4.9")
        ['GLIBC_2.14', 'GLIBCXX_3.4.9']
    """
    newest: dict[str, tuple[int, ...]] = {}
    for name, version in re.findall(rb"(GLIBC|GLIBCXX|CXXABI)_(\d+(?:\.\d+)+)", module):
        numbers = tuple(map(int, version.split(b".")))
        newest[name.decode()] = max(newest.get(name.decode(), (0,)), numbers)
    return [f"{name}_{'.'.join(map(str, numbers))}" for name, numbers in newest.items()]


def _strings_in(node: ast.expr) -> set[str]:
    return {
        part.value
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }


def _linked_with(module: Path, interpreter: Path) -> list[str]:
    """Return the libraries that the module is linked with; PyTorch has loaded its own before."""
    where = _run(interpreter, "import torch; print(torch.__path__[0])", {}).strip()
    folders = [Path(where) / "lib", *(Path(where).parent / "nvidia").glob("*/lib")]
    environment = {"LD_LIBRARY_PATH": ":".join(map(str, folders)), "PATH": "/usr/bin:/bin"}
    direct = re.findall(
        r"\(NEEDED\).*\[(.*)\]",
        subprocess.run(
            ["readelf", "-d", module], capture_output=True, text=True, check=True
        ).stdout,
    )
    answer = subprocess.run(
        ["ldd", module], capture_output=True, text=True, check=True, env=environment
    ).stdout
    # libcuda.so.1 comes with the driver, and PyTorch asks for it, too.
    if missing := set(re.findall(r"(\S+) => not found", answer)) - {"libcuda.so.1"}:
        raise CheckError(f"linked with {', '.join(sorted(missing))}, which nobody brings")
    own = {path.name for folder in folders for path in folder.glob("*.so*")}
    system = [name for name in direct if name not in own]
    return [
        f"linked with {', '.join(name for name in direct if name in own)} of PyTorch",
        f"and {', '.join(system)} of the system",
    ]


def _loads(site: Path, folder: Path, interpreter: Path) -> list[str]:
    found = json.loads(_run(interpreter, LOAD, _bare(site, folder)).splitlines()[-1])
    if not found["file"] or not Path(found["file"]).resolve().is_relative_to(site):
        raise CheckError(f"gsplat took its kernels from {found['file']}, not from the wheel")
    if any((folder / "compiled").rglob("*")):
        raise CheckError("gsplat tried to compile")
    called = operations_called(BACKEND, (site / "gsplat/cuda/_wrapper.py").read_text("utf-8"))
    if not called:
        raise CheckError(f"{BACKEND} calls no operation, so nothing is checked")
    if missing := called - set(found["operations"]):
        raise CheckError(f"lacks the operations {', '.join(sorted(missing))}")
    return [
        f"loads with PyTorch {found['torch']} without nvcc and compiler",
        f"has all {len(called)} operations called: {', '.join(sorted(called))}",
    ]


def _reaches_the_driver(site: Path, folder: Path, interpreter: Path) -> str:
    try:
        _run(interpreter, CALL, _bare(site, folder))
    except CheckError as error:
        if "driver" in str(error):
            return f"a call reaches the driver: {error}"
        raise
    return "a call runs on the card here"


def _bare(site: Path, folder: Path) -> dict[str, str]:
    """Return an environment with nothing to compile with."""
    empty = folder / "empty"
    empty.mkdir(exist_ok=True)
    kept = ("SYSTEMROOT", "WINDIR", "TEMP", "TMP")  # without them Windows starts nothing
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "PATH": str(empty),
        "PYTHONPATH": str(site),
        "HOME": str(empty),
        "USERPROFILE": str(empty),
        "TORCH_EXTENSIONS_DIR": str(folder / "compiled"),
    }


def _run(interpreter: Path, program: str, environment: dict[str, str]) -> str:
    finished = subprocess.run(
        [interpreter, "-c", program],
        capture_output=True,
        text=True,
        env=environment or None,
        check=False,
    )
    if finished.returncode:
        lines = finished.stderr.splitlines()
        errors = [line for line in lines if re.match(r"[\w.]+Error: ", line)]
        raise CheckError(errors[-1] if errors else finished.stderr.strip()[-500:])
    return finished.stdout


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
