# SPDX-License-Identifier: GPL-3.0-or-later
"""What is heard of a process that another one speaks for: why it fails, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ...progress import Progress


class Quiet:
    """Keeps to itself how a verb goes."""

    def report(self, _progress: Progress, /) -> None:
        """Show nothing."""

    def say(self, _sentence: str, /) -> None:
        """Show nothing."""

    def preview(self, _file: Path, /) -> None:
        """Show nothing."""

    def result(self, _value: dict[str, Any], _text: str, /) -> None:
        """Show nothing."""

    def fail(self, sentence: str, /) -> None:
        """Say in one line why the verb ended."""
        print(f"cgc: {sentence}", file=sys.stderr, flush=True)  # noqa: T201 - the verb's output

    def interrupted(self, *, saved: bool) -> None:
        """Show nothing."""
