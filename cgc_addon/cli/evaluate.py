# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `evaluate`."""

from __future__ import annotations

import argparse

from ..progress import ShouldStop
from .terminal import Terminal


def run(options: argparse.Namespace, terminal: Terminal, should_stop: ShouldStop) -> None:
    """Score a run on the held-out views of a dataset."""
    from ..rasterize.select import select_backend
    from ..results.evaluation import evaluate
    from ..training.run_folder import RunFolder

    backend, why = select_backend(options.backend, terminal.report)
    terminal.say(why)
    scores = evaluate(
        RunFolder(options.run),
        options.dataset,
        backend,
        report=terminal.report,
        should_stop=should_stop,
    )
    terminal.result(scores.to_json(), scores.table())
