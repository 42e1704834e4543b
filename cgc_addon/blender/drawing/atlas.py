# SPDX-License-Identifier: GPL-3.0-or-later
"""All Gaussians that are shown, on the graphics card, each once however often it appears.

A Gaussian takes 40 bytes and its harmonics 8 to 96, so 1 M Gaussians of degree 3 take 136 MB.
Positions and sizes keep 32 bits; a rotation and harmonics lose nothing that could be seen in 16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError
from ...splats import rotations
from ...splats.spherical_harmonics import coefficient_count
from ..common.display_attributes import sigmoid
from .textures import list_texture, most_texels

if TYPE_CHECKING:
    from gpu.types import GPUTexture

    from ...splats.gaussians import Gaussians
    from .shown import StoredSplat

MOST_GAUSSIANS = 1 << 24
"""Their indices travel as 32-bit floats, which count no further."""


@dataclass(frozen=True, eq=False)
class Atlas:
    """Textures of N Gaussians, in the order of the splats they come from."""

    holds: tuple[Gaussians, ...]
    starts: tuple[int, ...]
    """Index of the first Gaussian of each of them."""
    means: GPUTexture
    """xyz in the splat's space, and opacity."""
    scales: GPUTexture
    """Standard deviations along the Gaussian's axes."""
    quats: GPUTexture
    """wxyz, normalised."""
    harmonics: GPUTexture
    """`texels` for each Gaussian: RGB of each coefficient, one after the other."""
    texels: int
    degree: int

    def start_of(self, gaussians: Gaussians) -> int:
        """Return the index of the first of some Gaussians that are here."""
        return self.starts[self.holds.index(gaussians)]


def build_atlas(splats: Sequence[Gaussians]) -> Atlas:
    """Bring splats onto the graphics card.

    Harmonics of a degree for which textures have no room are left out.

    Raises:
        CgcError: there are more Gaussians than can be drawn.
    """
    counts = [len(gaussians) for gaussians in splats]
    starts = np.concatenate([[0], np.cumsum(counts)])
    total = int(starts[-1])
    if total > min(MOST_GAUSSIANS, most_texels()):
        raise CgcError(
            f"{total:,} Gaussians are shown, and this graphics card can draw "
            f"{min(MOST_GAUSSIANS, most_texels()):,}; hide some, or choose the look Points."
        )
    degree = max(gaussians.sh_degree for gaussians in splats)
    while degree and total * texels_of(degree) > most_texels():
        degree -= 1
    return Atlas(
        holds=tuple(splats),
        starts=tuple(int(start) for start in starts[:-1]),
        means=list_texture(np.concatenate([_means(one) for one in splats]), "RGBA32F"),
        scales=list_texture(
            np.concatenate([_scales(gaussians) for gaussians in splats]), "RGBA32F"
        ),
        quats=list_texture(
            np.concatenate([rotations.normalised(gaussians.quats) for gaussians in splats]),
            "RGBA16F",
        ),
        harmonics=list_texture(
            np.concatenate([_harmonics(gaussians, degree) for gaussians in splats]).reshape(-1, 4),
            "RGBA16F",
        ),
        texels=texels_of(degree),
        degree=degree,
    )


def texels_of(degree: int) -> int:
    """Return how many texels the harmonics of a Gaussian take.

    Example:
        >>> [texels_of(degree) for degree in range(HIGHEST_DEGREE + 1)]
        [1, 3, 7, 12]
    """
    return -(-3 * coefficient_count(degree) // 4)


def feature_colors(splats: Sequence[StoredSplat]) -> GPUTexture | None:
    """Return the colours (sRGB) of all features, in the order of the atlas; None: none are known.

    Where some are not known, those are grey.
    """
    if all(splat.feature_colors is None for splat in splats):
        return None
    colors = np.ones((sum(len(splat.gaussians) for splat in splats), 4), dtype=np.float32)
    start = 0
    for splat in splats:
        end = start + len(splat.gaussians)
        known = splat.feature_colors
        colors[start:end, :3] = 0.5 if known is None else known
        start = end
    return list_texture(colors, "RGBA8")


def _means(gaussians: Gaussians) -> NDArray[np.float32]:
    opacities = sigmoid(gaussians.logit_opacities).astype(np.float32)
    return np.column_stack([gaussians.means, opacities])


def _scales(gaussians: Gaussians) -> NDArray[np.float32]:
    scales = np.exp(gaussians.log_scales)
    return np.column_stack([scales, np.zeros(len(scales), dtype=np.float32)])


def _harmonics(gaussians: Gaussians, degree: int) -> NDArray[np.float32]:
    sh = gaussians.sh[:, : coefficient_count(degree)]
    packed = np.zeros((len(sh), 4 * texels_of(degree)), dtype=np.float32)
    packed[:, : 3 * sh.shape[1]] = sh.reshape(len(sh), -1)
    return packed
