# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator puts everything back, however it ends, and in a window renders one job by one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.render_engine import mesh_render_operator
from cgc_addon.blender.render_engine.mesh_pictures import MeshPictures
from cgc_addon.blender.render_engine.mesh_render_operator import RenderOptions, TwoRenders
from cgc_addon.blender.render_engine.render_worker import render_worker

from .mesh_stage import HEIGHT, WALL, WIDTH, add_ball, add_wall, read_picture, set_stage


def _state() -> list[object]:
    """Return all that a render might leave changed."""
    found: list[object] = [
        sorted(
            (one.id_type, one.name_full) for one in bpy.data.user_map() if one.id_type != "IMAGE"
        )
    ]
    for scene in bpy.data.scenes:
        render = scene.render
        for owner in (render, render.image_settings, *scene.view_layers):
            for name, prop in owner.bl_rna.properties.items():
                if prop.type in {"BOOLEAN", "INT", "FLOAT", "ENUM", "STRING"}:
                    value = getattr(owner, name)
                    found.append((name, tuple(value) if hasattr(value, "__len__") else value))
    for item in bpy.data.objects:
        shown = [name for name in dir(item) if name.startswith(("visible_", "hide_"))]
        found += [(item.name, n, getattr(item, n)) for n in shown if not callable(getattr(item, n))]
        if item.animation_data is not None:
            found += [(item.name, curve.mute) for curve in item.animation_data.drivers]
    found += [camera.dof.use_dof for camera in bpy.data.cameras]
    return [*found, render_worker().meshes]


@pytest.fixture
def touchy() -> bpy.types.Scene:
    """Return a scene with all that is changed for a moment."""
    stage = set_stage()
    add_wall()
    hidden = add_wall(1.0)
    hidden.hide_render, hidden.visible_shadow = True, False
    add_wall(2.0).driver_add("hide_render").driver.expression = "frame < 0"
    add_ball()
    stage.camera.data.dof.use_dof = True
    stage.render.use_motion_blur = True
    stage.render.film_transparent = False
    return stage


def test_everything_is_as_before(touchy):
    touchy.render.filepath = ""
    before = _state()
    assert bpy.ops.cgc.render_with_meshes() == {"FINISHED"}
    assert _state() == before


def test_what_was_cancelled_leaves_everything_as_before(touchy, monkeypatch, tmp_path):
    monkeypatch.setattr(MeshPictures, "missing", lambda _self: [1])
    touchy.render.filepath = str(tmp_path / "picture.exr")
    before = _state()
    assert bpy.ops.cgc.render_with_meshes(write_still=True) == {"CANCELLED"}
    assert _state() == before
    assert list(tmp_path.iterdir()) == []


def test_splats_that_cannot_be_drawn_are_said_and_leave_everything_as_before(touchy, monkeypatch):
    render_worker().close()
    monkeypatch.setenv("CGC_PYTHON", "/nowhere/python")
    before = _state()
    with pytest.raises(RuntimeError, match="/nowhere/python"):
        bpy.ops.cgc.render_with_meshes()
    assert _state() == before


def test_what_cannot_be_rendered_is_said_at_once(touchy):
    before = _state()
    touchy.camera.data.type = "ORTHO"
    with pytest.raises(RuntimeError, match="no perspective camera"):
        bpy.ops.cgc.render_with_meshes()
    touchy.camera.data.type = "PERSP"
    camera, touchy.camera = touchy.camera, None
    with pytest.raises(RuntimeError, match="has no camera"):
        bpy.ops.cgc.render_with_meshes()
    touchy.camera = camera
    assert _state() == before


class Window:
    """Stands for Blender's window: remembers timers and the status bar."""

    def __init__(self) -> None:
        self.timers: list[object] = []
        self.status: list[str | None] = []
        self.window = self.window_manager = self
        self.workspace = SimpleNamespace(status_text_set=self.status.append)
        self.scene = bpy.context.scene

    def event_timer_add(self, _seconds: float, *, window: object) -> object:
        self.timers.append(object())
        return self.timers[-1]

    def event_timer_remove(self, timer: object) -> None:
        self.timers.remove(timer)

    def modal_handler_add(self, _operator: object) -> bool:
        return True


