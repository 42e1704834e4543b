# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties of operators are declared twice, for type checkers and for Blender, and alike."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

BLENDER = Path(__file__).parents[1] / "cgc_addon" / "blender"
TYPES = {
    "BoolProperty": "bool",
    "CollectionProperty": "bpy_prop_collection[OperatorMousePath]",
    "EnumProperty": "str",
    "FloatProperty": "float",
    "FloatVectorProperty": "Sequence[float]",
    "IntProperty": "int",
    "IntVectorProperty": "Sequence[int]",
    "StringProperty": "str",
}


def declared(statements: list[ast.stmt]) -> dict[str, str]:
    """Return name and annotation of every declaration."""
    return {
        ast.unparse(item.target): ast.unparse(item.annotation)
        for item in statements
        if isinstance(item, ast.AnnAssign)
    }


def blocks() -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    """Yield the declarations of each class for type checkers, and those for Blender."""
    for file in sorted(BLENDER.rglob("*.py")):
        for cls in ast.walk(ast.parse(file.read_text("utf-8"))):
            for item in cls.body if isinstance(cls, ast.ClassDef) else ():
                if isinstance(item, ast.If) and ast.unparse(item.test) == "TYPE_CHECKING":
                    typed = declared(item.body)
                    if "ExportHelper" in map(ast.unparse, cls.bases):
                        typed.pop("filepath")  # which the helper declares to Blender
                    public = {name: kind for name, kind in typed.items() if name[0] != "_"}
                    yield f"{file.name}: {cls.name}", public, declared(item.orelse)


def test_what_a_type_checker_sees_is_what_blender_makes() -> None:
    found = list(blocks())
    assert len(found) > 15
    for where, typed, made in found:
        assert typed == {name: TYPES[call.partition("(")[0]] for name, call in made.items()}, where


def test_no_property_is_hidden_from_type_checkers() -> None:
    groups = BLENDER / "properties.py"  # whose types are in common/access.py
    for file in sorted(set(BLENDER.rglob("*.py")) - {groups}):
        for cls in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(cls, ast.ClassDef):
                bare = [name for name, kind in declared(cls.body).items() if "Property(" in kind]
                assert bare == [], f"{file.name}: {cls.name}"
