# SPDX-License-Identifier: GPL-3.0-or-later
"""Open Sample: the capture that comes with the extension, where the user may write beside it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import bpy

from ...errors import CgcError
from ...leftovers import remove_leftovers
from ..common.interpreter import package_parent
from ..common.preferences import PACKAGE

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context

SAMPLE = package_parent() / "cgc_addon" / "sample"


class CGC_OT_open_sample(bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.open_sample`."""

    bl_idname = "cgc.open_sample"
    bl_label = "Open Sample"
    bl_description = "Import the capture that comes with this extension: things on a desk"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender's convention

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        """Copy it, once, and import it."""
        try:
            folder = sample_copy()
        except CgcError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return cast("Any", bpy.ops).cgc.import_colmap(filepath=str(folder))


def sample_copy() -> Path:
    """Return the user's copy of the sample, which is made if it is missing.

    Runs are written beside a dataset, and what lies in the extension goes with its next update.

    Raises:
        CgcError: it cannot be written.
    """
    try:
        home = Path(bpy.utils.extension_path_user(PACKAGE, path="samples", create=True))
    except ValueError:  # no extension: a checkout that was registered by hand
        return SAMPLE
    folder = home / "desk"
    if folder.is_dir():
        return folder
    remove_leftovers(home)
    temporary = home / f".desk.{os.getpid()}.tmp"
    try:
        shutil.copytree(SAMPLE, temporary)
        temporary.rename(folder)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise CgcError(
            f"The sample could not be copied to {folder}: {error.strerror or error}; check free "
            "space and permissions."
        ) from error
    return folder


def register() -> None:
    """Register the operator."""
    bpy.utils.register_class(CGC_OT_open_sample)


def unregister() -> None:
    """Take it away again."""
    bpy.utils.unregister_class(CGC_OT_open_sample)
