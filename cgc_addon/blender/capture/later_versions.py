# SPDX-License-Identifier: GPL-3.0-or-later
"""What a later version of the extension wrote: said to the user, and left as it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...errors import CgcError
from ..common.access import of_collection, of_scene
from ..common.format_version import FORMAT_VERSION, is_newer

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


def later_version_sentence(captures: Iterable[Collection], scenes: Iterable[Scene]) -> str:
    """Return what to tell the user of the first thing that this version does not know, else ""."""
    for capture in captures:
        if is_newer(of_collection(capture)):
            return _sentence(f"The capture {capture.name}", of_collection(capture).version)
    for scene in scenes:
        if is_newer(of_scene(scene)):
            return _sentence(f"The scene {scene.name}", of_scene(scene).version)
    return ""


def _sentence(what: str, version: int) -> str:
    return (
        f"{what} was saved by a later version of this extension (format {version}; this one knows "
        f"{FORMAT_VERSION}) and is left as it is; update the extension to work on it."
    )
