# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture of a table and a chair, and what tells whether Gaussians are the same."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Euler, Matrix

from cgc_addon.blender.capture.parts import new_capture, part, root_of
from cgc_addon.blender.common.access import of_collection
from cgc_addon.blender.splats.objects import new_splat
from cgc_addon.splats import rotations
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.select import subset

ROOT = Matrix.LocRotScale((5, -3, 2), Euler((1.1, 0.4, -0.6)), (1.5, 1.5, 1.5))


def random_gaussians(count: int) -> Gaussians:
    generator = np.random.default_rng(0)

    def normal(*shape: int) -> np.ndarray:
        return generator.normal(size=shape).astype(np.float32)

    sh = 0.25 * normal(count, 16, 3)
    return Gaussians(
        means=normal(count, 3),
        log_scales=0.5 * normal(count, 3) - 2,
        quats=normal(count, 4),
        logit_opacities=normal(count) + 1,
        sh=sh,
        features=normal(count, 16),
        segments=np.sort(generator.integers(0, 3, count)).astype(np.int32),
    )


def kitchen() -> Gaussians:
    """Put 300 Gaussians of segments 0, 1 and 2 into the scene, a collection each; return them."""
    everything = random_gaussians(300)
    capture = new_capture(bpy.context.scene, "Kitchen", None)
    root = root_of(capture)
    root.matrix_basis = ROOT
    names = {1: "Chair", 2: "Table: oak/round"}
    for segment in range(3):
        if segment:
            collection = bpy.data.collections.new(names[segment])
            of_collection(collection).kind = "SEGMENT"
            of_collection(collection).segment = segment
            capture.children.link(collection)
        else:
            collection = part(capture, "UNASSIGNED", "Unassigned")
        index = np.flatnonzero(everything.segments == segment).astype(np.int32)
        item = new_splat(f"object {segment}", subset(everything, index), index, index)
        item.parent = root
        collection.objects.link(item)
    bpy.context.view_layer.update()
    return everything


def covariances(gaussians: Gaussians) -> np.ndarray:
    axes = rotations.matrices(gaussians.quats) * np.exp(gaussians.log_scales)[:, None, :]
    return axes @ axes.transpose(0, 2, 1)


def assert_close(first: Gaussians, second: Gaussians) -> None:
    np.testing.assert_allclose(first.means, second.means, atol=1e-5)
    np.testing.assert_allclose(first.sh, second.sh, atol=1e-5)
    np.testing.assert_allclose(covariances(first), covariances(second), rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(first.logit_opacities, second.logit_opacities, rtol=1e-6)
    np.testing.assert_array_equal(first.segments, second.segments)
    np.testing.assert_array_equal(first.features, second.features)
