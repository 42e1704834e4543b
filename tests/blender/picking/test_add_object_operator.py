# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mask model found becomes a segment of its own; where nobody can be asked, it is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bpy")

import bpy

from cgc_addon.blender.common.access import of_collection
from cgc_addon.blender.jobs import registry as jobs
from cgc_addon.blender.picking.add_object_operator import add_object
from cgc_addon.blender.segments.data import all_segments, collection_of, splats_of
from cgc_addon.blender.segments.recut import recut
from cgc_addon.blender.splats.objects import indices_of
from cgc_addon.errors import CgcError
from cgc_addon.files import write_json
from cgc_addon.splats.ply import write_ply

from ..fake_worker import FakeWorker
from .row_of_things import EACH, at, numbers, row_of_things
from .row_of_things import run as row_run


def owners(capture) -> dict[int, int]:
    return {
        int(index): of_collection(collection).segment
        for collection in all_segments(capture)
        for item in splats_of(collection)
        for index in indices_of(item)
    }


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder of the run that the capture came from."""
    write_json(tmp_path / "run" / "config.json", {"dataset": str(tmp_path), "version": 1})
    write_ply(tmp_path / "run" / "splat.ply", row_run().gaussians)
    return tmp_path / "run"


def test_what_was_found_is_a_pinned_segment_that_every_cut_leaves_alone() -> None:
    capture = row_of_things()
    before = owners(capture)
    found = np.concatenate([np.arange(EACH // 2), np.arange(2 * EACH, 2 * EACH + 5)])
    made = add_object(capture, found)
    after = owners(capture)
    own = {index for index, number in after.items() if number == of_collection(made).segment}
    assert own == set(found.tolist())
    assert of_collection(made).pinned
    assert all(after[index] == before[index] for index in after if index not in own)
    recut(capture, 1.0, 1)
    kept = {i for i, number in owners(capture).items() if number == of_collection(made).segment}
    assert kept == own
    with pytest.raises(CgcError, match="not in this file any more"):
        add_object(capture, np.array([99_999]))


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWorker]:
    fake = FakeWorker()
    monkeypatch.setattr(jobs, "new_worker", lambda: fake)
    yield fake
    jobs.unregister()
    jobs.register()


def test_a_click_asks_for_the_gaussian_that_is_seen_there(run: Path, worker: FakeWorker) -> None:
    capture = row_of_things()
    of_collection(capture).run = str(run)

    def find() -> None:
        file = worker.arguments[worker.arguments.index("--indices") + 1]
        np.save(file, np.arange(3 * EACH, 3 * EACH + 20, dtype=np.int32))
        worker.tell("result", gaussians=20)

    worker.does = find
    assert bpy.ops.cgc.add_object(**at("D")) == {"FINISHED"}
    assert worker.arguments[:4] == ("pick", str(run), "--by", "mask")
    gaussian = int(worker.arguments[worker.arguments.index("--gaussian") + 1])
    assert 3 * EACH <= gaussian < 4 * EACH
    assert (5, 20) in numbers(capture)
    added = collection_of(bpy.context.active_object)
    assert of_collection(added).segment == 5
    assert of_collection(added).pinned
    assert not Path(worker.arguments[worker.arguments.index("--indices") + 1]).exists()


def test_what_the_worker_says_is_said_and_nothing_changes(run: Path, worker: FakeWorker) -> None:
    capture = row_of_things()
    of_collection(capture).run = str(run)
    before = numbers(capture)
    worker.does = lambda: worker.tell("error", text="MobileSAM finds nothing at the place.")
    with pytest.raises(RuntimeError, match="finds nothing"):
        bpy.ops.cgc.add_object(**at("D"))
    assert numbers(capture) == before


def test_where_nobody_can_be_asked_it_is_said_and_nothing_changes(run: Path) -> None:
    capture = row_of_things()
    before = numbers(capture)
    with pytest.raises(RuntimeError, match="came from no run that is there"):
        bpy.ops.cgc.add_object(**at("A"))
    of_collection(capture).run = str(run)
    with pytest.raises(RuntimeError, match="No splat is seen there"):
        bpy.ops.cgc.add_object(**{**at("A"), "x": 1.0, "y": 1.0})
    other = row_run().gaussians
    write_ply(run / "splat.ply", type(other)(**{**vars(other), "sh": other.sh + 1}))
    with pytest.raises(RuntimeError, match="did not come from"):
        bpy.ops.cgc.add_object(**at("A"))
    assert numbers(capture) == before
