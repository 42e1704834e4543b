# SPDX-License-Identifier: GPL-3.0-or-later
"""The tab "CGC" of the 3D viewport's sidebar, from photos at the top to files at the bottom.

Panels are drawn often. They touch no disk and start nothing: what they show is in the scene, in
the job registry, or was seen on disk a moment ago (`dataset_facts`).
"""

from __future__ import annotations

import bpy

from ..training import dataset_facts
from . import dataset, engine, output, photo_masks, segments, training
from .steps import folding

CLASSES = folding(
    (
        *engine.CLASSES,
        *dataset.CLASSES,
        *photo_masks.CLASSES,
        *training.CLASSES,
        *segments.CLASSES,
        *output.CLASSES,
    )
)


def register() -> None:
    """Register the panels in the order they stand in."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    """Take them away again, and forget what was seen on disk."""
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
    dataset_facts.forget()
