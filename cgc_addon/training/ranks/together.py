# SPDX-License-Identifier: GPL-3.0-or-later
"""Train together with the processes that were started along with this one, if there are any."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

from ...errors import Interrupted
from ...ranks import ALONE, Ranks
from .world import STARTED_BY_TORCHRUN, divide_threads, read_world

_LOOK = 1.0
"""Seconds between two looks at whether torchrun is still there."""


@contextmanager
def together(environment: MutableMapping[str, str], *, cuda: bool = True) -> Iterator[Ranks]:
    """Come together with the others, and give the processes to the block.

    However the block fails on several of them, one says why; the others end without a word.

    Args:
        environment: says who is who, see `read_world`.
        cuda: whether graphics cards may be used, one for each process.

    Raises:
        CgcError: they cannot come together.
        SystemExit: the block failed, and another process says why.
    """
    world = read_world(environment)
    if world is None:
        yield ALONE
        return
    divide_threads(world, environment)
    # Where another process has ended, torch tells of each of its own frames; one sentence says it.
    environment.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    if STARTED_BY_TORCHRUN in environment:
        threading.Thread(target=_stop_with_parent, args=(os.getppid(),), daemon=True).start()
    from .processes import join

    ranks = join(world, cuda=cuda)
    try:
        yield ranks
    except Exception as error:
        if not isinstance(error, Interrupted) and not ranks.speaks():
            raise SystemExit(1) from None
        raise
    finally:
        ranks.leave()


def _stop_with_parent(parent: int) -> None:
    """Take the end of torchrun for a wish to stop: nobody else would end its processes."""
    while os.getppid() == parent:
        time.sleep(_LOOK)
    signal.raise_signal(signal.SIGTERM)
