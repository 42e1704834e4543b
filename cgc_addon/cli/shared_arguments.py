# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments that several verbs have."""

from __future__ import annotations

import argparse

from ..rasterize.backends import AUTO, backend_names
from .values import seconds


def add_backend(verb: argparse.ArgumentParser) -> None:
    """Add which rasterizer draws."""
    verb.add_argument("--backend", choices=backend_names(), default=AUTO)


def add_minutes(verb: argparse.ArgumentParser) -> None:
    """Add how long training may take."""
    verb.add_argument(
        "--minutes",
        type=seconds,
        metavar="N",
        help="time for training: photo size, steps and cap are chosen to fit",
    )
