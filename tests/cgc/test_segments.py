# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments are numbered by size, told apart by colour, and survive the way through the file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cgc_addon.cgc.clusters.granularity import ordered_by_size
from cgc_addon.cgc.segments import (
    Cut,
    describe_edited,
    describe_segments,
    distinct_colors,
    named_segments,
    read_segments,
    write_segments,
)
from cgc_addon.errors import CgcError

EARLIER = Path(__file__).parents[1] / "earlier_versions"


def described(seed=0):
    generator = np.random.default_rng(seed)
    labels = ordered_by_size(generator.integers(0, 6, 200).astype(np.int32))
    features = generator.standard_normal((200, 16)).astype(np.float32)
    return describe_segments(labels, features), labels, features


def test_description_counts_and_averages_directions():
    segments, labels, features = described()
    directions = features / np.linalg.norm(features, axis=1, keepdims=True)
    for segment in segments.segments:
        members = labels == segment.id
        assert segment.count == members.sum()
        mean = directions[members].mean(0)
        np.testing.assert_allclose(segment.mean_feature, mean / np.linalg.norm(mean), atol=1e-5)
    assert [segment.name for segment in segments.segments][:2] == ["Segment 001", "Segment 002"]
    assert segments[2].id == 2
    with pytest.raises(KeyError):
        segments[99]


def test_palette_is_indexed_by_id():
    segments, *_ = described()
    palette = segments.palette()
    assert palette.shape == (6, 3)
    assert palette.dtype == np.uint8
    assert not palette[0].any()
    assert tuple(palette[3]) == segments[3].color


def test_colours_of_many_segments_differ():
    colors = distinct_colors(300)
    assert len(np.unique(colors, axis=0)) == 300
    assert (colors.max(1) >= 75).all()
    assert (colors.max(1).astype(int) - colors.min(1) >= 25).all()
    distances = np.linalg.norm(colors[:12, None].astype(float) - colors[None, :12], axis=2)
    assert distances[~np.eye(12, dtype=bool)].min() > 60


def test_more_segments_keep_the_colours_of_the_others():
    np.testing.assert_array_equal(distinct_colors(7), distinct_colors(90)[:7])
    assert distinct_colors(0).shape == (0, 3)
    assert distinct_colors(2000).shape == (2000, 3)


def test_known_segments_keep_name_and_colour_and_new_ones_get_theirs():
    known, *_ = described()
    named = named_segments(np.array([0, 3, 3, 9], np.int32), known)
    assert [segment.id for segment in named.segments] == [*range(1, 6), 9]
    assert [segment.count for segment in named.segments] == [0, 0, 2, 0, 0, 1]
    assert named[3] == replace(known[3], count=2)
    assert (named[9].name, named[9].color) == ("Segment 009", tuple(distinct_colors(9)[8]))
    assert named.palette().shape == (10, 3)
    assert len(named_segments(np.zeros(4, np.int32))) == 0


@pytest.mark.parametrize("cut", [None, Cut(0.25, 12)])
def test_file_round_trip(tmp_path, cut):
    segments = replace(described()[0], cut=cut)
    path = tmp_path / "segments.json"
    write_segments(path, segments)
    assert read_segments(path) == segments
    content = json.loads(path.read_text())
    assert content["segments"][0]["id"] == 1
    assert ("granularity" in content, "minimum_size" in content) == (cut is not None,) * 2
    assert content.get("granularity") == (None if cut is None else 0.25)


def test_a_file_of_the_first_version_does_not_tell_where_the_tree_was_cut():
    segments = read_segments(EARLIER / "0.1.0" / "run" / "segments.json")
    assert [segment.count for segment in segments.segments] == [105, 12]
    assert segments.cut is None


def test_the_cut_of_segments_goes_with_their_names():
    known = replace(described()[0], cut=Cut(0.25, 12))
    assert named_segments(np.array([0, 3, 9], np.int32), known).cut == Cut(0.25, 12)
    assert named_segments(np.array([0, 3], np.int32)).cut is None


def broken(change):
    def apply(content):
        change(content["segments"][1])

    return apply


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c.pop("segments"), "no list"),
        (lambda c: c.update(version=99), "version 99"),
        (lambda c: c.update(version=0), "version 0"),
        (lambda c: c.update(granularity=2, minimum_size=10), '"granularity"'),
        (lambda c: c.update(granularity="0.5", minimum_size=10), '"granularity"'),
        (lambda c: c.update(minimum_size=10), '"granularity"'),
        (lambda c: c.update(granularity=0.5), '"minimum_size"'),
        (lambda c: c.update(granularity=0.5, minimum_size=0), '"minimum_size"'),
        (broken(lambda s: s.update(id=0)), 'segment number 2: "id"'),
        (broken(lambda s: s.update(id=True)), '"id"'),
        (broken(lambda s: s.update(id=1)), "id 1 occurs twice"),
        (broken(lambda s: s.pop("name")), '"name"'),
        (broken(lambda s: s.update(count=-1)), '"count"'),
        (broken(lambda s: s.update(color=[1, 2, 256])), '"color"'),
        (broken(lambda s: s.update(color="red")), '"color"'),
        (broken(lambda s: s.update(mean_feature=[0.0])), "16 numbers"),
        (broken(lambda s: s.update(mean_feature=[float("nan")] * 16)), "finite"),
        (lambda c: c.update(segments=[3]), "not an object"),
    ],
)
def test_damaged_files_are_refused_with_the_place(tmp_path, change, says):
    path = tmp_path / "segments.json"
    write_segments(path, described()[0])
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(CgcError) as caught:
        read_segments(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)


def test_no_segments_are_a_valid_list(tmp_path):
    segments = describe_segments(np.zeros(5, np.int32), np.ones((5, 16)))
    assert len(segments) == 0
    write_segments(tmp_path / "segments.json", segments)
    assert read_segments(tmp_path / "segments.json") == segments
    assert segments.palette().shape == (1, 3)


def test_what_was_made_by_hand_survives_the_file_and_is_left_out_where_nothing_was(tmp_path):
    segments, _, _ = described()
    path = tmp_path / "segments.json"
    write_segments(path, segments)
    assert "edited" not in path.read_text()
    assert "pinned" not in path.read_text()
    pinned = replace(segments.segments[1], pinned=True)
    edited = replace(segments, segments=(segments.segments[0], pinned), edited=True)
    write_segments(path, edited)
    assert read_segments(path) == edited
    for key, problem in (("edited", "neither true nor false"), ("pinned", "neither true nor")):
        content = json.loads(path.read_text())
        (content if key == "edited" else content["segments"][0])[key] = 1
        path.write_text(json.dumps(content))
        with pytest.raises(CgcError, match=problem):
            read_segments(path)
        write_segments(path, edited)


def test_edited_segments_are_described_by_their_numbers():
    _, labels, features = described()
    known, _, _ = described(1)
    edited = np.where(labels == 2, 4, labels).astype(np.int32)
    found = describe_edited(edited, features, known)
    assert found.edited
    assert [one.id for one in found.segments] == np.unique(edited[edited > 0]).tolist()
    assert found[4].name == known[4].name
    assert found[4].count == (edited == 4).sum()
    assert describe_edited(edited, None, known)[4].mean_feature == (0.0,) * 16
    with pytest.raises(KeyError):
        describe_edited(np.array([77], np.int32), None, known)
