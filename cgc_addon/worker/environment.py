# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of the worker: what Blender set for itself must not reach another Python."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import CgcError
from ..waiting_threads import WAITING

DROPPED = (
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONEXECUTABLE",
    "PYTHONINSPECT",
    "PYTHONPLATLIBDIR",
    "__PYVENV_LAUNCHER__",
)
"""Variables that make a Python take another one's files, or wait for a user."""
LIBRARY_PATHS = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Where Blender's launchers put its own libraries; other programs must not load these."""


def worker_environment(
    base: Mapping[str, str], package_parent: Path, site_packages: Sequence[Path] = ()
) -> dict[str, str]:
    """Return the environment to start the worker with.

    Args:
        base: what it would inherit.
        package_parent: the folder that holds this package.
        site_packages: further folders to import from, after it.

    Raises:
        CgcError: a folder cannot be named in PYTHONPATH.
    """
    folders = [str(folder) for folder in (package_parent, *site_packages)]
    for folder in folders:
        if os.pathsep in folder:
            raise CgcError(
                f"Python cannot import from {folder}: its path has a {os.pathsep!r} in it; "
                "move the add-on or the packages to another folder."
            )
    environment = {name: value for name, value in base.items() if name not in DROPPED}
    for name in LIBRARY_PATHS:
        if name in environment:
            kept = [path for path in environment[name].split(os.pathsep) if not _of_blender(path)]
            environment[name] = os.pathsep.join(kept)
            if not kept:
                del environment[name]
    environment["PYTHONPATH"] = os.pathsep.join(folders)
    environment["PYTHONSAFEPATH"] = "1"  # Blender's current folder may hold anything
    environment["PYTHONUTF8"] = "1"
    environment.update(WAITING)
    return environment


def _of_blender(path: str) -> bool:
    """Whether a library path lies in an installation of Blender."""
    return any(part.lower().startswith(("blender", ".mount_blender")) for part in Path(path).parts)
