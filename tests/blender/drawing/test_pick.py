# SPDX-License-Identifier: GPL-3.0-or-later
"""What is picked is what the plain renderer draws there, and it takes no time that one notices."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

from mathutils import Matrix

from cgc_addon.blender.drawing import pick as module
from cgc_addon.blender.drawing.pick import pick
from cgc_addon.blender.drawing.shown import Appearance, StoredSplat, Viewpoint
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.select import concatenate
from cgc_addon.splats.transform import transform

WIDTH, HEIGHT = 40, 30
FOCAL, CENTER = (35.0, 38.0), (21.0, 13.5)
"""px, the centre from the upper left corner."""

REFERENCE = """
import sys
import numpy as np
import torch
from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.rasterize.interface import SplatTensors
from cgc_addon.rasterize.reference import blending_weights, project

given = np.load(sys.argv[1])
tensor = lambda name: torch.from_numpy(given[name].astype(np.float64))
splat = SplatTensors(
    tensor("means"),
    tensor("quats"),
    tensor("log_scales").exp(),
    tensor("logit_opacities").sigmoid(),
    tensor("sh")[:, :1],
    tensor("sh")[:, 1:],
)
width, height, fx, fy, cx, cy = given["camera"].tolist()
view = View("a", PinholeCamera(int(width), int(height), fx, fy, cx, cy), given["pose"])
weights = blending_weights(splat, view).numpy()
depths = project(splat, view).depths.numpy()
order = np.argsort(depths, kind="stable")
covered = np.cumsum(weights[:, order], axis=1)
reached = (covered >= 0.5).argmax(axis=1)
seen = np.where(covered[:, -1] >= 0.5, order[reached], -1)
nearness = np.abs(covered - 0.5).min(axis=1)
np.savez(sys.argv[2], seen=seen, depths=depths, nearness=nearness)
"""


def some_gaussians(count: int, seed: int, size: float = -1.8) -> Gaussians:
    """Return Gaussians around (0, 0, −5), some of them behind the view or far beside it."""
    random = np.random.default_rng(seed)
    means = random.normal(size=(count, 3)) * (1.5, 1.5, 2.5) + (0.0, 0.0, -5.0)
    return Gaussians(
        means=means.astype(np.float32),
        log_scales=random.normal(size, 0.6, (count, 3)).astype(np.float32),
        quats=random.normal(size=(count, 4)).astype(np.float32),
        logit_opacities=random.normal(0.5, 2.0, count).astype(np.float32),
        sh=np.zeros((count, 1, 3), np.float32),
    )


def perspective() -> Viewpoint:
    """Return a viewpoint as Blender has it, turned and moved in the world."""
    lens = np.zeros((4, 4))
    lens[0, 0], lens[1, 1] = 2 * FOCAL[0] / WIDTH, 2 * FOCAL[1] / HEIGHT
    lens[0, 2], lens[1, 2] = 1 - 2 * CENTER[0] / WIDTH, 2 * CENTER[1] / HEIGHT - 1
    lens[2, 2:], lens[3, 2] = (-1.002, -0.2002), -1
    world_to_view = Matrix.Translation((0.1, 0.2, -0.3)) @ Matrix.Rotation(0.2, 4, (1, 2, 3))
    return Viewpoint(np.array(world_to_view), lens, WIDTH, HEIGHT)


def placed() -> list[Appearance]:
    """Return the same splat twice, and another one."""
    first = StoredSplat(some_gaussians(150, 1))
    places = (
        np.eye(4),
        np.array(Matrix.LocRotScale((0.5, 0.2, 0.1), Matrix.Rotation(1.0, 3, "X"), (0.7,) * 3)),
        np.array(Matrix.Translation((-0.3, 0.0, 0.2))),
    )
    splats = (first, first, StoredSplat(some_gaussians(100, 2)))
    return [Appearance(splat, place) for splat, place in zip(splats, places, strict=True)]


def together(appearances: list[Appearance]) -> Gaussians:
    return concatenate([transform(one.splat.gaussians, one.matrix) for one in appearances])


@pytest.mark.parametrize("size", [1.0, 0.4])
def test_each_pixel_shows_what_the_reference_renderer_draws(
    tmp_path: Path, engine_python: Path, size: float
) -> None:
    viewpoint, appearances = perspective(), placed()
    gaussians = together(appearances)
    given = {name: getattr(gaussians, name) for name in ("means", "quats", "logit_opacities", "sh")}
    np.savez(
        tmp_path / "given.npz",
        **given,
        log_scales=gaussians.log_scales + np.log(size),
        camera=[WIDTH, HEIGHT, *FOCAL, *CENTER],
        pose=np.diag([1.0, -1.0, -1.0, 1.0]) @ viewpoint.world_to_view,
    )
    files = [str(tmp_path / "given.npz"), str(tmp_path / "found.npz")]
    root = Path(__file__).parents[3]
    subprocess.run([str(engine_python), "-c", REFERENCE, *files], cwd=root, check=True, timeout=300)
    found = np.load(tmp_path / "found.npz")

    starts = np.cumsum([0, *(len(one.splat.gaussians) for one in appearances)])
    sure = found["nearness"].reshape(HEIGHT, WIDTH) > 1e-4  # the rest may go one way or the other
    seen = found["seen"].reshape(HEIGHT, WIDTH)
    assert sure.mean() > 0.95
    assert 0.2 < (seen >= 0).mean() < 0.99
    for row, column in np.argwhere(sure):
        hit = pick(appearances, viewpoint, column + 0.5, HEIGHT - row - 0.5, size)
        index = -1 if hit is None else starts[hit.appearance] + hit.gaussian
        assert index == seen[row, column], (row, column)
        if hit is not None:
            assert hit.depth == pytest.approx(found["depths"][index], rel=1e-5)


def test_a_parallel_view_sees_no_perspective() -> None:
    # Two balls one behind the other, and one beside them; 10 px are a unit.
    lens = np.diag([0.5, 0.5, -0.01, 1.0])
    view = Viewpoint(np.eye(4), lens, 40, 40)
    balls = replace(
        some_gaussians(3, 0),
        means=np.float32([[0, 0, -9], [0, 0, -3], [1, 0, 5]]),
        log_scales=np.full((3, 3), -2, np.float32),
        logit_opacities=np.full(3, 4, np.float32),
    )
    shown = [Appearance(StoredSplat(balls), np.eye(4))]
    ball = pick(shown, view, 20.5, 20.5)
    assert ball is not None
    assert (ball.gaussian, ball.depth) == (1, 3.0)
    beside = pick(shown, view, 30.5, 20.5)  # also behind the eye: there is none
    assert beside is not None
    assert (beside.gaussian, beside.depth) == (2, -5.0)
    assert pick(shown, view, 25.5, 20.5) is None


def test_nothing_is_seen_where_there_is_nothing() -> None:
    assert pick([], perspective(), 3.5, 3.5) is None
    empty = Appearance(StoredSplat(some_gaussians(0, 0)), np.eye(4))
    assert pick([empty], perspective(), 3.5, 3.5) is None


def test_veils_are_seen_when_there_are_enough_of_them() -> None:
    veils = replace(
        some_gaussians(4, 0),
        means=np.float32([[0, 0, -z] for z in (4, 2, 3, 5)]),
        log_scales=np.full((4, 3), 1, np.float32),
        logit_opacities=np.full(4, np.log(0.25 / 0.75), np.float32),
    )
    view = replace(perspective(), world_to_view=np.eye(4))
    shown = [Appearance(StoredSplat(veils), np.eye(4))]
    hit = pick(shown, view, CENTER[0], HEIGHT - CENTER[1])
    assert hit is not None
    assert (hit.gaussian, round(hit.depth, 6)) == (0, 4.0)  # 1 − 0.75³ is the first above a half
    two = [Appearance(StoredSplat(replace(veils, means=veils.means - [0, 0, 90])), np.eye(4))]
    assert pick([*two, *shown], view, CENTER[0], HEIGHT - CENTER[1]).appearance == 1


def test_cutting_a_splat_into_parts_changes_nothing(monkeypatch) -> None:
    viewpoint, appearances = perspective(), placed()
    pixels = [(x + 0.5, y + 0.5) for x in range(0, WIDTH, 5) for y in range(0, HEIGHT, 5)]
    whole = [pick(appearances, viewpoint, *pixel) for pixel in pixels]
    monkeypatch.setattr(module, "_AT_ONCE", 7)
    assert [pick(appearances, viewpoint, *pixel) for pixel in pixels] == whole


def test_a_million_gaussians_are_no_wait() -> None:
    shown = [Appearance(StoredSplat(some_gaussians(1_000_000, 0, size=-4.5)), np.eye(4))]
    start = time.process_time()
    for _ in range(3):
        assert pick(shown, perspective(), 20.5, 15.5) is not None
    assert (time.process_time() - start) / 3 < 0.5  # 0.05 s when nothing else runs


def test_of_several_groups_the_one_that_covers_most_is_meant() -> None:
    # Two thirds of what is seen are of the veils in front and behind, half is reached between.
    opacities = np.array([0.4, 0.35, 0.9])
    veils = [
        replace(
            some_gaussians(1, 0),
            means=np.float32([[0, 0, -z]]),
            log_scales=np.full((1, 3), 1, np.float32),
            logit_opacities=np.float32([np.log(opacity / (1 - opacity))]),
        )
        for z, opacity in zip((2, 3, 4), opacities, strict=True)
    ]
    view = replace(perspective(), world_to_view=np.eye(4))
    shown = [Appearance(StoredSplat(veil), np.eye(4)) for veil in veils]
    place = (CENTER[0], HEIGHT - CENTER[1])
    alone, grouped = pick(shown, view, *place), pick(shown, view, *place, groups=(7, 3, 7))
    assert alone is not None
    assert grouped is not None
    assert (alone.appearance, grouped.appearance) == (1, 2)
    first = pick(shown, view, *place, groups=(7, 7, 3))
    assert first is not None
    assert first.appearance == 1
