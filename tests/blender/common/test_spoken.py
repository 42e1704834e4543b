# SPDX-License-Identifier: GPL-3.0-or-later
"""No sentence of the engine sends who reads it in Blender to a command line."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("bpy")

import cgc_addon
from cgc_addon.blender.common.spoken import spoken

ENGINE = Path(cgc_addon.__file__).parent
ROOMS = (
    "cgc", "dataset", "masks", "rasterize", "reconstruction", "results", "splats", "training",
    "worker",
)  # fmt: skip
COMMAND = re.compile(
    r"(?<![\w`-])--[a-z]{2}|\b(train|masks|models) --|"
    r"`(train|segment|masks|solve|from-photos|render|export|evaluate|models|undistort|blend)\b"
)
NOT_FROM_BLENDER = ("--init",)
"""What Blender never asks for cannot fail there."""
NOT_IN_BLENDER = "ranks"
"""Nor does it start several processes."""


def sentences(file: Path) -> Iterator[str]:
    """Yield the texts with spaces in a file that are no docstrings, X for what is filled in."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
             for part in node.values}  # fmt: skip
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in parts or id(node) in told:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(v.value) if isinstance(v, ast.Constant) else "X" for v in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.value


@pytest.mark.parametrize("room", ROOMS)
def test_verbs_and_options_are_named_as_buttons_and_settings(room) -> None:
    left = [
        said
        for file in sorted((ENGINE / room).rglob("*.py"))
        if NOT_IN_BLENDER not in file.parts
        for said in map(spoken, sentences(file))
        if COMMAND.search(said) and not said.startswith(NOT_FROM_BLENDER)
    ]
    assert left == []


def test_there_is_something_to_say_otherwise() -> None:
    found = [one for one in sentences(ENGINE / "training" / "checkpoint.py") if COMMAND.search(one)]
    assert found


def test_other_sentences_stay_as_they_are() -> None:
    sentence = "/x/images is missing; put the photos of the model there."
    assert spoken(sentence) == sentence
    assert spoken(ValueError(sentence)) == sentence
