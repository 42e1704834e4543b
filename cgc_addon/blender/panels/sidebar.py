# SPDX-License-Identifier: GPL-3.0-or-later
"""The tab "CGC" of the 3D viewport's sidebar, from photos at the top to files at the bottom.

Panels are drawn often. They touch no disk and start nothing: what they show is in the scene, in
the job registry, or was seen on disk a moment ago (`dataset_facts`).
"""

from __future__ import annotations

import bpy

from ..training import dataset_facts
from . import dataset as panel_dataset
from . import layout as panel_layout
from . import masks as panel_masks
from . import review as panel_review
from . import segments as panel_segments
from . import training as panel_training

CLASSES = (
    *panel_layout.CLASSES,
    *panel_dataset.CLASSES,
    *panel_review.CLASSES,
    *panel_training.CLASSES,
    *panel_segments.CLASSES,
    *panel_masks.CLASSES,
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
