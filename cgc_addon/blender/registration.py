# SPDX-License-Identifier: GPL-3.0-or-later
"""Enabling and disabling: each module brings its own `register` and `unregister`."""

from __future__ import annotations

from contextlib import ExitStack
from types import ModuleType


def modules() -> tuple[ModuleType, ...]:
    """Return the modules that register something, those that others need first."""
    from . import command, migration, properties
    from .capture import (
        alignment,
        camera_operators,
        import_colmap,
        undistort_operator,
        view_transform,
    )
    from .drawing import click_select, watch
    from .drawing import handler as viewport_drawing
    from .install import care_operators, install_operators, sample_operator
    from .install import facts as engine_facts
    from .jobs import control_operators, problem_operators, worker_operators
    from .jobs import registry as jobs
    from .output import export_operator, export_ply, mask_operators
    from .panels import preferences_page, sidebar
    from .photo_masks import correction_operators, making_operators, review_operators
    from .picking import (
        add_object_operator,
        flood_operator,
        hover,
        stroke_operators,
        tree_operators,
    )
    from .picking import tools as picking_tools
    from .render_engine import blender_panels, engine, mesh_render_operator, render_worker
    from .render_engine import panels as render_panels
    from .segments import border_operators, clean_up, import_run, write_run
    from .segments import list as segment_list
    from .segments import operators as segment_operators
    from .splats import apply_transform, origin_operator, stand_in_switch
    from .training import from_photos_operators
    from .training import operators as training_operators

    return (
        properties,
        migration,
        stand_in_switch,
        watch,
        viewport_drawing,
        click_select,
        preferences_page,
        jobs,
        worker_operators,
        control_operators,
        problem_operators,
        engine_facts,
        install_operators,
        care_operators,
        sample_operator,
        import_colmap,
        view_transform,
        import_run,
        undistort_operator,
        camera_operators,
        alignment,
        training_operators,
        from_photos_operators,
        making_operators,
        review_operators,
        correction_operators,
        segment_operators,
        border_operators,
        write_run,
        hover,
        tree_operators,
        stroke_operators,
        flood_operator,
        add_object_operator,
        picking_tools,
        clean_up,
        mask_operators,
        apply_transform,
        origin_operator,
        export_operator,
        export_ply,
        render_worker,
        engine,
        blender_panels,
        render_panels,
        mesh_render_operator,
        segment_list,
        sidebar,
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
