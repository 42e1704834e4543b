# SPDX-License-Identifier: GPL-3.0-or-later
"""Which model makes masks of photos, and where its weights are, as preferences and panel say."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...masks.models.known import DEFAULT_MODEL, KNOWN, KnownModel
from ...masks.models.weights import models_folder
from . import preferences

DEFAULT = "default"
"""What the panel offers for: as the preferences say."""
FALLBACK = DEFAULT_MODEL


def model_argument(choice: str) -> str:
    """Return the mask model for the verbs, a name or a path; looks at the disk.

    Args:
        choice: of `choices.PHOTO_MASK_MODELS`, or "none".
    """
    name = chosen_model(choice)
    known = KNOWN.get(name)
    folder = None if known is None else _folder_with(known)
    if known is None or folder is None:
        return name
    return str(known.paths(folder)[0])


def chosen_model(choice: str) -> str:
    """Return the name of a model, or the path that the preferences name; touches no disk."""
    if choice != DEFAULT:
        return choice
    stored = preferences.stored()
    path = stored.mask_model.strip() if stored else ""
    return str(Path(bpy.path.abspath(path)).expanduser()) if path else FALLBACK


def present_models() -> frozenset[str]:
    """Return the names of the models whose weights are on this machine; looks at the disk."""
    return frozenset(name for name, model in KNOWN.items() if _folder_with(model) is not None)


def download_label(name: str) -> str:
    """Return what a button says that downloads a model."""
    model = KNOWN[name]
    return f"Download {model.label} ({model.size / 1e6:,.0f} MB)"


def _folder_with(model: KnownModel) -> Path | None:
    """Return the folder that holds a model: Blender's own, or the user's for the command line."""
    folders = [preferences.models_folder(), models_folder()]
    return next((f for f in folders if f is not None and model.is_in(f)), None)
