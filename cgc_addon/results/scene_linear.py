# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours of splats, which are sRGB as photos are, as the scene-linear ones that Blender keeps.

A splat is blended in sRGB values, as it was trained; what comes of it is decoded as a whole.
"""

from __future__ import annotations

import torch
from torch import Tensor


def linear_from_srgb(colors: Tensor) -> Tensor:
    """Return linear colours of sRGB ones; light below black is black, above white it goes on.

    Args:
        colors: of any shape, 1 is white.
    """
    positive = colors.clamp(min=0.0)
    return torch.where(positive <= 0.04045, positive / 12.92, ((positive + 0.055) / 1.055) ** 2.4)


def srgb_from_linear(colors: Tensor) -> Tensor:
    """Undo `linear_from_srgb` for colours from black on."""
    positive = colors.clamp(min=0.0)
    return torch.where(
        positive <= 0.0031308, positive * 12.92, 1.055 * positive ** (1 / 2.4) - 0.055
    )


def over_background(rgb: Tensor, transmittance: Tensor, background: Tensor) -> Tensor:
    """Return linear colours (H, W, 3) of a picture in front of a background.

    Args:
        rgb: (H, W, 3) sRGB, blended from front to back.
        transmittance: (H, W) what of the background is seen, 0..1.
        background: (3,) linear.
    """
    return linear_from_srgb(rgb + transmittance[..., None] * srgb_from_linear(background))


def premultiplied(rgb: Tensor, alpha: Tensor) -> Tensor:
    """Return linear colours (H, W, 3), multiplied by alpha, of a picture in front of nothing.

    Args:
        rgb: (H, W, 3) sRGB, blended from front to back, so that it is multiplied by alpha too.
        alpha: (H, W) coverage, 0..1.
    """
    coverage = alpha[..., None]
    straight = rgb / coverage.clamp(min=torch.finfo(rgb.dtype).tiny)
    return torch.where(coverage > 0.0, linear_from_srgb(straight) * coverage, 0.0)
