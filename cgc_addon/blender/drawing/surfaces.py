# SPDX-License-Identifier: GPL-3.0-or-later
"""What regions show, looked at beside the window whenever somebody asks."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from ..common.access import of_scene
from ..common.context import members_of, region_of, scene_of, view_layer_of
from .seen import Seen, seen_in
from .shown import Appearance, Viewpoint, viewpoint_of
from .sorter import Sorter
from .watch import shown_scene

if TYPE_CHECKING:
    from bpy.types import Context, SpaceView3D


class Surfaces:
    """What is seen in the region that was asked for last."""

    def __init__(self) -> None:
        """Look at nothing yet."""
        self._sorter: Sorter[Seen] = Sorter()
        self._kept: tuple[tuple[Hashable, ...], Seen] | None = None

    def ask(self, context: Context) -> None:
        """Wish to know what the region of a context shows now."""
        wanted = _wanted(context)
        if wanted is None:
            return
        appearances, viewpoint, size = wanted
        self._sorter.ask(_key(*wanted), lambda: seen_in(appearances, viewpoint, size))

    def newest(self, context: Context) -> Seen | None:
        """Return what the region of a context shows now, None where it is not known yet."""
        wanted, newest = _wanted(context), self._sorter.newest()
        if wanted is None or newest is None or newest[0] != _key(*wanted):
            return None
        return newest[1]

    def known(
        self, appearances: tuple[Appearance, ...], viewpoint: Viewpoint, size: float
    ) -> Seen | None:
        """Return how deep one sees, if that is known; which splat is where may be out of date."""
        key, newest = _key(appearances, viewpoint, size), self._sorter.newest()
        return next((one[1] for one in (newest, self._kept) if one and one[0] == key), None)

    def keep(
        self,
        appearances: tuple[Appearance, ...],
        viewpoint: Viewpoint,
        size: float,
        seen: Seen,
    ) -> None:
        """Let `known` return something that somebody has found out."""
        self._kept = (_key(appearances, viewpoint, size), seen)

    @property
    def busy(self) -> bool:
        """Whether something is being looked at."""
        return self._sorter.busy

    def close(self) -> None:
        """Look at nothing more."""
        self._kept = None
        self._sorter.close()


def _wanted(context: Context) -> tuple[tuple[Appearance, ...], Viewpoint, float] | None:
    view, depsgraph = members_of(context).region_data, view_layer_of(context).depsgraph
    if view is None or depsgraph is None:
        return None
    region, space = region_of(context), members_of(context).space_data
    return (
        shown_scene().appearances(depsgraph, _typed(space)),
        viewpoint_of(view, region.width, region.height),
        of_scene(scene_of(context)).look_size,
    )


def _key(
    appearances: tuple[Appearance, ...], viewpoint: Viewpoint, size: float
) -> tuple[Hashable, ...]:
    """Return what is equal as long as the same is seen; what is selected does not matter."""
    places = tuple((one.splat.gaussians, one.matrix.tobytes()) for one in appearances)
    matrices = (viewpoint.world_to_view.tobytes(), viewpoint.projection.tobytes())
    return (places, *matrices, viewpoint.width, viewpoint.height, size)


def _typed(space: object) -> SpaceView3D | None:
    return space  # pyright: ignore[reportReturnType] - a context with `region_data` is a viewport's
