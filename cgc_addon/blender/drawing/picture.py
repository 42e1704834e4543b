# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture of splats on the graphics card, drawn in one go or in several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .atlas import Atlas, build_atlas, feature_colors
from .blending import Blending
from .compositing import Compositor
from .depth_compositing import DepthCompositor
from .graphics import drawing_into, in_software, new_framebuffer, new_texture, wait_for
from .projection import Projector

if TYPE_CHECKING:
    from gpu.types import GPUTexture

    from ...splats.gaussians import Gaussians
    from .ordering import Order
    from .projection import Ellipses
    from .shown import Appearance, StoredSplat, Viewpoint

_NOTHING = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Style:
    """How splats are painted."""

    mode: str = "PHOTO"
    """One of `projection.MODES`."""
    size: float = 1.0
    """Factor on their standard deviations."""
    depth_range: tuple[float, float] = (1.0, 2.0)
    """White and nearly black in the mode DEPTH, scene units."""
    marked: bool = False
    """Whether coverage by what is selected is kept, for an outline, and nearness."""


class Picture:
    """A picture that is being drawn; textures live as long as it does."""

    def __init__(self, size: tuple[int, int], ellipses: Ellipses, marked: bool) -> None:
        """Make it, empty.

        Args:
            size: width and height, px.
            ellipses: projected for that size.
            marked: whether it has a second picture, of what is selected.
        """
        # The processor blends 32-bit floats faster than 16-bit ones; graphics cards do not.
        wide = "RGBA32F" if in_software() else "RGBA16F"
        self.size = size
        self.drawn = 0
        """Ellipses that are in it."""
        self.colors = new_texture(size, wide)
        self.marks = new_texture(size, wide) if marked else None
        self.total = ellipses.count
        """How many ellipses it shows in the end."""
        self._ellipses: Ellipses | None = ellipses
        slots = (self.colors,) if self.marks is None else (self.colors, self.marks)
        self._framebuffer = new_framebuffer(*slots)
        for texture in slots:
            texture.clear(format="FLOAT", value=_NOTHING)

    @property
    def complete(self) -> bool:
        """Whether all of them are in it."""
        return self.drawn >= self.total

    def draw(self, blending: Blending, nearest: GPUTexture | None, count: int) -> None:
        """Draw the next `count` ellipses; `nearest` as in `Blending.blend`."""
        if self._ellipses is None:
            return
        with drawing_into(self._framebuffer, self.size):
            marked = self.marks is not None
            blending.blend(self._ellipses, self.size, self.drawn, count, nearest, marked=marked)
        self.drawn = min(self.drawn + count, self.total)
        if self.complete:
            self._ellipses = None  # which take more memory than all pixels

    def wait(self) -> None:
        """Wait until the graphics card has drawn what it was told to."""
        wait_for(self._framebuffer)


class Painter:
    """Everything that is compiled or uploaded once, for all regions of all windows."""

    def __init__(self) -> None:
        """Compile the shaders; needs a graphics context."""
        self.projector, self.blending = Projector(), Blending()
        self.compositor, self.depth_compositor = Compositor(), DepthCompositor()
        self.atlas: Atlas | None = None
        """The Gaussians that were drawn last."""
        self._features: tuple[tuple[StoredSplat, ...], GPUTexture | None] = ((), None)

    def begin(
        self,
        appearances: Sequence[Appearance],
        order: Order,
        viewpoint: Viewpoint,
        style: Style,
    ) -> Picture:
        """Return an empty picture, all that it will show projected for its size."""
        splats: list[StoredSplat] = []
        for appearance in appearances:
            if all(appearance.splat.gaussians is not other.gaussians for other in splats):
                splats.append(appearance.splat)
        atlas = self._atlas_of(tuple(splat.gaussians for splat in splats))
        ellipses = self.projector.project(
            atlas,
            self._features_of(splats) if style.mode == "FEATURE" else None,
            appearances,
            order,
            viewpoint,
            mode=style.mode,
            size=style.size,
            depth_range=style.depth_range,
        )
        return Picture((viewpoint.width, viewpoint.height), ellipses, style.marked)

    def forget(self) -> None:
        """Free the Gaussians."""
        self.atlas, self._features = None, ((), None)

    def _atlas_of(self, shown: tuple[Gaussians, ...]) -> Atlas:
        """Return the textures of what appears, uploaded only where something changed."""
        if self.atlas is None or self.atlas.holds != shown:
            self.atlas = None  # before the next one takes as much memory
            self.atlas = build_atlas(shown)
        return self.atlas

    def _features_of(self, splats: Sequence[StoredSplat]) -> GPUTexture | None:
        """Return the colours of features, uploaded only where something changed."""
        if self._features[0] != tuple(splats):
            self._features = (tuple(splats), feature_colors(splats))
        return self._features[1]
