# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m cgc_addon VERB …`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .cli import main
from .cli.blend import BlendWriter
from .cli.blender_program import runs_in_blender


def run(arguments: Sequence[str]) -> int:
    """Run a verb and return its exit code; a .blend is written right here if this is a Blender."""
    return main(arguments, blend_writer)


def blend_writer() -> BlendWriter | None:
    """Return what writes a .blend in this process, None where there is no Blender in it."""
    if not runs_in_blender():
        return None
    from .blender.blend_file import write_blend

    return write_blend


if __name__ == "__main__":
    raise SystemExit(run(sys.argv[1:]))
