# SPDX-License-Identifier: GPL-3.0-or-later
"""Splats and meshes by one press: another engine renders meshes, then ours draws around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, EnumProperty

from ...errors import CgcError
from ..common.buttons import layout_of, set_options
from ..common.context import members_of, scene_of, window_manager_of
from ..common.spoken import spoken
from ..common.windows import show_status
from .mesh_rendering import MeshRendering
from .mesh_scene import AS_SCENE, CYCLES, EEVEE

if TYPE_CHECKING:
    from bpy.stub_internal.rna_enums import IconItems, OperatorReturnItems
    from bpy.types import Context, Event, Menu, Timer, UILayout

    _Operator = bpy.types.Operator
else:
    _Operator = object

LOOK_SECONDS = 0.1
"""Between two looks at whether a render has ended."""
ENGINES = (
    (AS_SCENE, "As the Scene", "The engine of the scene; EEVEE where that draws splats alone"),
    (EEVEE, "EEVEE", "Render meshes with EEVEE"),
    (CYCLES, "Cycles", "Render meshes with Cycles"),
)
MESHES, SPLATS = "Meshes are rendered; Esc cancels", "Splats are drawn; Esc cancels"


@dataclass(frozen=True)
class RenderOptions:
    """What is wanted of both renders."""

    animation: bool
    """All frames, not the one that the scene stands at."""
    write_still: bool
    """Into the scene's output path; an animation is written in any case."""
    engine: str
    """Of `ENGINES`."""


