# SPDX-License-Identifier: GPL-3.0-or-later
"""Enabling and disabling: each module brings its own `register` and `unregister`."""

from __future__ import annotations

from contextlib import ExitStack
from types import ModuleType


def modules() -> tuple[ModuleType, ...]:
    """Return the modules that register something, those that others need first."""
    from . import (
        alignment,
        apply_transform,
        camera_operators,
        command,
        export_ply,
        from_photos_operators,
        import_colmap,
        import_run,
        jobs,
        mask_correction_operators,
        mask_operators,
        mask_review_operators,
        panels,
        photo_mask_operators,
        preferences,
        properties,
        segment_list,
        segment_operators,
        training_operators,
        undistort_operator,
        worker_operators,
    )

    return (
        properties,
        preferences,
        jobs,
        worker_operators,
        import_colmap,
        import_run,
        undistort_operator,
        camera_operators,
        alignment,
        training_operators,
        from_photos_operators,
        photo_mask_operators,
        mask_review_operators,
        mask_correction_operators,
        segment_operators,
        mask_operators,
        apply_transform,
        export_ply,
        segment_list,
        panels,
        command,
    )


def register() -> None:
    """Register every module; when one fails, those before it are taken back."""
    with ExitStack() as undo:
        for module in modules():
            module.register()
            undo.callback(module.unregister)
        undo.pop_all()


def unregister() -> None:
    """Unregister every module, the last one first."""
    for module in reversed(modules()):
        module.unregister()
