# SPDX-License-Identifier: GPL-3.0-or-later
"""What a later version of the extension wrote: said to the user, and left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import CgcError
from ..common.access import of_collection, of_scene
from ..common.format_version import FORMAT_VERSION, is_newer
from .parts import captures

if TYPE_CHECKING:
    from bpy.types import Collection, Scene


def check_version(capture: Collection) -> None:
    """Check that this version knows the form of a capture.

    Raises:
        CgcError: it does not, and must not change the capture.
    """
    settings = of_collection(capture)
    if is_newer(settings):
        raise CgcError(_sentence(f"The capture {capture.name}", settings.version))


def later_version_sentence(scene: Scene) -> str:
    """Return what to tell the user of a scene that holds what this version does not know, or ""."""
    for capture in captures(scene):
        if is_newer(of_collection(capture)):
            return _sentence(f"The capture {capture.name}", of_collection(capture).version)
    settings = of_scene(scene)
    return _sentence(f"The scene {scene.name}", settings.version) if is_newer(settings) else ""


def _sentence(what: str, version: int) -> str:
    return (
        f"{what} was saved by a later version of this extension (format {version}; this one knows "
        f"{FORMAT_VERSION}) and is left as it is; update the extension to work on it."
    )
