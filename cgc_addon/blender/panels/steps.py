# SPDX-License-Identifier: GPL-3.0-or-later
"""Which panel is open: that of what comes next, or of what runs or has failed. The others fold.

Blender lets nobody open a panel but the user. So each panel is there twice, once open and once
folded, and its turn decides which of the two is drawn. What the user opens or folds stays so.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING

import bpy

from ..capture.parts import active_capture, captures, objects_of_kind
from ..common.access import of_collection, of_scene
from ..common.context import members_of
from ..jobs import registry as jobs
from ..segments.data import PARTS
from ..training.dataset_facts import facts_of

if TYPE_CHECKING:
    from bpy.types import Collection, Context, Panel, Scene

FOLDED = "_folded"


class Step(Enum):
    """What a panel is for, in the order in which one comes by."""

    DATASET = "photos and cameras"
    MASKS = "masks of the photos"
    TRAINING = "training"
    SEGMENTS = "what was found"
    OUTPUT = "what leaves Blender"


_WHOLE_WINDOW = {"train": Step.TRAINING, "from-photos": Step.DATASET}
"""Verbs during which nothing else comes next."""


def next_step(context: Context) -> Step:
    """Return what comes next for the scene that is shown."""
    scene, state = members_of(context).scene, jobs.current()
    if scene is None:
        return Step.DATASET
    if state is not None and not state.ended and state.verb in _WHOLE_WINDOW:
        return _WHOLE_WINDOW[state.verb]
    dataset = of_scene(scene).dataset
    capture = capture_at(scene, dataset) if dataset else active_capture(context)
    if capture is not None and has_splats(capture):
        return Step.SEGMENTS
    facts = facts_of(scene) if dataset else None
    if facts is None or facts.problem or facts.unplaced or facts.distorted:
        return Step.DATASET
    if capture is None or not objects_of_kind(capture, "CAMERA"):
        return Step.DATASET
    return Step.TRAINING if facts.labelled else Step.MASKS


def capture_at(scene: Scene, dataset: str) -> Collection | None:
    """Return the capture that was imported from a dataset, told by paths alone."""
    wanted = normal(dataset)
    return next((c for c in captures(scene) if normal(of_collection(c).dataset) == wanted), None)


def has_splats(capture: Collection) -> bool:
    """Return whether a capture has Gaussians; quicker than to list them."""
    return any(of_collection(child).kind in PARTS for child in capture.children_recursive)


def normal(path: str) -> str:
    """Return a path of the panel so that equal ones are equal texts."""
    return os.path.normpath(bpy.path.abspath(path)) if path else ""


def has_turn(panel: type[Panel], context: Context) -> bool:
    """Return whether a panel is to be open."""
    state, problem = jobs.current(), jobs.problem()
    if state is not None and not state.ended and state.verb in getattr(panel, "verbs", ()):
        return True
    if problem is not None and problem.operator in getattr(panel, "operators", ()):
        return True
    return getattr(panel, "step", None) == next_step(context)


def folding(panels: Iterable[type[Panel]]) -> tuple[type[Panel], ...]:
    """Return what to register for panels: each of those that have a step open and folded.

    Args:
        panels: a panel may have a `step`, with `verbs` of jobs and identifiers of `operators` that
            open it too; panels below it follow their parent.
    """
    made: list[type[Panel]] = []
    twice: set[str] = set()
    for panel in panels:
        if hasattr(panel, "step"):
            twice.add(panel.__name__)
            made += [_turning(panel, folded=False), _turning(panel, folded=True)]
        elif getattr(panel, "bl_parent_id", "") in twice:
            made += [_below(panel, folded=False), _below(panel, folded=True)]
        else:
            made.append(panel)
    return tuple(made)


def _turning(panel: type[Panel], *, folded: bool) -> type[Panel]:
    own = getattr(panel, "poll", None)

    def poll(cls: type[Panel], context: Context) -> bool:
        return has_turn(panel, context) != folded and (own is None or own(context))

    options = {"DEFAULT_CLOSED"} if folded else set()
    return _another(panel, folded, bl_options=options, poll=classmethod(poll))


def _below(panel: type[Panel], *, folded: bool) -> type[Panel]:
    return _another(panel, folded, bl_parent_id=f"{panel.bl_parent_id}{FOLDED * folded}")


def _another(panel: type[Panel], folded: bool, **settings: object) -> type[Panel]:
    """Return a panel like another one, which must not be registered itself."""
    name = panel.__name__ + FOLDED * folded
    return type(name, (panel,), {"__doc__": panel.__doc__, "bl_idname": name, **settings})
