# SPDX-License-Identifier: GPL-3.0-or-later
"""What both ends of the pipe share: one JSON object per line, in ASCII, with a `type`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

PROTOCOL = 1
"""Number of the protocol, told in the hello; it changes when an old end cannot talk to a new."""
FINAL = ("result", "error", "interrupted")
"""Types of the message that ends a job; each job ends with exactly one."""
LONGEST_LINE = 1 << 20
"""Bytes. Anything big goes through files; what is longer than this was never a message."""

Message = dict[str, Any]


def encode(message: Message) -> bytes:
    """Return a message as one line."""
    return json.dumps(message).encode("ascii") + b"\n"


def decode(line: bytes) -> Message | None:
    """Return the message of a line, or None where it is none."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if isinstance(message, dict) and isinstance(message.get("type"), str):
        return message
    return None


def read_lines(descriptor: int) -> Iterator[bytes]:
    """Yield lines of a pipe without their end, until its other end closes.

    Plain `os.read`: a thread that waits in a buffered file can stop the interpreter from ending.
    """
    rest = b""
    while True:
        try:
            block = os.read(descriptor, 1 << 16)
        except OSError:
            block = b""
        if not block:
            break
        *whole, rest = (rest + block).split(b"\n")
        yield from whole
        if len(rest) > LONGEST_LINE:
            yield rest
            rest = b""
    if rest:
        yield rest


def write_line(descriptor: int, message: Message) -> None:
    """Write a whole message to a pipe.

    Raises:
        OSError: the other end is closed.
    """
    line = encode(message)
    while line:
        line = line[os.write(descriptor, line) :]
