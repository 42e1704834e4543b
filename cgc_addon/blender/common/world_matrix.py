# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an object is, also one that Blender does not keep an eye on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...errors import CgcError

if TYPE_CHECKING:
    from bpy.types import Depsgraph, Object


def world_matrix(item: Object, depsgraph: Depsgraph) -> NDArray[np.float64]:
    """Return an object's matrix in the world (4, 4), also where Blender keeps none.

    Blender evaluates no object of a collection that is unticked or disabled in viewports: after
    loading a file, such a camera's `matrix_world` would be the identity.

    Raises:
        CgcError: the object is switched off and moved by something that has to be evaluated.
    """
    evaluated = item.evaluated_get(depsgraph)
    if evaluated.is_evaluated:
        return np.array(evaluated.matrix_world, dtype=np.float64)
    if _is_moved(item):
        raise CgcError(
            f"{item.name} is animated or constrained but switched off in the view layer, so that "
            "Blender does not say where it is; switch it or its collection on in the Outliner."
        )
    basis = np.array(item.matrix_basis, dtype=np.float64)
    if item.parent is None:
        return basis
    inverse = np.array(item.matrix_parent_inverse, dtype=np.float64)
    return world_matrix(item.parent, depsgraph) @ inverse @ basis


def _is_moved(item: Object) -> bool:
    animation = item.animation_data
    animated = animation is not None and bool(
        animation.action or animation.drivers or animation.nla_tracks
    )
    followed = item.parent is not None and item.parent_type != "OBJECT"
    return animated or followed or bool(item.constraints)
