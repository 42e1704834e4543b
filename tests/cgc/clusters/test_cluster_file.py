# SPDX-License-Identifier: GPL-3.0-or-later
"""clusters.npz comes back as it was written; a damaged one gives a sentence."""

from __future__ import annotations

import random
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from cgc_addon.cgc.clusters.cluster_file import read_all_clusters, read_clusters, write_clusters
from cgc_addon.cgc.clusters.granularity import MergeTree
from cgc_addon.errors import CgcError

LABELS = np.array([0, 1, 2, 3, 3, 1], np.int32)
TREE = MergeTree(3, np.array([[1, 2], [1, 3]], np.int32), np.array([0.75, 0.5], np.float32))


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "run" / "clusters.npz"
    write_clusters(path, LABELS, TREE)
    return path


def test_what_is_written_is_read(saved):
    labels, tree = read_clusters(saved)
    assert (labels.dtype, tree.merges.dtype, tree.heights.dtype) == (np.int32, np.int32, np.float32)
    np.testing.assert_array_equal(labels, LABELS)
    assert tree.count == 3
    np.testing.assert_array_equal(tree.merges, TREE.merges)
    np.testing.assert_array_equal(tree.heights, TREE.heights)
    np.testing.assert_array_equal(tree.cut(0.6), [0, 1, 1, 3])
    assert [item.name for item in saved.parent.iterdir()] == ["clusters.npz"]


def test_nothing_to_merge_is_no_damage(tmp_path):
    tree = MergeTree(0, np.empty((0, 2), np.int32), np.empty(0, np.float32))
    write_clusters(tmp_path / "clusters.npz", np.zeros(4, np.int32), tree)
    labels, read = read_clusters(tmp_path / "clusters.npz")
    assert (len(labels), read.count, read.merges.shape) == (4, 0, (0, 2))


def test_the_same_clusters_are_the_same_bytes(saved, tmp_path):
    write_clusters(tmp_path / "again.npz", LABELS, TREE)
    assert (tmp_path / "again.npz").read_bytes() == saved.read_bytes()


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(CgcError, match=r"none\.npz is missing"):
        read_clusters(tmp_path / "none.npz")
    with pytest.raises(CgcError, match="is a folder, not a file"):
        read_clusters(tmp_path)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"labels": None}, "labels"),
        ({"labels": LABELS + 1}, "labels are not from 0 to 3"),
        ({"labels": LABELS - 1}, "labels are not from 0 to 3"),
        ({"labels": LABELS.astype(np.float64)}, "other types"),
        ({"labels": LABELS.reshape(2, 3)}, "other shapes"),
        ({"merges": TREE.merges - 1}, "merges are not of two clusters from 1 to 3"),
        ({"merges": np.array([[1, 1], [1, 3]], np.int32)}, "merges are not of two clusters"),
        ({"merges": TREE.merges[:1]}, "other shapes"),
        ({"heights": TREE.heights[::-1].copy()}, "falling order"),
        ({"heights": np.array([np.nan, 0.1], np.float32)}, "falling order"),
        ({"count": np.array([3, 4])}, "size 1"),
        ({"labels": np.array([object()] * 6)}, "allow_pickle"),
    ],
)
def test_what_cannot_be_is_refused(saved, changed, reason):
    arrays = dict(np.load(saved)) | changed
    np.savez(saved, **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(CgcError, match=rf"clusters\.npz is damaged .*{reason}"):
        read_clusters(saved)


@pytest.mark.parametrize("content", [b"", b"nothing", b"PK\x03\x04", b"\x80\x04N."])
def test_what_is_no_archive_is_refused(saved, content):
    saved.write_bytes(content)
    with pytest.raises(CgcError, match=r"is damaged \(it is cut short or no \.npz file\)"):
        read_clusters(saved)


def test_a_pickle_is_never_loaded(saved):
    with zipfile.ZipFile(saved, "w") as archive:
        for name in ("labels", "merges", "heights", "count"):
            archive.writestr(f"{name}.npy", b"\x80\x04N.")
    with pytest.raises(CgcError, match="is damaged"):
        read_clusters(saved)


def test_random_damage_gives_clusters_or_a_sentence(saved):
    whole = saved.read_bytes()
    sentences = []
    for seed in range(1500):
        rng = random.Random(seed)
        data = bytearray(whole)
        if rng.random() < 0.2:
            del data[rng.randrange(len(data)) :]
        for _ in range(rng.choice([1, 1, 2, 8]) if data else 0):
            data[rng.randrange(len(data))] = rng.randrange(256)
        saved.write_bytes(bytes(data))
        try:
            labels, tree = read_clusters(saved)
        except CgcError as error:
            sentences.append(str(error))
        else:
            assert tree.cut(0.0)[labels].shape == labels.shape
    assert len(sentences) > 700
    assert not any("\n" in sentence for sentence in sentences)


def test_what_was_found_before_corrections_comes_back_too(tmp_path):
    path = tmp_path / "clusters.npz"
    corrected = np.array([1, 4, 4, 0], np.int32)
    found = np.array([1, 2, 3, 0], np.int32)
    write_clusters(path, corrected, replace(TREE, count=4, fixed=1), found)
    read = read_all_clusters(path)
    assert read.labels.tolist() == corrected.tolist()
    assert read.found.tolist() == found.tolist()
    assert (read.tree.count, read.tree.fixed) == (4, 1)
    assert (read.found_tree.count, read.found_tree.fixed) == (3, 0)
    write_clusters(path, found, TREE)
    assert read_all_clusters(path).found.tolist() == found.tolist()


@pytest.mark.parametrize(
    ("found", "fixed"), [([1, 2, 4, 0], 1), ([1, 2, 3], 1), ([1, 2, 3, 0], 5), ([1, 2, 3, 0], 2)]
)
def test_what_was_found_must_fit_the_rest(tmp_path, found, fixed):
    path = tmp_path / "clusters.npz"
    corrected = np.array([1, 4, 4, 0], np.int32)
    write_clusters(path, corrected, replace(TREE, count=4, fixed=fixed), np.array(found, np.int32))
    with pytest.raises(CgcError, match="is damaged"):
        read_all_clusters(path)
