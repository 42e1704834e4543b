# SPDX-License-Identifier: GPL-3.0-or-later
"""Photos in other colours than sRGB, Display P3 of phones for example, become sRGB."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from PIL._imagingcms import CmsProfile
    from PIL.ImageCms import ImageCmsTransform

_SAME = 4
"""Of 255: profiles that change colours no more are sRGB, which is written in many ways."""
_SHADES = 6
"""Of each channel that a profile is tried with."""
_PROFILES_KEPT = 16


def is_srgb(profile: bytes | None) -> bool:
    """Say whether an ICC profile leaves RGB values as they are; so it is if there is none.

    Args:
        profile: as stored in the image.
    """
    return not profile or _transform(profile) is None


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return an image in sRGB; the image itself where its profile is sRGB, or none that is usable.

    Args:
        image: of mode "RGB".
        profile: ICC profile of its colours.
    """
    transform = _transform(profile) if profile else None
    if transform is None:
        return image
    return transform.apply(image)


@lru_cache(maxsize=_PROFILES_KEPT)  # a capture has one, and making it takes longer than a look-up
def _transform(profile: bytes) -> ImageCmsTransform | None:
    """Return what makes colours sRGB; None where they are, or the profile is not one of RGB."""
    from PIL import ImageCms

    try:
        source = ImageCms.getOpenProfile(io.BytesIO(profile))
        described = cast("CmsProfile", source.profile)
        if described.xcolor_space.strip() != "RGB":
            return None
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            "RGB",
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):  # damaged: viewers ignore it, too
        return None
    shades = np.linspace(0, 255, _SHADES).round().astype(np.uint8)
    trial = np.stack(np.meshgrid(shades, shades, shades), axis=-1).reshape(_SHADES, -1, 3)
    changed = np.asarray(transform.apply(Image.fromarray(trial))).astype(int) - trial
    return transform if np.abs(changed).max() > _SAME else None
