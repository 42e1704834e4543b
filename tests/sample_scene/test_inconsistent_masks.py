# SPDX-License-Identifier: GPL-3.0-or-later
"""The mask generator is exact at level 0, wrong as often as it says above, and repeatable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays


@pytest.fixture(scope="module")
def grid():
    """60 views of 12 touching squares of 20 pixels with two parts each, on a table and a wall."""
    objects = np.zeros((90, 120), dtype=np.uint16)
    for k in range(12):
        row, column = divmod(k, 4)
        objects[15 + 20 * row : 35 + 20 * row, 20 + 20 * column : 40 + 20 * column] = k + 1
    rows, columns = np.indices(objects.shape)
    parts = np.where(objects > 0, 10 * objects + 1 + (columns // 10) % 2, 1 + (rows > 40))
    return np.stack([objects] * 60), np.stack([parts.astype(np.uint16)] * 60)


def masks_of(label_map):
    """Return each labelled mask as the set of its pixels."""
    return {frozenset(np.flatnonzero(label_map == k)) for k in np.unique(label_map) if k > 0}


def test_level_0_is_exact_with_ids_shuffled_in_every_view(masks_module, grid):
    objects, parts = grid
    noise = masks_module.MaskNoise.at_level(0)
    maps, reports = masks_module.inconsistent_masks(objects, parts, noise=noise)
    assert maps.dtype == np.uint16
    for exact, label_map in zip(objects, maps, strict=True):
        assert masks_of(label_map) == masks_of(exact)
    ids_of_first_object = maps[:, 16, 21]
    assert len(np.unique(ids_of_first_object)) > 6
    assert not any(report.missing or report.split or report.merged for report in reports)


@pytest.mark.parametrize("level", [1.0, 2.0])
def test_flaws_are_as_frequent_as_the_level_says(masks_module, grid, level):
    noise = masks_module.MaskNoise.at_level(level)
    _, reports = masks_module.inconsistent_masks(*grid, noise=noise)
    count = sum(len(report.visible) for report in reports)
    assert count == 60 * 12
    deviation = 4 * np.sqrt(0.25 / count)
    missing = sum(len(report.missing) for report in reports) / count
    split = sum(len(report.split) for report in reports) / count
    merged = sum(len(report.merged) for report in reports) / count
    assert missing == pytest.approx(0.08 * level, abs=deviation)
    assert split == pytest.approx(0.22 * level, abs=deviation)
    assert 0.03 * level < merged <= 0.08 * level + deviation


def test_missing_split_and_merged_masks_are_what_the_report_says(masks_module, grid):
    objects, parts = grid
    noise = replace(masks_module.MaskNoise.at_level(1.0), wobble=0.0, pits=0.0, background=0.0)
    maps, reports = masks_module.inconsistent_masks(objects, parts, noise=noise)
    for exact, part, label_map, report in zip(objects, parts, maps, reports, strict=True):
        expected = set()
        merged = {k for pair in report.merged for k in pair}
        for k in set(report.visible) - set(report.missing) - set(report.split) - merged:
            expected.add(frozenset(np.flatnonzero(exact == k)))
        for pair in report.merged:
            expected.add(frozenset(np.flatnonzero(np.isin(exact, pair))))
        for k in report.split:
            for number in (10 * k + 1, 10 * k + 2):
                expected.add(frozenset(np.flatnonzero(part == number)))
        assert masks_of(label_map) == expected


def test_merged_objects_touch(masks_module, grid):
    noise = replace(masks_module.MaskNoise.at_level(0), merged=1.0)
    _, reports = masks_module.inconsistent_masks(*grid, noise=noise)
    pairs = {pair for report in reports for pair in report.merged}
    assert len(pairs) > 10
    for first, second in pairs:
        rows, columns = zip(divmod(first - 1, 4), divmod(second - 1, 4), strict=True)
        assert abs(rows[0] - rows[1]) + abs(columns[0] - columns[1]) == 1


def test_without_parts_an_object_is_split_in_halves(masks_module, grid):
    noise = replace(masks_module.MaskNoise.at_level(0), split=1.0)
    maps, _ = masks_module.inconsistent_masks(grid[0][:4], noise=noise)
    for exact, label_map in zip(grid[0], maps, strict=False):
        for k in range(1, 13):
            ids, counts = np.unique(label_map[exact == k], return_counts=True)
            assert len(ids) == 2
            assert 0.25 < counts.min() / counts.sum() <= 0.5
        assert (label_map[exact == 0] == 0).all()


def test_edges_move_by_at_most_twice_the_wobble_and_do_move(masks_module):
    objects = np.zeros((1, 80, 80), dtype=np.uint16)
    rows, columns = np.indices((80, 80))
    distance = np.hypot(rows - 39.5, columns - 39.5)
    objects[0, distance < 25] = 7
    sizes = set()
    for seed in range(20):
        noise = replace(masks_module.MaskNoise.at_level(0), wobble=1.0)
        maps, _ = masks_module.inconsistent_masks(objects, noise=noise, seed=seed)
        wrong = (maps[0] > 0) != (objects[0] > 0)
        assert wrong.any()
        # One pixel of waves on each axis, then one step thicker or thinner.
        assert np.abs(distance[wrong] - 25).max() <= np.sqrt(2) + 1 + 0.5
        sizes.add(int((maps[0] > 0).sum()))
    assert min(sizes) < (objects > 0).sum() < max(sizes)


def test_pits_are_small_holes_inside_the_mask(masks_module):
    objects = np.full((1, 100, 100), 3, dtype=np.uint16)
    noise = replace(masks_module.MaskNoise.at_level(0), pits=1.0)
    holes = []
    for seed in range(20):
        maps, _ = masks_module.inconsistent_masks(objects, noise=noise, seed=seed)
        holes.append(int((maps == 0).sum()))
    # Ten pits of 9 pixels, each pixel with a chance of 0.7, are expected in 10 000 pixels.
    assert 40 < np.mean(holes) < 80


def test_background_is_chunks_in_some_views_and_unlabelled_in_others(masks_module, grid):
    objects, parts = grid
    noise = masks_module.MaskNoise.at_level(1.0)
    maps, reports = masks_module.inconsistent_masks(objects, parts, noise=noise)
    far = np.ones(objects.shape[1:], dtype=bool)
    far[10:80, 15:105] = False  # farther from every object than any edge moves
    shares = np.array([(label_map[far] > 0).mean() for label_map in maps])
    chunks = np.array([report.background_chunks for report in reports])
    assert (shares[chunks == 0] == 0).all()
    assert 0.1 < (chunks == 0).mean() < 0.6
    assert shares.max() > 0.8
    assert chunks.max() >= 3


def test_a_seed_repeats_a_run_and_views_do_not_depend_on_each_other(masks_module, grid):
    noise = masks_module.MaskNoise.at_level(1.0)
    objects, parts = (stack[:6] for stack in grid)
    first, _ = masks_module.inconsistent_masks(objects, parts, noise=noise, seed=3)
    again, _ = masks_module.inconsistent_masks(objects[:2], parts[:2], noise=noise, seed=3)
    other, _ = masks_module.inconsistent_masks(objects, parts, noise=noise, seed=4)
    np.testing.assert_array_equal(first[:2], again)
    assert (first != other).any()


@settings(max_examples=60, deadline=None)
@given(
    objects=arrays.arrays(
        np.uint16,
        st.tuples(st.just(1), st.integers(1, 24), st.integers(1, 24)),
        elements=st.integers(0, 5),
    ),
    level=st.floats(0, 3),
    seed=st.integers(0, 2**31),
)
def test_any_map_gives_ids_from_1_without_gaps(masks_module, objects, level, seed):
    noise = masks_module.MaskNoise.at_level(level)
    maps, reports = masks_module.inconsistent_masks(objects, noise=noise, seed=seed)
    assert maps.shape == objects.shape
    ids = np.unique(maps[maps > 0])
    np.testing.assert_array_equal(ids, np.arange(1, len(ids) + 1))
    assert set(reports[0].visible) == set(np.unique(objects)) - {0}


@pytest.mark.parametrize("level", [-0.1, 3.5, float("nan")])
def test_a_level_out_of_range_is_refused(masks_module, level):
    with pytest.raises(ValueError, match="noise level"):
        masks_module.MaskNoise.at_level(level)


def test_a_dataset_gets_its_masks_anew(masks_module, grid, tmp_path):
    for view in range(3):
        masks_module.write_label_map(tmp_path / "gt" / f"{view:04d}.png", grid[0][view])
        masks_module.write_label_map(tmp_path / "parts" / f"{view:04d}.png", grid[1][view])
    masks_module.spoil_dataset(tmp_path, level=1.0, seed=5)
    noise = masks_module.MaskNoise.at_level(1.0)
    expected, _ = masks_module.inconsistent_masks(grid[0][:3], grid[1][:3], noise=noise, seed=5)
    for view in range(3):
        written = masks_module.read_label_map(tmp_path / "masks" / f"{view:04d}.png")
        np.testing.assert_array_equal(written, expected[view])
