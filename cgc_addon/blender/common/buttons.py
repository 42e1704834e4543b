# SPDX-License-Identifier: GPL-3.0-or-later
"""Layouts that are being drawn, and the options of the buttons in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bpy.types import Menu, Operator, OperatorProperties, Panel, UILayout


def layout_of(drawn: Panel | Menu | Operator) -> UILayout:
    """Return the layout of what is being drawn: only then is there one."""
    assert drawn.layout is not None
    return drawn.layout


def set_options(button: OperatorProperties, **options: object) -> None:
    """Give a button of `UILayout.operator` the options that its operator is called with.

    Raises:
        AttributeError: the operator has no such option.
    """
    for name, value in options.items():
        setattr(button, name, value)
