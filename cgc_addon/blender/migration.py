# SPDX-License-Identifier: GPL-3.0-or-later
"""What earlier versions of the extension left in a .blend is brought up to date when it is found.

That is when a file was opened, when something was appended or linked, and when the extension is
enabled while a file is open. What a later version wrote is not touched. Of data-blocks that are
linked from a library only the copy in this Blender is changed, as with everything linked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy
from bpy.app.handlers import persistent

from ..errors import CgcError
from .capture.later_versions import later_version_sentence
from .common.access import has_settings, is_untouched, of_collection, of_scene
from .common.choices import COLLECTION_KINDS
from .common.format_version import FORMAT_VERSION
from .segments.merge_tree import has_tree, store_tree, stored_tree

if TYPE_CHECKING:
    from bpy.types import Collection, Scene


@dataclass(frozen=True)
class Step:
    """How one form becomes the next.

    A step leaves alone what has the next form already: Blender asks nobody before it saves by
    itself, so that settings may be there that are new but do not say so.
    """

    collection: Callable[[Collection], object] = lambda _collection: None
    """Takes each collection that is a capture or a part of one."""
    scene: Callable[[Scene], object] = lambda _scene: None


def _give_tree_a_version(collection: Collection) -> None:
    if has_tree(collection):
        with suppress(CgcError):  # a damaged one; whoever needs it is told
            store_tree(collection, stored_tree(collection))


STEPS = (Step(collection=_give_tree_a_version),)
"""From the form of their place to the next one; as many as `FORMAT_VERSION` says."""


KINDS = tuple(kind for kind, *_ in COLLECTION_KINDS if kind != "NONE")
"""Of collections that are ours."""


@dataclass
class _State:
    seen: bool = False
    """Whether the open file was looked at since the extension was enabled."""


_state = _State()


def migrate() -> None:
    """Bring everything in the open file up to date that is older."""
    for collection in _collections(*KINDS):
        settings = of_collection(collection)
        for step in STEPS[settings.version :]:
            step.collection(collection)
        settings.version = max(settings.version, FORMAT_VERSION)
    for scene in _scenes():
        for step in STEPS[of_scene(scene).version :]:
            step.scene(scene)
    stamp_scenes()


def stamp_scenes() -> None:
    """Let scenes say which form their settings have.

    Collections of ours say so from the start, but scenes are made, and set, without our doing.
    """
    for scene in _scenes():
        settings = of_scene(scene)
        settings.version = max(settings.version, FORMAT_VERSION)


def register() -> None:
    """Look at what is open, and at all that comes."""
    _state.seen = False
    bpy.app.handlers.load_post.append(_look)
    bpy.app.handlers.blend_import_post.append(_look)
    bpy.app.handlers.save_pre.append(_before_save)
    if hasattr(bpy.data, "scenes"):
        _look()
    elif not bpy.app.background:  # Blender shows no data to an extension that is being enabled
        bpy.app.timers.register(_look, first_interval=0.0)


def unregister() -> None:
    """Look no more."""
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    bpy.app.handlers.save_pre.remove(_before_save)
    bpy.app.handlers.blend_import_post.remove(_look)
    bpy.app.handlers.load_post.remove(_look)


@persistent
def _look(*_arguments: object) -> None:
    _state.seen = True
    migrate()
    if sentence := later_version_sentence(_collections("CAPTURE"), _scenes()):
        # The panel says so, too.
        print(f"cgc: {sentence}", file=sys.stderr)  # noqa: T201


@persistent
def _before_save(*_arguments: object) -> None:
    if not _state.seen:
        _look()
    stamp_scenes()


def _collections(*kinds: str) -> Iterator[Collection]:
    """Yield the collections of some kinds; to ask those of nobody's would leave a trace."""
    for collection in bpy.data.collections:
        if has_settings(collection) and of_collection(collection).kind in kinds:
            yield collection


def _scenes() -> Iterator[Scene]:
    """Yield the scenes in which something was set, likewise."""
    return (scene for scene in bpy.data.scenes if has_settings(scene) and not is_untouched(scene))
