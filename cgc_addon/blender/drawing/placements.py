# SPDX-License-Identifier: GPL-3.0-or-later
"""Where each appearance of a splat stands as seen from a viewpoint: a small table per redraw.

Matrices are multiplied in double precision before they are rounded, so that objects far from the
world's origin do not tremble.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .shown import Appearance, Viewpoint

COLUMNS = 7
"""Texels for each appearance."""
GLSL = """
mat4x3 placement_to_view(int appearance)
{
  return transpose(mat3x4(texelFetch(placements, ivec2(0, appearance), 0),
                          texelFetch(placements, ivec2(1, appearance), 0),
                          texelFetch(placements, ivec2(2, appearance), 0)));
}

mat3 view_to_harmonics(int appearance)
{
  return transpose(mat3(texelFetch(placements, ivec2(3, appearance), 0).xyz,
                        texelFetch(placements, ivec2(4, appearance), 0).xyz,
                        texelFetch(placements, ivec2(5, appearance), 0).xyz));
}

vec4 color_and_mark(int appearance)
{
  return texelFetch(placements, ivec2(6, appearance), 0);
}
"""
SELECTED, ACTIVE = 1.0, 2.0
"""Marks of an appearance; 0 for neither."""


def placement_table(appearances: Sequence[Appearance], viewpoint: Viewpoint) -> NDArray[np.float64]:
    """Return (A, 7, 4): matrices of A appearances, their colours and marks.

    The rows of a table are those of the matrix from the splat to the view, those of the rotation
    from the view to the frame of the harmonics, and (red, green, blue, mark). Harmonics turn with
    the orthogonal part of the splat's matrix, as in `splats.transform`.
    """
    table = np.zeros((len(appearances), COLUMNS, 4))
    turn = viewpoint.world_to_view[:3, :3]
    for row, appearance in zip(table, appearances, strict=True):
        row[:3] = (viewpoint.world_to_view @ appearance.matrix)[:3]
        left, _, right = np.linalg.svd(appearance.matrix[:3, :3])
        row[3:6, :3] = (turn @ left @ right).T
        row[6, :3] = appearance.color
        row[6, 3] = ACTIVE if appearance.active else SELECTED if appearance.selected else 0.0
    return table
