# SPDX-License-Identifier: GPL-3.0-or-later
"""A layout that notes what a panel draws, and checks that all of it exists in this Blender."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import bpy

ICONS = frozenset(bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items.keys())


class RecordedLayout:
    """Stands in for `UILayout`; rows, columns and boxes note into the same record."""

    def __init__(self, record: SimpleNamespace | None = None) -> None:
        empty = SimpleNamespace(texts=[], operators=[], properties=[], progress=[], lists=[])
        self.record = record or empty
        self.enabled = True

    def _inside(self, **_options: Any) -> RecordedLayout:
        return RecordedLayout(self.record)

    row = column = box = split = grid_flow = column_flow = _inside

    def separator(self, **_options: Any) -> None:
        pass

    def label(self, *, text: str = "", icon: str = "NONE") -> None:
        assert icon in ICONS, icon
        self.record.texts.append(text)

    def progress(self, *, text: str = "", factor: float = 0.0, **_options: Any) -> None:
        assert 0.0 <= factor <= 1.0
        self.record.progress.append((factor, text))

    def prop(self, data: Any, name: str, *, icon: str = "NONE", **_options: Any) -> None:
        assert icon in ICONS, icon
        assert name in data.bl_rna.properties, f"{data} has no {name}"
        getattr(data, name)
        self.record.properties.append(name)

    def prop_enum(self, data: Any, name: str, value: str, **_options: Any) -> None:
        assert value in data.bl_rna.properties[name].enum_items, f"{name} has no {value}"
        self.record.properties.append(f"{name} {value}")

    def operator(self, idname: str, *, text: str = "", icon: str = "NONE", **_options: Any) -> Any:
        assert icon in ICONS, icon
        module, name = idname.split(".")
        known = getattr(getattr(bpy.ops, module), name).get_rna_type().properties
        self.record.operators.append(idname)
        self.record.texts.append(text)
        return _Options(known)

    def menu(self, name: str, *, text: str = "", icon: str = "NONE") -> None:
        assert icon in ICONS, icon
        assert hasattr(bpy.types, name), name

    def template_list(self, kind: str, *arguments: Any, **_options: Any) -> None:
        assert hasattr(bpy.types, kind), kind
        _, data, name, active, active_name = arguments
        getattr(active, active_name)
        self.record.lists.append((kind, getattr(data, name)))


class _Options:
    """Takes values for the options that an operator has."""

    def __init__(self, known: Any) -> None:
        object.__setattr__(self, "_known", known)

    def __setattr__(self, name: str, value: Any) -> None:
        assert name in self._known, f"there is no option {name}"


def drawn(panel: type) -> SimpleNamespace:
    """Return what a panel draws now; nothing where its poll says no."""
    layout = RecordedLayout()
    context = bpy.context
    if not hasattr(panel, "poll") or panel.poll(context):
        panel.draw(SimpleNamespace(layout=layout), context)
    return SimpleNamespace(**vars(layout.record), text=" ".join(layout.record.texts))
