# SPDX-License-Identifier: GPL-3.0-or-later
"""A flood takes the thing that is pointed at."""

from __future__ import annotations

import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.common import point_attributes
from cgc_addon.blender.segments.data import splats_of
from cgc_addon.blender.splats.objects import data_of

from .row_of_things import EACH, LOOSE, activate, at, numbers, row_of_things, segment


def test_one_plate_of_two_becomes_a_segment() -> None:
    capture = row_of_things()
    assert bpy.ops.cgc.assign_flood(**at("B"), mode="NEW") == {"FINISHED"}
    assert numbers(capture) == [*[(n, EACH) for n in range(1, 6)], (0, LOOSE)]


def test_less_similarity_takes_what_is_near_and_stays_in_the_segment_if_it_shall() -> None:
    capture = row_of_things()
    activate(capture, 3)
    bpy.ops.cgc.assign_flood(**at("A"), similarity=-1.0, hop=1.0)
    # A and B are beside each other; C and D are joined to them by no gap so small.
    assert dict(numbers(capture))[3] == 3 * EACH
    capture = row_of_things()
    with pytest.raises(RuntimeError, match="all of Segment 001"):
        bpy.ops.cgc.assign_flood(**at("A"), similarity=-1.0, within=True, mode="NEW")
    bpy.ops.cgc.assign_flood(**at("A"), similarity=-1.0, hop=50.0, mode="NEW")
    assert numbers(capture)[0] == (5, 5 * EACH)


def test_without_features_nothing_is_alike() -> None:
    capture = row_of_things()
    for number in range(4):
        for item in splats_of(segment(capture, 1)):
            point_attributes.remove(data_of(item), f"feature:{number}")
    with pytest.raises(RuntimeError, match="no features"):
        bpy.ops.cgc.assign_flood(**at("A"), mode="NEW")


def test_beside_all_objects_nothing_happens() -> None:
    row_of_things()
    with pytest.raises(RuntimeError, match="No splat is seen there"):
        bpy.ops.cgc.assign_flood(**{**at("A"), "y": 5.0}, mode="NEW")


def test_nothing_goes_to_a_segment_of_another_capture() -> None:
    first = row_of_things()
    for item in first.objects:
        item.location.z = -50.0
    second = row_of_things()
    before = numbers(first), numbers(second)
    activate(first, 2)
    with pytest.raises(RuntimeError, match="of another capture"):
        bpy.ops.cgc.assign_flood(**at("A"))
    assert (numbers(first), numbers(second)) == before
