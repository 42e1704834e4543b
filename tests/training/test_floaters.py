# SPDX-License-Identifier: GPL-3.0-or-later
"""What floats between the cameras is told from things that are near."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cgc_addon.dataset.load import load_dataset
from cgc_addon.dataset.scene import PinholeCamera, SurfacePoints, View
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.splats.initialise import first_gaussians
from cgc_addon.splats.select import concatenate
from cgc_addon.training.floaters import FreeSpace, free_space
from cgc_addon.training.presets import preset
from cgc_addon.training.trainer import Trainer

CAMERA = PinholeCamera(64, 64, 64.0, 64.0, 32.0, 32.0)


def views() -> list[View]:
    """Cameras on a line, all looking along z."""
    found = []
    for x in (-1.0, 0.0, 1.0):
        pose = np.eye(4)
        pose[0, 3] = -x
        found.append(View(f"{x}.png", CAMERA, pose))
    return found


def wall() -> np.ndarray:
    """A wall 4 units before them."""
    x, y = np.meshgrid(np.linspace(-4, 4, 30), np.linspace(-3, 3, 30))
    return np.column_stack([x.ravel(), y.ravel(), np.full(x.size, 4.0)])


def test_between_cameras_and_wall_space_is_free_and_at_the_wall_it_is_not() -> None:
    space = FreeSpace(views(), wall())
    means = [[0.5, 0, 0.3], [0.2, 0, 1.0], [0, 0, 3.9], [0, 0, 4.2], [0, 0, 60.0], [0, 9, 9]]
    assert space.holds(np.array(means)).tolist() == [True, True, False, False, False, False]


def test_where_there_are_points_things_may_be_near() -> None:
    near = np.array([[0.5, 0.0, 0.4], [0.52, 0.0, 0.4]])
    space = FreeSpace(views(), np.concatenate([wall(), near]))
    assert space.holds(np.array([[0.5, 0.05, 0.35], [-0.5, 0.0, 0.4]])).tolist() == [False, True]


def test_a_single_point_is_no_thing() -> None:
    space = FreeSpace(views(), np.concatenate([wall(), [[0.5, 0.0, 0.4]]]))
    assert space.holds(np.array([[0.5, 0.05, 0.35]]))[0]


@pytest.mark.parametrize("points", [np.zeros((0, 3)), wall()[:1], wall()[:5]])
def test_too_few_points_rule_nothing_out(points) -> None:
    assert not FreeSpace(views(), points).holds(np.array([[0.0, 0.0, 0.5]])).any()
    assert FreeSpace(views(), points).holds(np.zeros((0, 3))).shape == (0,)


@pytest.mark.parametrize(("count", "free"), [(3, True), (49, True), (50, False), (500, False)])
def test_a_surface_may_be_near_and_a_few_wrong_points_are_none(count, free) -> None:
    spread = np.random.default_rng(0).uniform(-0.05, 0.05, (count, 3))
    space = FreeSpace(views(), wall(), np.array([0.5, 0.0, 0.4]) + spread)
    assert space.holds(np.array([[0.5, 0.0, 0.35]]))[0] == free
    # Elsewhere it says nothing.
    assert space.holds(np.array([[-0.5, 0.0, 0.4]]))[0]


def test_no_surface_at_all_rules_nothing_in() -> None:
    means = np.array([[0.5, 0, 0.3], [0, 0, 3.9]])
    space = FreeSpace(views(), wall(), np.zeros((0, 3)))
    assert space.holds(means).tolist() == [True, False]


def test_surface_points_of_a_scene_count(tiny_dataset) -> None:
    scene = load_dataset(tiny_dataset).scene
    center = scene.views[0].center()
    inward = scene.points.mean(axis=0) - center
    close = (center + 0.2 * inward)[None]
    assert free_space(scene, range(len(scene.views))).holds(close).all()
    places = np.repeat(close, 60, axis=0).astype(np.float32)
    here = SurfacePoints(places, np.zeros((60, 3), np.uint8), np.eye(3)[np.zeros(60, int)])
    full = replace(scene, surface=here)
    assert not free_space(full, range(len(scene.views))).holds(close).any()


def test_training_drops_them_and_goes_on(tiny_dataset) -> None:
    dataset = load_dataset(tiny_dataset)
    scene = dataset.scene
    start = first_gaussians(scene, None, sh_degree=1)
    center = scene.views[0].center()
    close = center + 0.2 * (scene.points.mean(axis=0) - center)
    one = first_gaussians(scene, None, sh_degree=1)
    veil = replace(
        concatenate([one]), means=np.repeat(close[None], len(one), axis=0).astype(np.float32)
    )
    config = preset("draft", steps=8, features="off")
    config = replace(config, geometry=replace(config.geometry, clear_every=4))
    trainer = Trainer(dataset, CpuBackend(), config, concatenate([start, veil]))
    for _ in range(4):
        trainer.train_step()
    assert len(trainer.gaussians()) > len(start)
    trainer.run()
    space = free_space(scene, dataset.train)
    assert not space.holds(trainer.gaussians().means).any()
    assert trainer.step == 8
