# SPDX-License-Identifier: GPL-3.0-or-later
"""The two renders of a scene with splats and meshes, one after the other, and what is between."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

import bpy

from ...errors import CgcError
from .camera import checked_camera
from .identity import ENGINE
from .mesh_scene import MeshScene, engine_for
from .render_worker import render_worker

if TYPE_CHECKING:
    from bpy.types import Scene


class MeshRendering:
    """Says which scene is to be rendered; `close` puts everything back, at any moment."""

    def __init__(self, scene: Scene, choice: str, animation: bool) -> None:
        """Check what can be checked.

        Args:
            scene: with splats and meshes.
            choice: of the engine for meshes, as `engine_for` takes it.
            animation: render all frames, not the one that the scene stands at.

        Raises:
            CgcError: the scene cannot be rendered with splats.
        """
        checked_camera(scene, scene.camera)
        self._scene_uid, self._animation = scene.session_uid, animation
        self._engine = engine_for(scene, choice)
        self._undo = ExitStack()
        self._meshes: MeshScene | None = None
        self.scene_name = cast("str", scene.name)
        """Of what is to be rendered now."""
        self.draws_splats = False
        """Whether the meshes are done."""

    def __enter__(self) -> MeshRendering:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def begin_meshes(self) -> None:
        """Make the scene that renders meshes.

        Raises:
            CgcError: the scene is gone, this Blender does not have the engine, or there is no room
                for the pictures.
        """
        # Where the user's preferences have room for temporary files.
        folder = tempfile.TemporaryDirectory(
            prefix="cgc-meshes-", dir=bpy.app.tempdir or None, ignore_cleanup_errors=True
        )
        self._undo.callback(folder.cleanup)
        self._meshes = MeshScene(
            self._scene(), self._engine, Path(folder.name), animation=self._animation
        )
        self._undo.callback(self._meshes.close)
        self.scene_name = self._meshes.name

    def begin_splats(self) -> bool:
        """Let the scene itself be rendered around what was rendered of its meshes.

        Returns:
            Whether there is all that is needed; if not, the meshes were cancelled.

        Raises:
            CgcError: the scene is gone.
        """
        assert self._meshes is not None
        self._meshes.close()
        if self._meshes.pictures.missing():
            return False
        scene, worker = self._scene(), render_worker()
        worker.meshes = self._meshes.pictures
        self._undo.callback(setattr, worker, "meshes", None)
        self._undo.callback(self._use, scene.render.engine, scene.render.use_lock_interface)
        self._use(ENGINE, lock=True)  # the engine is not the user's choice: nothing may save it
        self.scene_name, self.draws_splats = cast("str", scene.name), True
        return True

    def close(self) -> None:
        """Put back what was changed and delete the pictures; may be called twice."""
        self._undo.close()

    def _use(self, engine: str, lock: bool) -> None:
        for scene in bpy.data.scenes:
            if scene.session_uid == self._scene_uid:
                cast("Any", scene.render).engine = engine
                scene.render.use_lock_interface = lock

    def _scene(self) -> Scene:
        for scene in bpy.data.scenes:
            if scene.session_uid == self._scene_uid:
                return scene
        raise CgcError("The scene was deleted while its meshes were rendered; render again.")
