# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of the meshes of a scene, frame by frame, which splats are drawn around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ...errors import CgcError
from ...results.mesh_layer import MeshFile
from ..capture.cameras import camera_data

if TYPE_CHECKING:
    from bpy.types import Object, Scene, ViewLayer

    from .camera import Region


@dataclass(frozen=True)
class MeshPictures:
    """What was rendered for a scene."""

    scene: str
    """Full name of the scene that the splats are rendered of."""
    files: Mapping[int, Path]
    """The picture of each frame."""

    def file_of(
        self, scene: Scene, layer: ViewLayer, camera: Object, region: Region
    ) -> MeshFile | None:
        """Return the picture for a view layer at the frame that a scene stands at.

        Args:
            scene: evaluated.
            layer: whose meshes are wanted.
            camera: evaluated, that is rendered through.
            region: of the picture that is rendered.

        Returns:
            None for another scene.

        Raises:
            CgcError: the frame was not rendered.
        """
        if scene.name_full != self.scene:
            return None
        path = self.files.get(scene.frame_current)
        if path is None:
            raise CgcError(
                f"The meshes of frame {scene.frame_current} were not rendered; render splats and "
                "meshes again."
            )
        corner = (0, 0) if scene.render.use_crop_to_border else (region.left, region.top)
        clip_end = cast("float", camera_data(camera).clip_end)
        return MeshFile(path, layer.name, clip_end, corner)

    def missing(self) -> list[int]:
        """Return the frames whose pictures are not there."""
        return [frame for frame, path in self.files.items() if not path.is_file()]
