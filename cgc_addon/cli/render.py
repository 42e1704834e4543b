# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `render`."""

from __future__ import annotations

import argparse

from ..progress import ShouldStop
from .terminal import Terminal


def run(options: argparse.Namespace, terminal: Terminal, should_stop: ShouldStop) -> None:
    """Draw views of a run into PNG files."""
    from ..rasterize.select import select_backend
    from ..results.renders import cameras_of, render_views
    from ..training.run_folder import RunFolder

    folder = RunFolder(options.run)
    views = cameras_of(folder, options.cameras)
    backend, why = select_backend(options.backend, terminal.report)
    terminal.say(why)
    render_views(
        folder,
        views,
        options.what,
        options.output,
        backend,
        report=terminal.report,
        should_stop=should_stop,
    )
    terminal.result(
        {"views": len(views), "folder": str(options.output)},
        f"{len(views)} views in {options.output}.",
    )
