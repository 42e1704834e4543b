# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `evaluate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..progress import ShouldStop
from .console.sink import Sink
from .shared_arguments import add_backend


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Add what can be asked of `evaluate`."""
    verb.add_argument("run", type=Path, metavar="RUN")
    verb.add_argument("dataset", type=Path, metavar="DATASET")
    add_backend(verb)


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Score a run on the held-out views of a dataset."""
    from ..rasterize.select import select_backend
    from ..results.evaluation import evaluate
    from ..training.run_folder import RunFolder

    backend, why = select_backend(options.backend, sink.report, should_stop)
    sink.say(why)
    scores = evaluate(
        RunFolder(options.run),
        options.dataset,
        backend,
        report=sink.report,
        should_stop=should_stop,
    )
    sink.result(scores.to_json(), scores.table())
