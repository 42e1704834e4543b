# SPDX-License-Identifier: GPL-3.0-or-later
"""The splats that a person has selected, for operators that change them in Object Mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..common.context import members_of
from .objects import is_splat

if TYPE_CHECKING:
    from bpy.types import Context, Object, Operator


def selected_splats(context: Context) -> list[Object]:
    """Return the splats that are selected, none where there is no view layer."""
    layer = members_of(context).view_layer
    return [] if layer is None else [item for item in layer.objects.selected if is_splat(item)]


def can_change_splats(operator: type[Operator], context: Context, *, any_chosen: bool) -> bool:
    """Say whether an operator may run, and let it say why not.

    Args:
        operator: for the message in its button.
        context: Blender's.
        any_chosen: whether there is a splat that it would change.
    """
    if context.mode != "OBJECT":
        operator.poll_message_set("Leave the edit mode first")
        return False
    if not any_chosen:
        operator.poll_message_set("Select a splat")
    return any_chosen
