# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a mask model's answers: what comes back, and what is said of a bad one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cgc_addon.dataset.load import load_dataset
from cgc_addon.dataset.mask_answers import (
    checksum,
    pack_masks,
    read_answers,
    write_answers,
)
from cgc_addon.errors import CgcError


def some_answers(count=7, height=11, width=13, seed=0):
    generator = np.random.default_rng(seed)
    masks = generator.random((count, height, width)) < 0.4
    return masks, pack_masks(masks, generator.random(count), generator.random(count))


def test_what_was_written_is_read(tmp_path: Path) -> None:
    masks, answers = some_answers()
    write_answers(tmp_path / "a.npz", replace(answers, map_checksum=77))
    found = read_answers(tmp_path / "a.npz")
    assert np.array_equal(found.masks(), masks)
    assert np.array_equal(found.scores, answers.scores)
    assert np.array_equal(found.stabilities, answers.stabilities)
    assert (found.width, found.height, found.map_checksum, len(found)) == (13, 11, 77, 7)


def test_no_answers_are_a_file_too(tmp_path: Path) -> None:
    _, answers = some_answers(count=0)
    write_answers(tmp_path / "a.npz", answers)
    assert read_answers(tmp_path / "a.npz").masks().shape == (0, 11, 13)


def test_the_files_are_small(tmp_path: Path) -> None:
    """A hundred masks of 256×192 are less than a photo."""
    rows, columns = np.mgrid[:192, :256]
    masks = np.stack(
        [np.hypot(rows - 3 * k % 190, columns - 7 * k % 250) < 10 + k / 2 for k in range(100)]
    )
    write_answers(tmp_path / "a.npz", pack_masks(masks, np.ones(100), np.ones(100)))
    assert (tmp_path / "a.npz").stat().st_size < 60_000


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("version", np.int32(2), "version 2"),
        ("size", np.array([0, 3], np.int32), "size"),
        ("size", np.array([9, 9], np.int32), "not of its size"),
        ("scores", np.ones(3, np.float32), "a number for each"),
        ("stabilities", np.full(7, np.nan, np.float32), "finite"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, name, value, sentence) -> None:
    _, answers = some_answers()
    write_answers(tmp_path / "a.npz", answers)
    with np.load(tmp_path / "a.npz") as file:
        content = dict(file)
    np.savez(tmp_path / "a.npz", **{**content, name: value})
    with pytest.raises(CgcError, match=sentence):
        read_answers(tmp_path / "a.npz")


def test_a_checksum_is_of_the_ids_and_their_shape() -> None:
    ids = np.arange(12, dtype=np.uint16).reshape(3, 4)
    other = ids.copy()
    other[0, 0] = 9
    different = {checksum(one) for one in (ids, other, ids.reshape(4, 3))}
    assert len(different) == 3
    assert checksum(ids.astype(np.uint8)) == checksum(ids)


def answered_dataset(tiny_dataset: Path, place: Path) -> tuple[Path, np.ndarray]:
    """Copy a dataset, with answers for its second photo at half the size of its label map."""
    import shutil

    folder = place / "dataset"
    shutil.copytree(tiny_dataset, folder)
    labels = np.asarray(Image.open(folder / "masks" / "0001.png")).astype(np.uint16)
    small = labels[::2, ::2]
    masks = np.stack([small == one for one in np.unique(small) if one])
    answers = pack_masks(masks, np.ones(len(masks)), np.ones(len(masks)))
    write_answers(
        folder / "masks_answers" / "0001.npz", replace(answers, map_checksum=checksum(labels))
    )
    return folder, masks


def test_a_view_has_the_answers_of_its_photo(tiny_dataset: Path, tmp_path: Path) -> None:
    folder, masks = answered_dataset(tiny_dataset, tmp_path)
    store = load_dataset(folder).store
    assert store.answers(0) is None
    answers = store.answers(1)
    assert answers is not None
    cells = store.answer_cells(1, answers)
    labels = store.labels(1)
    assert labels is not None
    assert cells.shape == labels.shape
    inside = masks.reshape(len(masks), -1)[:, cells]  # (M, H, W)
    for number, identifier in enumerate(np.unique(labels[labels > 0])):
        assert np.mean(inside[number] == (labels == identifier)) > 0.9  # half the size


def test_answers_to_a_map_that_was_changed_do_not_count(tiny_dataset: Path, tmp_path: Path) -> None:
    folder, _ = answered_dataset(tiny_dataset, tmp_path)
    path = folder / "masks" / "0001.png"
    labels = np.asarray(Image.open(path)).astype(np.uint16)
    labels[labels == labels.max()] = 0
    Image.fromarray(labels).save(path)
    assert load_dataset(folder).store.answers(1) is None
