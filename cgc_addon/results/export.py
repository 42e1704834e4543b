# SPDX-License-Identifier: GPL-3.0-or-later
"""A splat, or some of its segments, as one file for other programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..dataset.near_origin import origin_in_words
from ..errors import Interrupted
from ..progress import Reporter, ShouldStop, never, silent
from ..splats.formats import WriteSettings
from ..splats.pillow_pictures import pillow_codec
from ..splats.select import of_segments
from ..splats.write import write_splat
from .sources import splat_of_source


def export_segments(
    source: Path,
    output: Path,
    ids: Sequence[int] | None,
    settings: WriteSettings,
    say: Callable[[str], object] = lambda text: None,
    report: Reporter = silent,
    should_stop: ShouldStop = never,
) -> int:
    """Write the Gaussians of some segments and return how many they are.

    Args:
        source: run folder or splat.
        output: file to write.
        ids: of segments.json, 0 = what belongs to none; None = everything.
        settings: which kind of file.
        say: is given what the user should know of the source.
        report: takes the progress of what takes long.
        should_stop: asked before anything is written, and while it is.

    Raises:
        CgcError: no such segment, no segments at all, or the file cannot be written.
        Interrupted: `should_stop` said so.
    """
    splat = splat_of_source(source)
    for note in splat.notes:
        say(note)
    gaussians = splat.gaussians
    if ids is not None:
        gaussians = of_segments(gaussians, ids)
    if should_stop():
        raise Interrupted("export")
    if splat.origin.any() and settings.format != "ply":
        say(
            f"{output.name} has 32-bit numbers, so its places stay relative to "
            f"{origin_in_words(splat.origin)}; a PLY with segments has map coordinates."
        )
    write_splat(output, gaussians, settings, pillow_codec(), report, should_stop, splat.origin)
    return len(gaussians)
