# SPDX-License-Identifier: GPL-3.0-or-later
"""What panels show of the engine, as it was seen on disk a moment ago; and what a check found."""

from __future__ import annotations

import importlib.util
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import bpy

from ...errors import CgcError
from ...installation.engine import Engine, find_engine
from ...installation.lock import this_python
from ...installation.places import homes_in
from ...installation.removal import finish_removals
from ..common import preferences
from ..common.mask_models import present_models
from ..common.windows import redraw_panels

FRESH_SECONDS = 3.0
FIRST_SECONDS = 5.0
"""After Blender's start: what could not be deleted before is then deleted."""


@dataclass(frozen=True)
class EngineFacts:
    """How it is with the engine."""

    engine: Engine | None
    """The one that is installed."""
    problem: str
    """Why the Python that is chosen cannot be used; empty where it can, as far as shows."""
    missing: bool
    """Whether there is nothing that could train: no engine, none named, none in Blender's Python.
    """
    update: bool
    """Whether this extension wants other packages than the engine has."""
    unfinished: bool
    """Whether there is no engine, and yet something of one: what was downloaded before a stop."""
    models: frozenset[str]
    """Mask models whose weights are on this machine, by name."""


@dataclass
class _Seen:
    facts: EngineFacts | None = None
    expires: float = 0.0
    checked: Mapping[str, Any] | None = None


# Like the job, what is on disk is no part of the .blend; it is found anew in each Blender.
_seen = _Seen()


def facts_now() -> EngineFacts | None:
    """Return what was last seen; None before the first look.

    Touches no disk. Panels that call this while they are drawn are drawn again when it changes.
    """
    if time.monotonic() >= _seen.expires and not bpy.app.background:
        _seen.expires = float("inf")  # a look is on its way
        if not bpy.app.timers.is_registered(_look_again):
            bpy.app.timers.register(_look_again, first_interval=0.0)
    return _seen.facts


def look() -> EngineFacts:
    """Look now, and keep what is found."""
    engines = preferences.engines_folder()
    engine = find_engine(engines, this_python())
    unfinished = engine is None and bool(homes_in(engines))
    problem, missing, update = "", False, False
    try:
        chosen = preferences.chosen_interpreter()
        # Wheels that came with the extension make Blender's own Python an engine.
        missing = chosen.own and importlib.util.find_spec("torch") is None
    except CgcError as error:
        problem = str(error)
    try:
        update = engine is not None and engine.newer_lock() is not None
    except CgcError as error:
        problem = problem or str(error)
    _seen.facts = EngineFacts(engine, problem, missing, update, unfinished, present_models())
    _seen.expires = time.monotonic() + FRESH_SECONDS
    return _seen.facts


def checked() -> Mapping[str, Any] | None:
    """Return what the verb `check-engine` told the last time."""
    return _seen.checked


def keep_check(found: Mapping[str, Any] | None) -> None:
    """Keep what a check found for the panels; None once it is no longer so."""
    _seen.checked = found


def register() -> None:
    """Delete what a removal had to leave, a while after the start."""
    if not bpy.app.background:
        bpy.app.timers.register(_finish_removals, first_interval=FIRST_SECONDS, persistent=True)


def unregister() -> None:
    """Forget everything."""
    for timer in (_look_again, _finish_removals):
        if bpy.app.timers.is_registered(timer):
            bpy.app.timers.unregister(timer)
    _seen.facts = _seen.checked = None
    _seen.expires = 0.0


def _look_again() -> None:
    before = _seen.facts
    if look() != before:
        redraw_panels(bpy.context)


def _finish_removals() -> None:
    folder = preferences.engines_folder()
    threading.Thread(target=finish_removals, args=(folder,), name="removal", daemon=True).start()
