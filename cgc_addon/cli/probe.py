# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `probe`: what this installation has and what it lacks."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform

from .. import __version__
from ..errors import CgcError
from ..progress import ShouldStop
from .sink import Sink

NEEDED = (
    "numpy", "torch", "numba", "scikit-learn", "scipy", "pycolmap", "safetensors",
    "pillow", "rich", "gsplat",
)  # fmt: skip


def versions() -> dict[str, str | None]:
    """Return the version of each package that training needs, None where it is not installed."""
    found: dict[str, str | None] = {}
    for name in NEEDED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def run(_options: argparse.Namespace, sink: Sink, _should_stop: ShouldStop) -> None:
    """Print versions, devices, backends and what is missing."""
    packages = versions()
    missing = [name for name, version in packages.items() if version is None]
    value: dict[str, object] = {
        "cgc": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "packages": packages,
        "missing": missing,
        "backend": None,
        "problem": None,
    }
    lines = [
        f"cgc {__version__}, Python {value['python']}, {value['system']}, {value['cores']} cores",
        *(f"  {name:<14} {version or 'MISSING'}" for name, version in packages.items()),
    ]
    if missing:
        lines.append(f"Missing: {', '.join(missing)}; install them to train.")
    else:
        try:
            from ..rasterize.select import select_backend

            backend, why = select_backend("auto", sink.report, compile_kernels=False)
        except (ImportError, OSError, RuntimeError, CgcError) as error:
            # An installation that is there and does not work: libraries missing, drivers too old.
            value["problem"] = f"The engine's packages do not load: {error}"
            lines.append(f"{value['problem']}")
        else:
            value["backend"] = {"name": backend.name, "device": str(backend.device), "why": why}
            lines.append(f"Rasterizer: {backend.name}. {why}")
    sink.result(value, "\n".join(lines))
