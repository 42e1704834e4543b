# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `segment`."""

from __future__ import annotations

import argparse

from ..progress import ShouldStop
from .console.sink import Sink


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Cut the merge tree of a run at another granularity and write the new segments."""
    from ..training.edited_segments import say_if_edited
    from ..training.run_folder import RunFolder
    from ..training.run_lock import locked
    from ..training.segmentation import segment_again

    folder = RunFolder(options.run)
    folder.read_config()  # before a folder that is no run is held
    with locked(folder.path, "cut"):
        say_if_edited(folder, sink.say)
        segments = segment_again(
            folder,
            granularity=options.granularity,
            minimum_size=options.min_size,
            should_stop=should_stop,
        )
    sink.result(
        {"segments": len(segments.segments)}, f"{len(segments.segments)} segments in {options.run}."
    )
