# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `probe`: what this installation has and what it lacks."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
from collections.abc import Iterable

from ..errors import CgcError
from ..installation.needed import NEEDED, OPTIONAL
from ..masks.models.known import DEFAULT_MODEL
from ..progress import ShouldStop
from ..version import __version__
from . import models
from .console.sink import Sink


def versions(names: Iterable[str] = NEEDED) -> dict[str, str | None]:
    """Return the version of each package, None where it is not installed."""
    found: dict[str, str | None] = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def run(_options: argparse.Namespace, sink: Sink, _should_stop: ShouldStop) -> None:
    """Print versions, devices, backends and what is missing."""
    packages, optional = versions(), versions(OPTIONAL)
    missing = [name for name, version in packages.items() if version is None]
    value: dict[str, object] = {
        "cgc": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "packages": packages,
        "missing": missing,
        "optional_packages": optional,
        "mask_models": models.listed(),
        "backend": None,
        "problem": None,
    }
    lines = [
        f"cgc {__version__}, Python {value['python']}, {value['system']}, {value['cores']} cores",
        *(f"  {name:<16} {version or 'MISSING'}" for name, version in packages.items()),
        *(
            f"  {name:<16} {version or 'not installed; only the large mask models need it'}"
            for name, version in optional.items()
        ),
    ]
    if missing:
        lines.append(f"Missing: {', '.join(missing)}; install them.")
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
    here = [entry["title"] for entry in models.listed() if entry["found"]]
    none = f"none; `models --download {DEFAULT_MODEL}` gets one"
    lines.append(f"Mask models: {', '.join(here) or none}.")
    sink.result(value, "\n".join(lines))