class InWindow(TwoRenders):
    """The operator in a window: a render that it starts runs until the test lets it end."""

    bl_label = "Render Splats and Meshes"

    def __init__(self) -> None:
        self.reports: list[tuple[set[str], str]] = []
        self.started: list[tuple[str, bool, str]] = []

    def wanted(self) -> RenderOptions:
        return RenderOptions(animation=False, write_still=True, engine="CYCLES")

    def report(self, kind: set[str], text: str) -> None:
        self.reports.append((kind, text))

    def _render(self, how: str, rendering: Any, *, write_still: bool) -> None:
        self.started.append((how, write_still, rendering.scene_name))

    def end(self) -> None:
        """Do what Blender does until the render has ended."""
        _how, write_still, scene = self.started[-1]
        bpy.ops.render.render(scene=scene, write_still=write_still)


TICK, MOUSE = SimpleNamespace(type="TIMER"), SimpleNamespace(type="MOUSEMOVE")


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return a list whose only entry says whether a render runs."""
    runs = [True]
    monkeypatch.setattr(mesh_render_operator, "a_render_runs", lambda: runs[0])
    return runs


def test_in_a_window_one_render_follows_the_other(touchy, running, tmp_path):
    touchy.render.filepath = str(tmp_path / "picture.exr")
    before, window, operator = _state(), Window(), InWindow()
    assert operator.start_modal(window) == {"RUNNING_MODAL"}
    assert operator.started == [("INVOKE_DEFAULT", True, "Scene Meshes")]
    assert bpy.data.scenes["Scene Meshes"].render.use_lock_interface
    assert operator.modal(window, TICK) == {"PASS_THROUGH"}
    operator.end()
    running[0] = False
    assert operator.modal(window, MOUSE) == {"PASS_THROUGH"}
    assert len(operator.started) == 1
    assert operator.modal(window, TICK) == {"PASS_THROUGH"}
    assert operator.started[1:] == [("INVOKE_DEFAULT", True, "Scene")]
    assert touchy.render.engine == "CGC_SPLATS"
    assert touchy.render.use_lock_interface
    operator.end()
    assert operator.modal(window, TICK) == {"FINISHED"}
    assert _state() == before
    assert window.timers == []
    assert window.status == ["Meshes are rendered; Esc cancels", "Splats are drawn; Esc cancels"]
    middle = read_picture(tmp_path / "picture.exr")[HEIGHT // 2, WIDTH // 2]
    np.testing.assert_allclose(middle, [*WALL, 1.0], atol=5e-3)  # of the nearest wall
    assert operator.reports == []


def test_esc_while_meshes_are_rendered_ends_it_all(touchy, running):
    before, window, operator = _state(), Window(), InWindow()
    operator.start_modal(window)
    running[0] = False  # and nothing was written
    assert operator.modal(window, TICK) == {"CANCELLED"}
    assert len(operator.started) == 1
    assert operator.reports == [({"WARNING"}, "Render Splats and Meshes was cancelled")]
    assert _state() == before
    assert window.timers == []


@pytest.mark.parametrize("renders", [0, 1])
def test_a_window_that_is_closed_meanwhile_leaves_everything_as_before(touchy, running, renders):
    before, window, operator = _state(), Window(), InWindow()
    operator.start_modal(window)
    if renders:
        operator.end()
        running[0] = False
        operator.modal(window, TICK)
    running[0] = False
    operator.cancel(window)
    assert _state() == before
    assert window.timers == []


def test_what_a_render_still_reads_is_put_back_after_it(touchy, running, monkeypatch):
    waiting: list[Any] = []
    monkeypatch.setattr(bpy.app.timers, "register", lambda f, **_options: waiting.append(f))
    before, window, operator = _state(), Window(), InWindow()
    operator.start_modal(window)
    operator.cancel(window)
    assert window.timers == []
    (close,) = waiting
    assert close() == mesh_render_operator.LOOK_SECONDS
    assert "Scene Meshes" in bpy.data.scenes
    running[0] = False
    assert close() is None
    assert _state() == before


def test_what_a_window_cannot_render_is_said(touchy):
    touchy.camera = None
    window, operator = Window(), InWindow()
    assert operator.start_modal(window) == {"CANCELLED"}
    ((kind, text),) = operator.reports
    assert kind == {"ERROR"}
    assert "no camera" in text
    assert window.timers == []
