# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user set in the preferences of the extension, and what follows for the worker."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol, cast

import bpy

from ...installation.places import engines_folder as engines_of_user
from ...masks.models.weights import VARIABLE as MODELS_VARIABLE
from ...worker.environment import worker_environment as environment_of_worker
from .context import members_of
from .interpreter import Interpreter, choose, extension_packages, package_parent

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def extension_package(package: str) -> str:
    """Return the name that Blender knows the add-on by.

    Args:
        package: of any module here: one of `bl_ext.REPOSITORY.cgc.cgc_addon.blender` gives
            `bl_ext.REPOSITORY.cgc`, and one of a checkout gives `cgc_addon`.
    """
    parts = package.split(".")
    return ".".join(parts[:3]) if parts[0] == "bl_ext" else parts[0]


PACKAGE = extension_package(__name__)


class PreferenceSettings(Protocol):
    """What the user set: `CgcPreferences` of `panels.preferences_page`."""

    interpreter: str
    """Program, or folder of an environment; empty: Blender's own."""
    threads: int
    """0: all."""
    mask_model: str
    """File; empty: MobileSAM."""
    runs: str
    """Folder; empty: beside each dataset."""
    engines: str
    """Folder that Install Engine makes engines in; empty: one of the user's data folders."""


def stored() -> PreferenceSettings | None:
    """Return the preferences; None where the add-on was not enabled through Blender's."""
    preferences = members_of(bpy.context).preferences
    addon = preferences.addons.get(PACKAGE) if preferences else None
    return cast("PreferenceSettings", addon.preferences) if addon and addon.preferences else None


def chosen_interpreter() -> Interpreter:
    """Return the Python of the worker.

    Raises:
        CgcError: what is named in the preferences or the environment is none.
    """
    preferences = stored()
    return choose(preferences.interpreter if preferences else "", engines_folder())


def interpreter() -> Path:
    """Return the program of `chosen_interpreter`."""
    return chosen_interpreter().path


def worker_environment() -> dict[str, str]:
    """Return the whole environment to start the worker with.

    Raises:
        CgcError: as `chosen_interpreter`.
    """
    preferences = stored()
    base = dict(os.environ)
    if preferences and preferences.threads:
        base.update(dict.fromkeys(THREAD_VARIABLES, str(preferences.threads)))
    if MODELS_VARIABLE not in base and (folder := models_folder()) is not None:
        base[MODELS_VARIABLE] = str(folder)
    packages = extension_packages() if chosen_interpreter().own else ()
    return environment_of_worker(base, package_parent(), packages)


def engines_folder() -> Path:
    """Return the folder that engines are installed in; it need not exist."""
    preferences = stored()
    named = preferences.engines.strip() if preferences else ""
    return engines_of_user(bpy.path.abspath(named) if named else "")


def runs_folder() -> Path | None:
    """Return the folder for new run folders, None where none was chosen."""
    preferences = stored()
    if preferences is None or not preferences.runs.strip():
        return None
    return Path(bpy.path.abspath(preferences.runs.strip()))


def models_folder() -> Path | None:
    """Return where mask models are kept that Blender downloads; None where that is not Blender's.

    The folder need not exist. Outside of an extension it is the user's own, as on the command line.
    """
    try:
        return Path(bpy.utils.extension_path_user(PACKAGE, path="models"))
    except ValueError:  # no extension: a checkout that was registered by hand
        return None
