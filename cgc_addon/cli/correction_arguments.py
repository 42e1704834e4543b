# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of `segment` that correct objects."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..masks.models.known import DEFAULT_MODEL
from ..results.boxes import LONGEST_NAME
from ..results.changes import Add, AddBoxes, Join, Place, Split
from .values import natural, place


def add_corrections(verb: argparse.ArgumentParser) -> None:
    """Add them; those that change something come in `changes`, in the order asked for.

    Args:
        verb: the parser.
    """

    def view_place(text: str) -> Place:
        parts = text.split(",", 2)
        if len(parts) < 3 or not parts[2]:
            raise argparse.ArgumentTypeError(
                f"{text[:40]!r} is no place in a view; write it as 120,80,0008.jpg"
            )
        x, y = place(",".join(parts[:2]))
        return Place(x, y, parts[2])

    def split_at(text: str) -> Split:
        identifier, at, where = text.partition("@")
        if not at:
            raise argparse.ArgumentTypeError(
                f"{text[:40]!r} is no object at a place; write it as 3@120,80,0008.jpg"
            )
        return Split(natural(identifier), view_place(where))

    def add_at(text: str) -> Add:
        return Add(view_place(text))

    def number_or_all(text: str) -> int | str:
        return text if text == "all" else natural(text)

    group = verb.add_argument_group(
        "corrections, which the run keeps through every cut and training; may be repeated"
    )
    group.add_argument(
        "--join",
        dest="changes",
        action=_Join,
        nargs=2,
        type=natural,
        metavar=("A", "B"),
        help="these two objects are one",
    )
    for option, kind, metavar, words in (
        ("--split", split_at, "ID@X,Y,VIEW",
         "what is at a pixel of a view becomes an object of its own"),
        ("--add", add_at, "X,Y,VIEW",
         "the mask model is asked what is there, in this view and all round"),
        ("--boxes", _boxes, "FILE.json",
         "named objects in boxes that a detector found in photos"),
    ):  # fmt: skip
        group.add_argument(
            option, dest="changes", action="append", type=kind, metavar=metavar, help=words
        )
    for option, words in (("--positive", "a further place on"), ("--negative", "a place beside")):
        group.add_argument(
            option,
            action="append",
            default=[],
            type=view_place,
            metavar="X,Y,VIEW",
            help=f"{words} the object of --add",
        )
    group.add_argument("--name", type=_name, help="of the object of --add")
    group.add_argument("--model", metavar="NAME|PATH", help=f"default: {DEFAULT_MODEL}")
    group.add_argument("--corrections", action="store_true", help="list them, and change nothing")
    group.add_argument(
        "--forget", type=number_or_all, metavar="N|all", help="take away one of them, or all"
    )
    verb.set_defaults(changes=[])


class _Join(argparse.Action):
    """Adds a join to the changes, in the order in which they are asked for."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        first, second = values
        namespace.changes = [*namespace.changes, Join(first, second)]


def _boxes(text: str) -> AddBoxes:
    return AddBoxes(Path(text))


def _name(text: str) -> str:
    if not text.strip() or len(text) > LONGEST_NAME:
        raise argparse.ArgumentTypeError(
            f"a name has 1 to {LONGEST_NAME} characters, not {len(text.strip())}"
        )
    return text.strip()
