# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture in kilometres is refused before its first step, with what would help."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cgc_addon.dataset.load import load_dataset
from cgc_addon.dataset.scene import Scene
from cgc_addon.errors import CgcError
from cgc_addon.training.too_near import check_not_too_near


def scaled(scene: Scene, factor: float) -> Scene:
    views = []
    for view in scene.views:
        pose = view.world_to_camera.copy()
        pose[:3, 3] *= factor
        views.append(replace(view, world_to_camera=pose))
    points = (scene.points * np.float32(factor)).astype(np.float32)
    return replace(scene, views=tuple(views), points=points)


@pytest.mark.parametrize("factor", [0.01, 1.0, 1e5])
def test_what_can_be_drawn_is_let_through(tiny_dataset, factor) -> None:
    scene = load_dataset(tiny_dataset).scene
    check_not_too_near(tiny_dataset, scaled(scene, factor))
    check_not_too_near(tiny_dataset, replace(scene, points=scene.points[:0]))


@pytest.mark.parametrize(("factor", "cure"), [(1e-3, "1,000"), (1e-6, "1,000,000")])
def test_what_lies_before_the_near_plane_is_refused(tiny_dataset, factor, cure) -> None:
    scene = scaled(load_dataset(tiny_dataset).scene, factor)
    with pytest.raises(CgcError, match=f"desk: what the photos show .* {cure} times as large"):
        check_not_too_near(Path("desk"), scene)
