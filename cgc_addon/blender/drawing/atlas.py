# SPDX-License-Identifier: GPL-3.0-or-later
"""All Gaussians that are shown, on the graphics card, each once however often it appears.

A Gaussian takes 40 bytes and its harmonics 8 to 96, so 1 M Gaussians of degree 3 take 136 MB.
Positions and sizes keep 32 bits; a rotation and harmonics lose nothing that could be seen in 16.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...splats import rotations
from ...splats.spherical_harmonics import coefficient_count
from ..common.display_attributes import sigmoid
from .shown import StoredSplat
from .textures import list_texture, most_texels

if TYPE_CHECKING:
    from gpu.types import GPUTexture

MOST_GAUSSIANS = 1 << 24
"""Their indices travel as 32-bit floats, which count no further."""


@dataclass(frozen=True, eq=False)
class Atlas:
    """Textures of N Gaussians, in the order of the splats they come from."""

    splats: tuple[StoredSplat, ...]
    starts: tuple[int, ...]
    """Index of the first Gaussian of each splat."""
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
    feature_colors: GPUTexture | None
    """sRGB; None where no splat has any."""

    def start_of(self, splat: StoredSplat) -> int:
        """Return the index of the first Gaussian of a splat that is here."""
        return self.starts[self.splats.index(splat)]


def build_atlas(splats: Sequence[StoredSplat]) -> Atlas:
    """Bring splats onto the graphics card.

    Harmonics of a degree for which textures have no room are left out.

    Args:
        splats: at least one Gaussian in all, and no more than `MOST_GAUSSIANS`.
    """
    counts = [len(splat.gaussians) for splat in splats]
    starts = np.concatenate([[0], np.cumsum(counts)])
    total = int(starts[-1])
    degree = max(splat.gaussians.sh_degree for splat in splats)
    while degree and total * texels_of(degree) > most_texels():
        degree -= 1
    colors = None
    if any(splat.feature_colors is not None for splat in splats):
        colors = np.concatenate(list(_feature_colors(splats)))
    return Atlas(
        splats=tuple(splats),
        starts=tuple(int(start) for start in starts[:-1]),
        means=list_texture(np.concatenate([_means(splat) for splat in splats]), "RGBA32F"),
        scales=list_texture(np.concatenate([_scales(splat) for splat in splats]), "RGBA32F"),
        quats=list_texture(
            np.concatenate([rotations.normalised(splat.gaussians.quats) for splat in splats]),
            "RGBA16F",
        ),
        harmonics=list_texture(
            np.concatenate([_harmonics(splat, degree) for splat in splats]).reshape(-1, 4),
            "RGBA16F",
        ),
        texels=texels_of(degree),
        degree=degree,
        feature_colors=None if colors is None else list_texture(colors, "RGBA8"),
    )


def texels_of(degree: int) -> int:
    """Return how many texels the harmonics of a Gaussian take.

    Example:
        >>> [texels_of(degree) for degree in range(HIGHEST_DEGREE + 1)]
        [1, 3, 7, 12]
    """
    return -(-3 * coefficient_count(degree) // 4)


def _means(splat: StoredSplat) -> NDArray[np.float32]:
    gaussians = splat.gaussians
    opacities = sigmoid(gaussians.logit_opacities).astype(np.float32)
    return np.column_stack([gaussians.means, opacities])


def _scales(splat: StoredSplat) -> NDArray[np.float32]:
    scales = np.exp(splat.gaussians.log_scales)
    return np.column_stack([scales, np.zeros(len(scales), dtype=np.float32)])


def _harmonics(splat: StoredSplat, degree: int) -> NDArray[np.float32]:
    sh = splat.gaussians.sh[:, : coefficient_count(degree)]
    packed = np.zeros((len(sh), 4 * texels_of(degree)), dtype=np.float32)
    packed[:, : 3 * sh.shape[1]] = sh.reshape(len(sh), -1)
    return packed


def _feature_colors(splats: Sequence[StoredSplat]) -> Iterator[NDArray[np.float32]]:
    for splat in splats:
        colors = np.ones((len(splat.gaussians), 4), dtype=np.float32)
        colors[:, :3] = 0.5 if splat.feature_colors is None else splat.feature_colors
        yield colors
