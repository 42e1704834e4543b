# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportInvalidTypeForm=false
"""The preferences of the extension: the worker's Python, and whether it has what it needs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

import bpy
from bpy.props import IntProperty, StringProperty

from ...masks.models.weights import VARIABLE as MODELS_VARIABLE
from ...worker.environment import worker_environment as environment_of_worker
from .interpreter import Interpreter, choose, extension_packages, package_parent

if TYPE_CHECKING:
    from bpy.types import Context, Preferences

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def extension_package(package: str) -> str:
    """Return the name that Blender knows the add-on by.

    Args:
        package: of this file; `bl_ext.REPOSITORY.cgc.cgc_addon.blender` gives
            `bl_ext.REPOSITORY.cgc`, and `cgc_addon.blender` gives `cgc_addon`.
    """
    inner = package.rpartition(".")[0]
    return inner.rpartition(".")[0] or inner


PACKAGE = extension_package(__package__ or "")


class CgcPreferences(bpy.types.AddonPreferences):
    """What is kept with Blender's preferences, not with a file."""

    bl_idname = PACKAGE

    interpreter: StringProperty(
        name="Interpreter",
        description=(
            "Python that trains and draws: its program, or the folder of a virtual environment; "
            "empty: Blender's own"
        ),
        subtype="FILE_PATH",
    )
    threads: IntProperty(
        name="Processor Threads",
        description="How many threads training may use; 0: all",
        min=0,
        max=1024,
    )
    mask_model: StringProperty(
        name="Mask Model",
        description=(
            "File of the model that makes masks of photos: a checkpoint of Segment Anything, or an "
            "ONNX encoder beside its decoder; empty: MobileSAM"
        ),
        subtype="FILE_PATH",
    )
    runs: StringProperty(
        name="Run Folders",
        description="Folder that new run folders are made in; empty: beside each dataset",
        subtype="DIR_PATH",
    )

    def draw(self, context: Context) -> None:
        """Draw what can be set, and how it is with the worker."""
        from ..panels.worker_box import draw_worker_box  # which needs the preferences itself

        layout = self.layout
        column = layout.column()
        column.use_property_split = True
        for name in ("interpreter", "threads", "runs", "mask_model"):
            column.prop(self, name)
        draw_worker_box(layout, context, self.interpreter)


def stored() -> CgcPreferences | None:
    """Return the preferences; None where the add-on was not enabled through Blender's."""
    preferences = cast("Preferences | None", bpy.context.preferences)
    addon = preferences.addons.get(PACKAGE) if preferences else None
    return cast("CgcPreferences", addon.preferences) if addon and addon.preferences else None


def chosen_interpreter() -> Interpreter:
    """Return the Python of the worker.

    Raises:
        CgcError: what is named in the preferences or the environment is none.
    """
    preferences = stored()
    return choose(preferences.interpreter if preferences else "")


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


def register() -> None:
    """Register the preferences."""
    bpy.utils.register_class(CgcPreferences)


def unregister() -> None:
    """Take them away; what the user set stays with Blender."""
    bpy.utils.unregister_class(CgcPreferences)
