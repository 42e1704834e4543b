# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders as bright as the photo that they are compared with."""

from __future__ import annotations

from torch import Tensor

from ..dataset.scene import Scene


def as_exposed(rgb: Tensor, scene: Scene, index: int) -> Tensor:
    """Return colours as the photo of a view would show them.

    Without this, Gaussians take up what photos disagree on, as fog before single cameras.

    Args:
        rgb: (..., 3) sRGB in 0..1.
        scene: with the gains of its photos, if they are not alike.
        index: of the view.
    """
    if scene.gains is None:
        return rgb
    return rgb * float(scene.gains[index])
