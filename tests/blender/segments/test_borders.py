# SPDX-License-Identifier: GPL-3.0-or-later
"""Borders move by what is near in the world, and whoever gets Gaussians keeps them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.common.access import of_collection
from cgc_addon.blender.segments.borders import grow, shrink, world_means
from cgc_addon.blender.segments.data import all_segments, count_of, splats_of
from cgc_addon.blender.splats.objects import indices_of
from cgc_addon.errors import CgcError
from cgc_addon.splats.neighbours import typical_spacing

from .tea_set import segment, tea_set

REACH = 2.0


@pytest.fixture
def capture(write_run: Callable[..., Path]) -> bpy.types.Collection:
    capture = tea_set(write_run())
    (item,) = splats_of(segment(capture, 2))
    item.location = (-1.0, 0.3, 0.0)
    item.scale = (0.8, 0.8, 0.8)
    bpy.context.view_layer.update()
    return capture


def placed(capture) -> dict[int, tuple[int, np.ndarray]]:
    """Return the segment and the place in the world of each Gaussian of the run."""
    graph = bpy.context.evaluated_depsgraph_get()
    found = {}
    for collection in all_segments(capture):
        for item in splats_of(collection):
            for index, mean in zip(indices_of(item), world_means(item, graph), strict=True):
                found[int(index)] = (of_collection(collection).segment, mean)
    return found


def distance_of(before, number: int) -> float:
    means = np.array([mean for owner, mean in before.values() if owner == number])
    return REACH * typical_spacing(means)


@pytest.mark.parametrize("unassigned", [False, True])
def test_growing_takes_what_is_near_and_nothing_moves(capture, unassigned: bool) -> None:
    before = placed(capture)
    own = np.array([mean for owner, mean in before.values() if owner == 1])
    distance = distance_of(before, 1)
    wanted = {
        index
        for index, (owner, mean) in before.items()
        if owner == 1
        or ((owner > 0 or unassigned) and np.linalg.norm(own - mean, axis=1).min() <= distance)
    }
    taken = grow(capture, segment(capture, 1), REACH, unassigned)
    after = placed(capture)
    assert {index for index, (owner, _) in after.items() if owner == 1} == wanted
    assert taken == len(wanted) - len(own) > 3
    for index, (_, mean) in before.items():
        assert np.allclose(after[index][1], mean, atol=1e-4)
    assert of_collection(segment(capture, 1)).pinned


def test_shrinking_gives_each_to_its_nearest_neighbour(capture) -> None:
    before = placed(capture)
    distance = distance_of(before, 1)
    others = [(owner, mean) for owner, mean in before.values() if owner not in (0, 1)]
    wanted = {}
    for index, (owner, mean) in before.items():
        away = [np.linalg.norm(mean - other) for _, other in others]
        goes = owner == 1 and min(away) <= distance
        wanted[index] = others[int(np.argmin(away))][0] if goes else owner
    given = shrink(capture, segment(capture, 1), REACH, False)
    after = placed(capture)
    assert {index: owner for index, (owner, _) in after.items()} == wanted
    assert given == sum(wanted[index] != owner for index, (owner, _) in before.items()) > 3
    assert all(of_collection(segment(capture, number)).pinned for number in (1, 2))


def test_what_is_too_far_away_or_too_near_is_said_and_changes_nothing(capture) -> None:
    before = {index: owner for index, (owner, _) in placed(capture).items()}
    with pytest.raises(CgcError, match="no neighbours so near"):
        grow(capture, segment(capture, 1), 1e-4, True)
    with pytest.raises(CgcError, match="no neighbours so near"):
        shrink(capture, segment(capture, 1), 1e-4, True)
    with pytest.raises(CgcError, match="Nothing would be left"):
        shrink(capture, segment(capture, 1), 1e3, True)
    assert {index: owner for index, (owner, _) in placed(capture).items()} == before


def test_operators_mean_a_number_or_the_active_segment(capture) -> None:
    count = count_of(segment(capture, 2))
    bpy.ops.cgc.grow_segment(segment=2, reach=REACH)
    assert count_of(segment(capture, 2)) > count
    grown = count_of(segment(capture, 2))
    bpy.context.view_layer.objects.active = splats_of(segment(capture, 2))[0]
    bpy.ops.cgc.shrink_segment(reach=REACH)
    assert count_of(segment(capture, 2)) < grown
    with pytest.raises(RuntimeError, match="has no border"):
        bpy.ops.cgc.grow_segment(segment=0)
