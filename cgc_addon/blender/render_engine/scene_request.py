# SPDX-License-Identifier: GPL-3.0-or-later
"""What a render shows, read from Blender's evaluated scene, as a request to the worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ...results.frame_request import FramePart, FrameRequest
from ..capture.parts import active_capture_in
from ..common.access import of_scene
from ..output.mask_views import frame_of_capture
from ..output.placed_splats import PlacedSplat, visible_splats
from ..splats.objects import data_of
from .camera import Region, camera_view
from .mesh_pictures import MeshPictures
from .render_passes import RenderPass, ranks_of, wanted_drawings
from .world_color import scene_primaries, world_color

if TYPE_CHECKING:
    from bpy.types import Depsgraph, Object, PointCloud, Scene, ViewLayer

_NEVER_SEEN = frozenset(
    {"CAMERA", "EMPTY", "LIGHT", "LIGHT_PROBE", "SPEAKER", "ARMATURE", "LATTICE"}
)
"""Types of objects that no picture shows."""
HandOver = Callable[["PointCloud"], Path]
"""Writes the Gaussians of a point cloud into a file, where they are in none, and names it."""


@dataclass(frozen=True, eq=False)
class SceneRequest:
    """A request, and what Blender needs to know of it."""

    request: FrameRequest
    names: tuple[str, ...]
    """Of the objects that Cryptomatte may list."""
    remark: str
    """What the user should know, "" for nothing."""


def scene_request(
    depsgraph: Depsgraph,
    camera: Object | None,
    region: Region,
    passes: list[RenderPass],
    hand_over: HandOver,
    output: Path,
    meshes: MeshPictures | None = None,
) -> SceneRequest:
    """Read the evaluated scene; nothing of it is changed.

    Args:
        depsgraph: of the render, evaluated for one view layer and frame.
        camera: to render through, None for the scene's.
        region: of the picture.
        passes: of the view layer.
        hand_over: is given each point cloud.
        output: folder for the answer.
        meshes: to draw around.

    Raises:
        CgcError: the camera cannot be drawn through, a splat has a scale of zero, or the frame has
            no picture of its meshes.
    """
    scene = cast("Scene", depsgraph.scene_eval)
    layer = cast("ViewLayer", depsgraph.view_layer)
    capture = active_capture_in(cast("Scene", depsgraph.scene), layer)
    frame = frame_of_capture(capture, depsgraph)
    camera = camera or scene.camera
    view = camera_view(scene, camera, depsgraph, frame, region)
    try:
        to_frame = np.linalg.inv(frame)
    except np.linalg.LinAlgError:
        raise CgcError(
            "The root Empty of the capture has a scale of zero; give every axis a scale first."
        ) from None
    placed = visible_splats(depsgraph, visibility="RENDER")
    files: dict[str, Path] = {}
    parts = []
    for splat in placed:
        cloud = data_of(splat.object)
        if cloud.name_full not in files:
            files[cloud.name_full] = hand_over(cast("PointCloud", cloud.evaluated_get(depsgraph)))
        parts.append(_part(splat, files[cloud.name_full], to_frame))
    background, remark = None, ""
    if not scene.render.film_transparent:
        background, whole = world_color(scene.world)
        if not whole and scene.world is not None:
            remark = (
                f"The nodes of {scene.world.name} are more than one colour; its viewport colour "
                "is drawn instead."
            )
    request = FrameRequest(
        parts=tuple(parts),
        view=view,
        passes=wanted_drawings(passes),
        output=output,
        to_world=frame,
        to_scene=scene_primaries(),
        background=background,
        ranks=ranks_of(layer),
        backend=of_scene(cast("Scene", depsgraph.scene)).backend,
        meshes=None
        if meshes is None or camera is None
        else meshes.file_of(scene, layer, camera.evaluated_get(depsgraph), region),
    )
    names = [part.name for part in parts if not part.holdout]
    if request.meshes is not None:
        names += [item.name for item in depsgraph.objects if item.type not in _NEVER_SEEN]
    return SceneRequest(request, tuple(dict.fromkeys(names)), remark)


def _part(splat: PlacedSplat, file: Path, to_frame: NDArray[np.float64]) -> FramePart:
    item = splat.object
    # Where no number was given, the segment says what it is; that of each Gaussian, in none.
    index = item.pass_index or splat.segment
    return FramePart(file, to_frame @ splat.matrix, item.name, index, splat.holdout)
