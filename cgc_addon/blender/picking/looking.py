# SPDX-License-Identifier: GPL-3.0-or-later
"""From where operators look that point at something: a viewport, a camera, or what they are given.

So they can be repeated in the panel of the last operation, and called without any window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
import numpy as np
from bpy.props import FloatProperty, FloatVectorProperty, IntVectorProperty, StringProperty
from numpy.typing import NDArray

from ...dataset.scene import PinholeCamera
from ...errors import CgcError
from ..capture.cameras import view_of
from ..common.context import members_of, scene_of
from ..drawing.shown import Viewpoint
from ..segments.choice import SegmentChange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpy.stub_internal.rna_enums import OperatorReturnItems
    from bpy.types import Context, Event

NUMBERS = 16
"""Of a matrix."""
_FLIP_YZ = np.diag([1.0, -1.0, -1.0, 1.0])
"""From COLMAP's axes of a camera to Blender's."""
_NEAREST = 0.01
"""Of a camera's lens; what is drawn here goes by other rules."""


class Looking(SegmentChange):
    """What operators have in common that look at splats from somewhere."""

    if TYPE_CHECKING:
        camera: str
        view_matrix: Sequence[float]
        window_matrix: Sequence[float]
        region_size: Sequence[int]
    else:
        camera: StringProperty(
            name="Camera",
            description="Name of the camera to look through, at the size of its photo; none: the "
            "viewport",
            options={"SKIP_SAVE", "HIDDEN"},
        )
        view_matrix: FloatVectorProperty(
            name="View Matrix",
            description="From the world to the view, row by row",
            size=NUMBERS,
            options={"SKIP_SAVE", "HIDDEN"},
        )
        window_matrix: FloatVectorProperty(
            name="Window Matrix",
            description="From the view to clip space, row by row",
            size=NUMBERS,
            options={"SKIP_SAVE", "HIDDEN"},
        )
        region_size: IntVectorProperty(
            name="Region Size",
            description="Width and height of the picture, px; 0: those of the viewport",
            size=2,
            min=0,
            options={"SKIP_SAVE", "HIDDEN"},
        )

    @classmethod
    def poll(cls, context: Context) -> bool:
        """Need segments, and Object Mode."""
        if context.mode != "OBJECT":
            cls.poll_message_set("This works in Object Mode")
            return False
        return super().poll(context)

    def look_from(self, context: Context) -> None:
        """Keep where the viewport looks from, for when the operator is repeated."""
        region, view = members_of(context).region, members_of(context).region_data
        if region is not None and view is not None:
            self.view_matrix = np.array(view.view_matrix).reshape(-1).tolist()
            self.window_matrix = np.array(view.window_matrix).reshape(-1).tolist()
            self.region_size = (region.width, region.height)

    def viewpoint(self, context: Context) -> Viewpoint:
        """Return from where to look.

        Raises:
            CgcError: there is no such camera, and no viewport either.
        """
        if self.camera:
            return viewpoint_of_camera(context, self.camera)
        if not any(self.region_size):
            self.look_from(context)
        if not all(self.region_size):
            raise CgcError(
                "There is no 3D viewport to look from; name a camera, or give view_matrix, "
                "window_matrix and region_size."
            )
        width, height = self.region_size
        return Viewpoint(
            np.array(self.view_matrix, np.float64).reshape(4, 4),
            np.array(self.window_matrix, np.float64).reshape(4, 4),
            width,
            height,
        )


class Pointing(Looking):
    """What operators have in common that act on what is seen at a place."""

    if TYPE_CHECKING:
        x: float
        y: float
    else:
        x: FloatProperty(
            name="X", description="px from the left edge", options={"SKIP_SAVE", "HIDDEN"}
        )
        y: FloatProperty(
            name="Y", description="px from the lower edge", options={"SKIP_SAVE", "HIDDEN"}
        )

    def invoke(self, context: Context, event: Event) -> set[OperatorReturnItems]:
        """Point with the mouse."""
        self.refusal = "WARNING"
        self.look_from(context)
        self.x, self.y = event.mouse_region_x + 0.5, event.mouse_region_y + 0.5
        return self.execute(context)


def viewpoint_of_camera(context: Context, name: str) -> Viewpoint:
    """Return from where a camera looks, at the size of its photo.

    Raises:
        CgcError: there is no such camera, or no pinhole camera shows what it shows.
    """
    item = bpy.data.objects.get(name)
    if item is None:
        raise CgcError(f"There is no camera {name} in this file; name one of its cameras.")
    view = view_of(scene_of(context), item, np.eye(4), name)
    camera = view.camera
    return Viewpoint(_FLIP_YZ @ view.world_to_camera, lens_of(camera), camera.width, camera.height)


def lens_of(camera: PinholeCamera) -> NDArray[np.float64]:
    """Return the matrix (4, 4) from a camera's space, in Blender's axes, to clip space."""
    across = (2.0 * camera.fx / camera.width, 1.0 - 2.0 * camera.cx / camera.width)
    along = (2.0 * camera.fy / camera.height, 2.0 * camera.cy / camera.height - 1.0)
    return np.array(
        [
            [across[0], 0.0, across[1], 0.0],
            [0.0, along[0], along[1], 0.0],
            [0.0, 0.0, -1.0, -2.0 * _NEAREST],
            [0.0, 0.0, -1.0, 0.0],
        ]
    )
