# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an object is that Blender does not evaluate."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("bpy")
import bpy
from mathutils import Matrix

from cgc_addon.blender.common.access import of_camera
from cgc_addon.blender.common.world_matrix import world_matrix
from cgc_addon.errors import CgcError


def new_camera(name: str, photo: str = "") -> bpy.types.Object:
    data = bpy.data.cameras.new(name)
    of_camera(data).photo = photo
    item = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(item)
    return item


def depsgraph() -> bpy.types.Depsgraph:
    return bpy.context.evaluated_depsgraph_get()


def test_a_switched_off_camera_is_where_it_was_before() -> None:
    parent = bpy.data.objects.new("parent", None)
    bpy.context.scene.collection.objects.link(parent)
    camera = new_camera("camera")
    parent.matrix_basis = Matrix.Translation((0, 0, 3)) @ Matrix.Rotation(1, 4, "X")
    camera.parent, camera.location = parent, (1, 2, 3)
    camera.matrix_parent_inverse = Matrix.Rotation(0.5, 4, "Y")
    before = world_matrix(camera, depsgraph())
    camera.hide_viewport = True
    assert np.allclose(world_matrix(camera, depsgraph()), before, atol=1e-6)
    parent.location.z += 2.0
    assert np.isclose(world_matrix(camera, depsgraph())[2, 3], before[2, 3] + 2.0, atol=1e-6)


@pytest.mark.parametrize("moved_by", ["keyframes", "constraint", "driver"])
def test_a_switched_off_camera_that_something_moves_is_refused(moved_by: str) -> None:
    camera = new_camera("camera")
    if moved_by == "keyframes":
        camera.keyframe_insert("location", frame=1)
    elif moved_by == "constraint":
        camera.constraints.new("COPY_LOCATION")
    else:
        camera.driver_add("location", 0)
    world_matrix(camera, depsgraph())
    camera.hide_viewport = True
    with pytest.raises(CgcError, match="switched off in the view layer"):
        world_matrix(camera, depsgraph())
