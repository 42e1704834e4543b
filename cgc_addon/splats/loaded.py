# SPDX-License-Identifier: GPL-3.0-or-later
"""What every reader of splats ends with: Gaussians that can be drawn, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CgcError
from .gaussians import Gaussians
from .select import subset

FEW = 0.1
"""Up to this share of Gaussians may be left out because they hold no numbers."""
OPAQUE_LOGIT = 16.0
"""Stands for the infinite logit of opacity 1, and its negative for opacity 0."""
FLAT_LOG_SCALE = -24.0
"""Stands for the infinite logarithm of scale 0."""


@dataclass(frozen=True, eq=False)
class LoadedSplat:
    """What a file held."""

    gaussians: Gaussians
    dropped: int
    """How many Gaussians were left out, because a value was not finite or a rotation was zero."""
    notes: tuple[str, ...]
    """Sentences for the user: what of the file is not there any more."""
    origin: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    """(3,) what means are relative to, in the frame of the file, scene units."""


def checked_splat(path: Path, gaussians: Gaussians, notes: tuple[str, ...] = ()) -> LoadedSplat:
    """Make infinite opacities and scales large finite ones, and leave out what is not finite.

    Args:
        path: the file, which notes and errors name.
        gaussians: as the file has them, one at least.
        notes: what its reader has to say.

    Raises:
        CgcError: more than a few Gaussians hold no numbers.

    Example:
        >>> from cgc_addon.splats.initialise import gaussians_from_points
        >>> one = gaussians_from_points(np.zeros((1, 3)), np.zeros((1, 3), np.uint8), sh_degree=0)
        >>> opaque = replace(one, logit_opacities=np.array([np.inf], np.float32))
        >>> checked_splat(Path("splat.ply"), opaque).gaussians.logit_opacities.tolist()
        [16.0]
    """
    opacities, scales = gaussians.logit_opacities, gaussians.log_scales
    opacities = np.where(np.isinf(opacities), np.copysign(OPAQUE_LOGIT, opacities), opacities)
    gaussians = replace(
        gaussians,
        logit_opacities=opacities.astype(np.float32),
        log_scales=np.where(np.isneginf(scales), np.float32(FLAT_LOG_SCALE), scales),
    )
    sound = _sound(gaussians)
    count = len(gaussians)
    dropped = count - int(sound.sum())
    if dropped > FEW * count:
        first = int(np.argmin(sound))
        raise CgcError(
            f"{path} is damaged: {dropped} of its {count} Gaussians hold values that are no finite "
            f"numbers or a rotation of zero, the first is vertex {first}."
        )
    if dropped:
        gaussians = subset(gaussians, sound)
        notes = (*notes, f"{dropped} damaged Gaussians of {path} were left out.")
    return LoadedSplat(gaussians, dropped, notes)


def _sound(gaussians: Gaussians) -> NDArray[np.bool_]:
    """Return which Gaussians (N,) hold finite values and a rotation that can be normalised."""
    sound = gaussians.quats.any(axis=1) & np.isfinite(gaussians.logit_opacities)
    for values in (gaussians.means, gaussians.log_scales, gaussians.quats, gaussians.features):
        if values is not None:
            sound &= np.isfinite(values).all(axis=1)
    return sound & np.isfinite(gaussians.sh).all(axis=(1, 2))
