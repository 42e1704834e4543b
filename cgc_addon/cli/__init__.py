# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs, as `python -m cgc_addon VERB …`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ..errors import Interrupted
from ..progress import ShouldStop
from ..training.ranks.world import is_follower
from ..waiting_threads import let_threads_sleep
from . import train
from .arguments import parse
from .blend import BlendWriter, no_writer
from .console.failures import explain
from .console.interrupt import stop_on_signals
from .console.json_lines import JsonLines, print_line
from .console.plain_text import PlainText
from .console.quiet import Quiet
from .console.sink import Sink
from .console.streams import accept_every_character, speak_utf8
from .console.watched_parent import stop_with_parent

DONE, FAILED, BAD_ARGUMENTS, INTERRUPTED = 0, 1, 2, 130


def main(
    arguments: Sequence[str] | None = None,
    blend_writer: Callable[[], BlendWriter | None] = no_writer,
) -> int:
    """Run one verb and return its exit code: 0 done, 1 failed, 2 bad arguments, 130 interrupted.

    Args:
        arguments: the verb and what belongs to it; None for those of the program.
        blend_writer: returns what writes a .blend in this process, None for another Blender's.
    """
    let_threads_sleep(os.environ)
    accept_every_character()
    try:
        options = parse(sys.argv[1:] if arguments is None else arguments)
    except SystemExit as error:  # argparse has printed help or the mistake
        return error.code if isinstance(error.code, int) else BAD_ARGUMENTS
    options.blend_writer = blend_writer
    try:
        quiet = options.verb is train.run and is_follower(os.environ)
        with (
            _output(json_lines=options.json, quiet=quiet) as sink,
            stop_on_signals(sink) as should_stop,
        ):
            stop_with_parent()
            return run_verb(options, sink, should_stop)
    except BrokenPipeError:  # the reader of our output went away: nothing left to say
        return FAILED
    except KeyboardInterrupt:  # before the verb began, or after its end
        return INTERRUPTED


def run_verb(options: argparse.Namespace, sink: Sink, should_stop: ShouldStop) -> int:
    """Run a parsed verb and return its exit code; the sink was told how it ended.

    Raises:
        Exception: a defect of this program.
    """
    try:
        options.verb(options, sink, should_stop)
    except Interrupted:
        sink.interrupted(saved=True)
        return INTERRUPTED
    except KeyboardInterrupt:
        sink.interrupted(saved=False)
        return INTERRUPTED
    except Exception as error:
        if (sentence := explain(error)) is None:
            raise
        sink.fail(sentence)
        return FAILED
    return DONE


@contextmanager
def _output(*, json_lines: bool, quiet: bool) -> Iterator[Sink]:
    if quiet:
        yield Quiet()
        return
    if json_lines:
        speak_utf8()
        yield JsonLines(print_line)
        return
    try:
        from .console.terminal import Terminal
    except ModuleNotFoundError:  # Blender's own Python has no rich
        yield PlainText()
        return
    terminal = Terminal()
    try:
        yield terminal
    finally:
        terminal.close()
