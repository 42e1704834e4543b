# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.damaged_files KIND SEED COUNT`: damages files and reads them, in bounds.

Prints a line of JSON for each reading that ended otherwise than well or in a sentence. The bounds
are ten seconds and a gibibyte for each reading.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from pathlib import Path

from .kinds import EXPECTED, KINDS, Kind
from .mutations import damaged

SECONDS = 10
MEMORY = 1 << 30
ODD = (b"", "folder", "pipe", "device")
"""Contents of no bytes, and names of things that are no files."""


class TooLongError(BaseException):
    """Reading took longer than anybody waits; not to be caught by what it interrupts."""


def main() -> None:
    """Take the arguments."""
    name, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    kind = next(kind for kind in KINDS if kind.name == name)
    signal.signal(signal.SIGALRM, _alarm)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder, "whole")
        whole.mkdir()
        file = kind.make(whole)
        kind.read(file)  # what is whole must be read, and loads what it needs
        content = file.read_bytes()
        _limit_memory()
        for number in range(count):
            _try(kind, Path(folder), file, damaged(content, random.Random(f"{seed} {number}")))
        for odd in ODD:
            _try(kind, Path(folder), file, odd)


def _limit_memory() -> None:
    """Let this process take so much more than it has."""
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, now + MEMORY))


def _try(kind: Kind, folder: Path, file: Path, content: bytes | str) -> None:
    """Read a damaged copy and report what should not be."""
    copy = folder / "copy"
    shutil.copytree(folder / "whole", copy)
    target = copy / file.relative_to(folder / "whole")
    target.unlink()
    if isinstance(content, bytes):
        target.write_bytes(content)
    elif content == "folder":
        target.mkdir()
    elif content == "pipe":
        os.mkfifo(target)
    else:
        target.symlink_to("/dev/zero")
    signal.alarm(SECONDS)
    try:
        kind.read(target)
    except EXPECTED as error:
        signal.alarm(0)
        sentence = str(error)
        if "Traceback" in sentence or not sentence.strip():
            _report(content, f"says {sentence!r}")
    except BaseException as error:
        signal.alarm(0)
        _report(content, "".join(traceback.format_exception(error)[-4:]))
    finally:
        signal.alarm(0)
        shutil.rmtree(copy)


def _report(content: bytes | str, what: str) -> None:
    head = content if isinstance(content, str) else repr(content[:120])
    sys.stdout.write(json.dumps({"content": head, "what": what}) + "\n")
    sys.stdout.flush()


def _alarm(*_: object) -> None:
    raise TooLongError


if __name__ == "__main__":
    main()
