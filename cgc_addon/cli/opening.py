# SPDX-License-Identifier: GPL-3.0-or-later
"""What verbs open that look at runs, and say so: mask models and backends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..progress import Progress, ShouldStop
from .console.sink import Sink

if TYPE_CHECKING:
    from ..masks.models.interface import MaskModel
    from ..rasterize.interface import Backend


def open_mask_model(name: str | None, sink: Sink) -> MaskModel:
    """Open a mask model, the default one if None.

    Raises:
        CgcError: its weights are not there; the sentence says how to get them.
    """
    from ..masks.models.known import DEFAULT_MODEL
    from ..masks.models.registry import open_model

    sink.report(Progress("Opening the mask model", 0, 0))
    return open_model(name or DEFAULT_MODEL)


def open_backend(name: str, sink: Sink, should_stop: ShouldStop) -> Backend:
    """Open a rasterizer and say which.

    Raises:
        CgcError: it cannot be used here.
        Interrupted: `should_stop` said so.
    """
    from ..rasterize.select import select_backend

    backend, why = select_backend(name, sink.report, should_stop)
    sink.say(why)
    return backend
