# SPDX-License-Identifier: GPL-3.0-or-later
"""Small scenes of splats that the extension draws."""

from __future__ import annotations

import bpy
import numpy as np

from cgc_addon.blender.common.access import of_collection
from cgc_addon.blender.splats.looks import apply_look
from cgc_addon.blender.splats.objects import new_splat
from cgc_addon.splats.gaussians import Gaussians


def some_gaussians(count: int = 50, seed: int = 0, features: bool = True) -> Gaussians:
    random = np.random.default_rng(seed)
    return Gaussians(
        means=random.normal(size=(count, 3)).astype(np.float32),
        log_scales=random.normal(-3, 0.5, (count, 3)).astype(np.float32),
        quats=random.normal(size=(count, 4)).astype(np.float32),
        logit_opacities=random.normal(size=count).astype(np.float32),
        sh=random.normal(size=(count, 4, 3)).astype(np.float32),
        features=random.normal(size=(count, 16)).astype(np.float32) if features else None,
    )


def collection_of(name: str, color=(0.2, 0.4, 0.6)) -> bpy.types.Collection:
    collection = bpy.data.collections.new(name)
    of_collection(collection).kind = "SEGMENT"
    of_collection(collection).color = color
    bpy.context.scene.collection.children.link(collection)
    return collection


def add_splat(
    gaussians: Gaussians | None = None,
    name: str = "splat",
    collection: bpy.types.Collection | None = None,
) -> bpy.types.Object:
    """Add a splat that has the look of the scene."""
    gaussians = some_gaussians() if gaussians is None else gaussians
    index = np.arange(len(gaussians), dtype=np.int32)
    item = new_splat(name, gaussians, index, index)
    (collection or bpy.context.scene.collection).objects.link(item)
    apply_look(item)
    return item


def instance_of(collection: bpy.types.Collection, name: str = "instance") -> bpy.types.Object:
    empty = bpy.data.objects.new(name, None)
    empty.instance_type, empty.instance_collection = "COLLECTION", collection
    bpy.context.scene.collection.objects.link(empty)
    return empty