class TwoRenders(_Operator):
    """Mixed into an operator: renders meshes, then splats, in a window as jobs of Blender's."""

    if TYPE_CHECKING:
        _timer: Timer | None
        _rendering: MeshRendering | None

    _rendering = None
    _timer = None

    def wanted(self) -> RenderOptions:
        """Return what the user asks for."""
        raise NotImplementedError

    def execute(self, context: Context) -> set[OperatorReturnItems]:
        wanted = self.wanted()
        try:
            with MeshRendering(scene_of(context), wanted.engine, wanted.animation) as rendering:
                rendering.begin_meshes()
                self._render("EXEC_DEFAULT", rendering, write_still=True)
                if not rendering.begin_splats():
                    return self._cancelled()
                self._render("EXEC_DEFAULT", rendering, write_still=wanted.write_still)
        except CgcError as error:
            self.report({"ERROR"}, spoken(error))
            return {"CANCELLED"}
        return {"FINISHED"}

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        if bpy.app.background or members_of(context).window is None:
            return self.execute(context)
        return self.start_modal(context)

    def start_modal(self, context: Context) -> set[OperatorReturnItems]:
        """Start the first render and keep an eye on both while the window goes on working."""
        try:
            wanted = self.wanted()
            self._rendering = MeshRendering(scene_of(context), wanted.engine, wanted.animation)
            self._rendering.begin_meshes()
            self._render("INVOKE_DEFAULT", self._rendering, write_still=True)
        except CgcError as error:
            self.report({"ERROR"}, spoken(error))
            self._close(context)
            return {"CANCELLED"}
        except BaseException:  # whatever it was, nothing may stay hidden
            self._close(context)
            raise
        manager = window_manager_of(context)
        self._timer = manager.event_timer_add(LOOK_SECONDS, window=members_of(context).window)
        manager.modal_handler_add(self)
        show_status(context, MESHES)
        return {"RUNNING_MODAL"}

    def modal(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        # Esc ends the render that runs, which is Blender's to do; what is missing then tells.
        if event.type != "TIMER" or a_render_runs():
            return {"PASS_THROUGH"}
        rendering = self._rendering
        if rendering is None or rendering.draws_splats:
            self._close(context)
            return {"FINISHED"}
        try:
            if not rendering.begin_splats():
                self._close(context)
                return self._cancelled()
            self._render("INVOKE_DEFAULT", rendering, write_still=self.wanted().write_still)
        except CgcError as error:
            self._close(context)
            self.report({"ERROR"}, spoken(error))
            return {"CANCELLED"}
        except BaseException:
            self._close(context)
            raise
        show_status(context, SPLATS)
        return {"PASS_THROUGH"}

    def cancel(self, context: Context) -> None:
        """Blender takes the operator away: another file is loaded, or the window is closed."""
        rendering, self._rendering = self._rendering, None
        self._close(context)
        if rendering is not None:
            close_after_render(rendering)

    def _render(self, how: str, rendering: MeshRendering, *, write_still: bool) -> None:
        """Start a render, or render.

        Raises:
            CgcError: the engine said why not.
        """
        try:
            bpy.ops.render.render(
                how,
                animation=self.wanted().animation,
                write_still=write_still,
                scene=rendering.scene_name,
            )
        except RuntimeError as error:  # so Blender hands on what an engine reports
            raise CgcError(str(error).removeprefix("Error: ").strip()) from error

    def _cancelled(self) -> set[OperatorReturnItems]:
        self.report({"WARNING"}, f"{self.bl_label} was cancelled")
        return {"CANCELLED"}

    def _close(self, context: Context) -> None:
        if self._timer is not None:
            window_manager_of(context).event_timer_remove(self._timer)
            self._timer = None
        if self._rendering is not None:
            self._rendering.close()
            self._rendering = None
        show_status(context, None)


class CGC_OT_render_with_meshes(TwoRenders, bpy.types.Operator):  # noqa: N801 - Blender's convention
    """`cgc.render_with_meshes`."""

    bl_idname = "cgc.render_with_meshes"
    bl_label = "Render Splats and Meshes"
    bl_description = (
        "Render meshes with EEVEE or Cycles and draw the splats around them, so that each hides "
        "the other. Splats cast no shadows and are not mirrored; motion blur and depth of field "
        "are left out"
    )
    bl_options = {"REGISTER"}  # noqa: RUF012 - Blender's convention

    if TYPE_CHECKING:
        animation: bool
        write_still: bool
        engine: str
    else:
        animation: BoolProperty(
            name="Animation", description="Render the frames of the scene into its output files"
        )
        write_still: BoolProperty(
            name="Write Image", description="Save the picture to the output path of the scene"
        )
        engine: EnumProperty(
            name="Meshes", description="What renders the meshes", items=ENGINES, default=AS_SCENE
        )

    @classmethod
    def poll(cls, context: Context) -> bool:
        if a_render_runs():
            cls.poll_message_set("A render is running")
            return False
        return True

    def wanted(self) -> RenderOptions:
        return RenderOptions(self.animation, self.write_still, self.engine)


def a_render_runs() -> bool:
    """Return whether Blender renders in the background of a window."""
    return bool(bpy.app.is_job_running("RENDER"))


def close_after_render(rendering: MeshRendering) -> None:
    """Put everything back as soon as Blender does not read it any more."""

    def close() -> float | None:
        if a_render_runs():
            return LOOK_SECONDS
        rendering.close()
        return None

    if close() is not None:
        bpy.app.timers.register(close, first_interval=LOOK_SECONDS)


def draw_buttons(layout: UILayout, text: str) -> None:
    """Draw a button for a picture and one for an animation."""
    kinds: tuple[tuple[bool, str, IconItems], ...] = (
        (False, text, "RENDER_STILL"),
        (True, f"{text} (Animation)", "RENDER_ANIMATION"),
    )
    for animation, label, icon in kinds:
        button = layout.operator(CGC_OT_render_with_meshes.bl_idname, text=label, icon=icon)
        set_options(button, animation=animation)


def register() -> None:
    """Register the operator and put it into the menu Render."""
    bpy.utils.register_class(CGC_OT_render_with_meshes)
    bpy.types.TOPBAR_MT_render.append(_draw_menu)


def unregister() -> None:
    """Take both away again."""
    bpy.types.TOPBAR_MT_render.remove(_draw_menu)
    bpy.utils.unregister_class(CGC_OT_render_with_meshes)


def _draw_menu(menu: Menu, _context: Context) -> None:
    layout = layout_of(menu)
    layout.separator()
    draw_buttons(layout, CGC_OT_render_with_meshes.bl_label)
