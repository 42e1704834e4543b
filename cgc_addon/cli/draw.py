# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb `draw`: in the worker, where the Gaussians stay loaded for the next frame."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import CgcError, Interrupted
from ..progress import ShouldStop
from .console.failures import is_out_of_memory
from .console.sink import Sink
from .kept import Kept


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Add what can be asked of `draw`."""
    verb.add_argument("request", type=Path, metavar="REQUEST.json")


def run(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    """Draw what a request asks for into its folder."""
    try:
        _draw(options, sink, should_stop)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise CgcError(
            "Memory ran out while splats were drawn; render a smaller picture, hide some of them, "
            "or switch passes off."
        ) from error


def _draw(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> None:
    from ..results.frame_request import read_frame_request
    from ..results.frames import draw_frame
    from ..results.loaded_scenes import LoadedScenes
    from ..results.pictures import save_array

    request = read_frame_request(options.request)
    loaded = (options.kept or Kept()).get(LoadedScenes)
    backend = loaded.backend(request.backend, sink.report, should_stop)
    scene = loaded.scene(request.parts, backend)
    drawn = draw_frame(request, scene, backend, sink.report, should_stop)
    if should_stop():
        raise Interrupted("draw")
    files = {name: request.output / f"{name}.npy" for name in drawn}
    for name, array in drawn.items():
        save_array(files[name], array)
    sink.result(
        {"files": {name: str(file) for name, file in files.items()}},
        f"{', '.join(files)} in {request.output}.",
    )
