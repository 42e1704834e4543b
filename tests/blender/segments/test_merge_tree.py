# SPDX-License-Identifier: GPL-3.0-or-later
"""A merge tree comes back from the .blend to the last bit, also as 0.1.0 wrote it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common.access import of_collection
from cgc_addon.blender.segments.merge_tree import VERSION, has_tree, store_tree, stored_tree
from cgc_addon.cgc.clusters.granularity import MergeTree
from cgc_addon.errors import CgcError


@pytest.fixture
def capture() -> bpy.types.Collection:
    return bpy.data.collections.new("desk")


def random_tree(merges: int) -> MergeTree:
    random = np.random.default_rng(merges)
    heights = np.sort(random.uniform(size=merges).astype(np.float32))[::-1]
    return MergeTree(40, random.integers(1, 41, (merges, 2)).astype(np.int32), heights)


@pytest.mark.parametrize("merges", [0, 1, 39])
def test_a_tree_comes_back_to_the_last_bit(capture: bpy.types.Collection, merges: int) -> None:
    tree = random_tree(merges)
    store_tree(capture, tree)
    found = stored_tree(capture)
    assert found.count == 40
    assert (found.merges.dtype, found.heights.dtype) == (np.int32, np.float32)
    np.testing.assert_array_equal(found.merges, tree.merges)
    np.testing.assert_array_equal(found.heights, tree.heights)
    assert json.loads(of_collection(capture).merge_tree)["version"] == VERSION


def test_corrected_objects_come_back(capture: bpy.types.Collection) -> None:
    store_tree(capture, replace(random_tree(3), count=42, fixed=2))
    assert (stored_tree(capture).count, stored_tree(capture).fixed) == (42, 2)


def test_a_tree_without_a_version_is_read(capture: bpy.types.Collection) -> None:
    text = '{"count":3,"merges":[[1,2]],"heights":[0.8999999761581421]}'
    of_collection(capture).merge_tree = text
    found = stored_tree(capture)
    assert found.count == 3
    assert found.merges.tolist() == [[1, 2]]
    assert found.heights[0] == np.float32(0.9)


def test_a_capture_without_a_run_has_none(capture: bpy.types.Collection) -> None:
    assert not has_tree(capture)
    with pytest.raises(CgcError, match="desk has no segments yet"):
        stored_tree(capture)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"version":2,"anything":1}', r"later version of this extension \(form 2; this one knows"),
        ("{", "is damaged; import its run again"),
        ("[1]", "is damaged"),
        ('{"version":1,"count":3}', "is damaged"),
        ('{"version":1,"count":3,"merges":[[1]],"heights":[]}', "is damaged"),
    ],
)
def test_what_cannot_be_read_is_said(
    capture: bpy.types.Collection, text: str, sentence: str
) -> None:
    of_collection(capture).merge_tree = text
    assert has_tree(capture)
    with pytest.raises(CgcError, match=sentence):
        stored_tree(capture)
