# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as Blender calls it; Blender makes a new one for each render."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import bpy
import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError, Interrupted
from ...results.cryptomatte import metadata
from ...results.frame_request import CRYPTOMATTE
from ..common.spoken import spoken
from ..drawing import handler
from .camera import region_of
from .identity import ENGINE, LABEL
from .render_passes import OBJECT_CRYPTOMATTE, passes_of
from .render_worker import CLOSED, render_worker
from .scene_request import SceneRequest, scene_request
from .viewport import RenderedViewport

if TYPE_CHECKING:
    from bpy.types import Context, Depsgraph, Scene, ViewLayer


class CGC_RenderEngine(bpy.types.RenderEngine):  # noqa: N801 - Blender's convention
    """Draws the splats of a scene in the worker."""

    bl_idname = ENGINE
    bl_label = LABEL
    bl_use_preview = False
    bl_use_eevee_viewport = True

    _viewport: RenderedViewport | None = None
    """Of an engine that shades a viewport."""

    def update_render_passes(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, scene: Scene | None = None, renderlayer: ViewLayer | None = None
    ) -> None:
        """Tell Blender the passes that a view layer asks for."""
        if scene is None or renderlayer is None:
            return
        for one in passes_of(renderlayer):
            self.register_pass(
                scene, renderlayer, one.name, len(one.channels), one.channels, one.kind
            )

    def render(self, depsgraph: Depsgraph) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Render one view layer of one frame, perhaps in a thread of Blender's."""
        try:
            self._render(depsgraph)
        except Interrupted:
            return
        except CgcError as error:
            self.report({"ERROR"}, spoken(error))
            self.error_set(spoken(error))

    def view_update(self, context: Context, depsgraph: Depsgraph) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Do nothing: what changes is drawn anew as a whole."""

    def view_draw(self, context: Context, depsgraph: Depsgraph) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Draw the splats in a viewport, over the world."""
        if self._viewport is None:
            self._viewport = RenderedViewport()
        if self._viewport.draw(context, depsgraph):
            self.tag_redraw()

    def __del__(self) -> None:
        """Free what a viewport held."""
        if self._viewport is not None:
            self._viewport.close()

    def _render(self, depsgraph: Depsgraph) -> None:
        layer = cast("ViewLayer", depsgraph.view_layer)
        passes = passes_of(layer)
        region = region_of(
            cast("Scene", depsgraph.scene_eval), self.resolution_x, self.resolution_y
        )
        worker = render_worker()
        self.update_stats("", "Reading the scene")
        wanted = scene_request(
            depsgraph,
            self.camera_override,
            region,
            passes,
            worker.handover().write,
            worker.folder(),
            worker.meshes,
        )
        if wanted.remark:
            self.report({"WARNING"}, wanted.remark)
        files = worker.draw(wanted.request, self.test_break, self._tell)
        drawn = {one.name: _read(files[one.drawn]) for one in passes}
        self._write(layer.name, drawn, wanted)

    def _tell(self, stage: str, share: float) -> None:
        self.update_stats("", stage)
        self.update_progress(share)

    def _write(
        self, layer: str, drawn: dict[str, NDArray[np.float32]], wanted: SceneRequest
    ) -> None:
        """Put passes (H, W, channels) into the render result, by their names there."""
        camera = wanted.request.view.camera
        result = self.begin_result(0, 0, camera.width, camera.height, layer=layer)
        for one in cast("Any", result.layers[0].passes):
            if one.name in drawn:
                # Blender's rows go from the bottom to the top.
                one.rect.foreach_set(drawn[one.name][::-1].reshape(-1))
        self.end_result(result)
        if CRYPTOMATTE in wanted.request.passes:
            told = metadata(f"{layer}.{OBJECT_CRYPTOMATTE}", wanted.names)
            for field, value in told.items():
                cast("Any", self.get_result()).stamp_data_add_field(field, value)


def _read(path: Path) -> NDArray[np.float32]:
    try:
        return np.load(path)
    except OSError:  # the folder goes with the worker
        raise CgcError(CLOSED) from None


def register() -> None:
    """Add the engine."""
    bpy.utils.register_class(CGC_RenderEngine)
    handler.leave_to(ENGINE)


def unregister() -> None:
    """Take it away."""
    bpy.utils.unregister_class(CGC_RenderEngine)
