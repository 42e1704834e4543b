# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `segment`."""

from __future__ import annotations

import argparse

from ..progress import ShouldStop
from .console.sink import Sink


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Cut the merge tree of a run at another granularity and write the new segments."""
    from ..training.run_folder import RunFolder
    from ..training.segmentation import segment_again

    segments = segment_again(
        RunFolder(options.run),
        granularity=options.granularity,
        minimum_size=options.min_size,
        should_stop=should_stop,
    )
    sink.result(
        {"segments": len(segments.segments)}, f"{len(segments.segments)} segments in {options.run}."
    )
