# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs, as `python -m cgc_addon VERB …`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from ..errors import CgcError, Interrupted
from .arguments import parse
from .interrupt import stop_on_signals
from .terminal import Terminal

DONE, FAILED, BAD_ARGUMENTS, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code: 0 done, 1 failed, 2 bad arguments, 130 interrupted."""
    # Before torch is imported: waiting OpenMP threads would spin and starve other programs, which
    # makes a step several times slower on a machine that does anything else besides.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        options = parse(sys.argv[1:] if arguments is None else arguments)
    except SystemExit as error:  # argparse has printed help or the mistake
        return error.code if isinstance(error.code, int) else BAD_ARGUMENTS
    with Terminal(json_lines=options.json) as terminal, stop_on_signals(terminal) as should_stop:
        try:
            options.verb(options, terminal, should_stop)
        except CgcError as error:
            terminal.fail(str(error))
            return FAILED
        except (Interrupted, KeyboardInterrupt):
            terminal.interrupted()
            return INTERRUPTED
        except BrokenPipeError:  # the reader of our output went away: nothing left to say
            return FAILED
    return DONE
