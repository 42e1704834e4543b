# SPDX-License-Identifier: GPL-3.0-or-later
"""Enabling is quick and light; disabling leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

ENABLE_TWICE = """
import sys, time
sys.path[:0] = [{tests!r}, {root!r}]
import bpy
from traces import heavy_modules, traces

before = traces()
already = heavy_modules()
for round in range(2):
    begun = time.process_time()
    import cgc_addon
    cgc_addon.register()
    print("seconds", time.process_time() - begun)
    there = traces() - before
    assert "property Scene.cgc" in there, there
    assert any(item.startswith("type CGC_PT_") for item in there), there
    cgc_addon.unregister()
    left = traces() ^ before
    assert not left, left
assert heavy_modules() == already, heavy_modules() - already
"""


def test_enabling_is_quick_and_disabling_leaves_no_trace_even_twice() -> None:
    here = Path(__file__).parent
    program = ENABLE_TWICE.format(tests=str(here), root=str(here.parents[1]))
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    seconds = [float(line.split()[1]) for line in result.stdout.splitlines() if "seconds" in line]
    assert len(seconds) == 2
    # Of processor time, since the machine may be busy; it takes a tenth of that.
    assert seconds[0] < 3.0


def test_when_one_module_cannot_register_none_stays_registered(monkeypatch) -> None:
    from cgc_addon.blender import registration

    done: list[str] = []

    class Module:
        def __init__(self, name: str) -> None:
            self.name = name

        def register(self) -> None:
            if self.name == "bad":
                raise RuntimeError("no")
            done.append(self.name)

        def unregister(self) -> None:
            done.remove(self.name)

    monkeypatch.setattr(
        registration, "modules", lambda: tuple(map(Module, ("one", "two", "bad", "three")))
    )
    with pytest.raises(RuntimeError, match="no"):
        registration.register()
    assert done == []


def test_every_operator_panel_and_list_follows_the_conventions() -> None:
    operators = [getattr(bpy.types, name) for name in dir(bpy.types) if "CGC_OT_" in name]
    panels = [getattr(bpy.types, name) for name in dir(bpy.types) if "CGC_PT_" in name]
    assert len(operators) > 10
    assert len(panels) > 3
    for operator in operators:
        assert operator.bl_idname == operator.__name__ or operator.bl_idname.startswith("cgc.")
        assert operator.bl_label
        assert operator.bl_label[0].isupper()
        assert operator.__doc__ or operator.bl_description
        assert not (operator.bl_description or "").rstrip().endswith(".")
    for panel in panels:
        assert panel.bl_space_type != "VIEW_3D" or panel.bl_category == "CGC"
