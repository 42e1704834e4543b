# SPDX-License-Identifier: GPL-3.0-or-later
"""Where drawing fails, Blender draws points and the panel says why, until it begins anew."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.drawing import handler
from cgc_addon.blender.splats.stand_in import has_stand_in
from cgc_addon.errors import CgcError

from .splat_scene import add_splat


@pytest.fixture
def in_window(monkeypatch: pytest.MonkeyPatch):
    """Register as where there is a window; return the function that Blender calls."""
    calls = []
    space = SimpleNamespace(
        draw_handler_add=lambda call, *_: calls.append(call) or call,
        draw_handler_remove=lambda call, _kind: calls.remove(call),
    )
    fake = SimpleNamespace(
        app=SimpleNamespace(background=False, handlers=bpy.app.handlers, timers=bpy.app.timers),
        types=SimpleNamespace(SpaceView3D=space),
        data=bpy.data,
        context=bpy.context,
    )
    monkeypatch.setattr(handler, "bpy", fake)
    handler.register()
    yield calls
    handler.unregister()
    assert not calls
    assert handler._before_load not in bpy.app.handlers.load_pre


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (CgcError("Too many Gaussians."), "Too many Gaussians."),
        (ValueError("odd"), r"cannot be drawn \(ValueError: odd\)"),
    ],
)
def test_a_failure_is_told_and_points_are_left(in_window, monkeypatch, error, sentence) -> None:
    def fail(_context) -> None:
        raise error

    item = add_splat()
    assert has_stand_in(item)
    assert handler.problem() == ""
    monkeypatch.setattr(handler._active.viewport, "draw", fail)
    (draw,) = in_window
    if isinstance(error, CgcError):
        draw()
    else:
        with pytest.raises(type(error)):
            draw()
    assert not in_window  # it is not called again
    assert handler.is_complete()
    assert re.search(sentence, handler.problem())
    handler._leave_to_blender()  # as the timer does
    assert not has_stand_in(item)
    handler.unregister()
    handler.register()
    assert handler.problem() == ""
    assert has_stand_in(item)


def test_other_files_begin_with_nothing_held(in_window) -> None:
    assert handler._active.viewport is not None
    handler._active.viewport._regions[1] = SimpleNamespace(
        drawing=SimpleNamespace(close=lambda: None, waits=False, due=lambda: True)
    )
    assert handler.due_regions() == {1}
    bpy.ops.wm.read_homefile(use_empty=True)
    assert handler.due_regions() == set()
