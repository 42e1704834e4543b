# SPDX-License-Identifier: GPL-3.0-or-later
"""What the values of arguments may be, and the sentences for those that they may not."""

from __future__ import annotations

import argparse
import math

from ..results.render_folder import KINDS
from ..training.config import HIGHEST_SEED

HIGHEST_COUNT = 2**31 - 1
"""Of anything that is counted, ids, and the seeds of COLMAP."""
LONGEST_VALUE = 40
"""Characters of a wrong value that are shown."""


def positive(text: str) -> int:
    """Read a whole number from 1."""
    return _whole(text, 1, HIGHEST_COUNT)


def natural(text: str) -> int:
    """Read a whole number from 0."""
    return _whole(text, 0, HIGHEST_COUNT)


def seed(text: str) -> int:
    """Read a seed, which NumPy and PyTorch can take."""
    return _whole(text, 0, HIGHEST_SEED)


def number(text: str) -> float:
    """Read any number."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{_short(text)} is not a number") from None


def seconds(text: str) -> float:
    """Read a duration, more than 0."""
    value = number(text)
    if not value > 0.0:
        raise argparse.ArgumentTypeError(f"{_short(text)} is not more than 0")
    return value


def share(text: str) -> float:
    """Read a number from 0 to 1."""
    value = number(text)
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{_short(text)} is not between 0 and 1")
    return value


def cosine(text: str) -> float:
    """Read a number from -1 to 1."""
    value = number(text)
    if not -1.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{_short(text)} is not between -1 and 1")
    return value


def place(text: str) -> tuple[float, float]:
    """Read a place of a picture, X,Y in pixels."""
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{_short(text)!r} is no place; write it as 120,80"
        ) from None
    if not (math.isfinite(x) and math.isfinite(y)):
        raise argparse.ArgumentTypeError(f"{_short(text)!r} is no place; write it as 120,80")
    return x, y


def kinds(text: str) -> tuple[str, ...]:
    """Read kinds of pictures, separated by commas; each once."""
    named = tuple(part.strip() for part in text.split(",") if part.strip())
    for kind in named:
        if kind not in KINDS:
            raise argparse.ArgumentTypeError(
                f"{kind!r} cannot be rendered; choose of {', '.join(KINDS)}"
            )
    if not named:
        raise argparse.ArgumentTypeError("name at least one kind of picture")
    return tuple(dict.fromkeys(named))


def _whole(text: str, lowest: int, highest: int) -> int:
    """Return a whole number within limits that all packages can take."""
    try:
        value = int(text)
    except ValueError:  # no number, or one of thousands of digits
        raise argparse.ArgumentTypeError(f"{_short(text)} is not a whole number") from None
    if value < lowest:
        raise argparse.ArgumentTypeError(f"{_short(text)} is not {lowest} or more")
    if value > highest:
        raise argparse.ArgumentTypeError(f"{_short(text)} is not {highest} or less")
    return value


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
