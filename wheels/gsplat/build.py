# SPDX-License-Identifier: GPL-3.0-or-later
"""Build gsplat for people without nvcc: wheels whose kernels are compiled already.

    python3 wheels/gsplat/build.py --python 3.11/bin/python --python 3.13/bin/python --out FOLDER

Makes a wheel of gsplat for each Python that is named, for PyTorch with CUDA, both in the versions
of `wheels/requirements.lock`. The Pythons need pip and their headers; beside them this takes a C++
compiler, nothing else: PyTorch's headers, gsplat's sources and nvcc come with pip, into the folder
`--work`. What is there already is used, so an interrupted build goes on where it stopped. Objects
that know nothing of Python, all but one, are compiled once for all of them.

Each wheel fits one version of PyTorch, Python and system, and every card of NVIDIA from Turing on.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[0] = str(ROOT)  # this folder, called gsplat, must not be taken for the package

from wheels.gsplat import compiling, fetching, packing  # noqa: E402 - see above

ARCHITECTURES = "7.5;8.0;9.0;10.0;12.0+PTX"
"""Machine code runs on later cards of the same first number: 8.0 is that of 8.6 (RTX 30) and 8.9
(RTX 40), too. The PTX is for cards that are not out yet."""


def main(arguments: list[str] | None = None) -> int:
    """Build what the command line asks for and return the exit code."""
    options = _options(arguments)
    try:
        for wheel in build(options):
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            fetching.say(f"{wheel}\n  {wheel.stat().st_size:,} bytes, sha256 {digest}")
    except (fetching.FetchError, compiling.CompileError) as error:
        fetching.say(f"build.py: {error}")
        return 1
    except KeyboardInterrupt:
        fetching.say("build.py: interrupted; what is compiled is kept, the same call goes on.")
        return 130
    return 0


def build(options: argparse.Namespace) -> list[Path]:
    """Compile and pack, and return the wheels.

    Raises:
        FetchError: something cannot be had.
        CompileError: a compiler refused.
    """
    lock, work = options.lock, options.work
    first = options.python[0]
    version = fetching.locked_version(lock, "gsplat")
    original = fetching.fetch_gsplat(first, version, work)
    sources = fetching.unpack_gsplat(original, work / f"gsplat-{version}")
    gsplat = fetching.GSPLAT_SHA256[version]
    wheels = []
    for interpreter in options.python:
        python = fetching.ask_python(interpreter)
        torch = fetching.fetch_torch(
            interpreter, python, fetching.locked_version(lock, "torch"), work
        )
        toolkit = fetching.find_toolkit(interpreter, torch, work)
        inputs = compiling.Inputs(
            gsplat=sources,
            torch=torch.folder,
            toolkit=toolkit,
            contents=f"gsplat {gsplat} torch {torch.headers} cuda {torch.cuda}",
            architectures=tuple(options.architectures.split(";")),
        )
        fetching.say(f"gsplat {version} for {python.tag}, PyTorch {torch.version}, {toolkit}:")
        started = time.monotonic()
        objects = compiling.compile_objects(inputs, python, work / "objects", options.jobs, _say)
        with tempfile.TemporaryDirectory(dir=work) as folder:
            module = Path(folder) / f"csrc{python.suffix}"
            compiling.link(inputs, python, objects, module)
            fitting = packing.Fitting(torch.version, torch.cuda, python.tag, python.platform)
            wheels.append(packing.pack(original, module, fitting, options.out))
        fetching.say(f"Compiled, linked and packed in {time.monotonic() - started:.0f} s.")
    return wheels


def _say(done: int, total: int, name: str, seconds: float) -> None:
    fetching.say(f"  {done:2d}/{total} {name} ({seconds:.0f} s)")


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--python",
        action="append",
        type=Path,
        help="interpreter to build for; several times for several; default: this one",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the wheels")
    parser.add_argument("--work", type=Path, default=ROOT / "dist/gsplat", help="what is kept")
    parser.add_argument("--jobs", type=int, default=2, help="compilers at once, 2.5 GB each")
    parser.add_argument(
        "--architectures",
        default=ARCHITECTURES,
        help=f"of cards, as TORCH_CUDA_ARCH_LIST has them; default: {ARCHITECTURES}",
    )
    parser.add_argument("--lock", type=Path, default=ROOT / "wheels/requirements.lock")
    options = parser.parse_args(arguments)
    options.python = options.python or [Path(sys.executable)]
    options.work, options.out = options.work.resolve(), options.out.resolve()
    return options


if __name__ == "__main__":
    sys.exit(main())
