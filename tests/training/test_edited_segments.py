# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments made by hand are in a run as a whole or not at all, and nothing else is changed."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cgc_addon.cgc.segments import Cut, Segment, Segments, read_segments
from cgc_addon.cli import main
from cgc_addon.errors import CgcError
from cgc_addon.results.sources import read_splat
from cgc_addon.splats.ply import read_ply
from cgc_addon.training.edited_segments import write_edited
from cgc_addon.training.run_folder import RunFolder
from cgc_addon.training.run_lock import locked

from ..kills import killed_before

EARLIER = Path(__file__).parents[1] / "earlier_versions" / "0.1.0"
NOTHING = (0.0,) * 16
KNOWN = Segments(
    (
        Segment(2, "Teapot", (1, 2, 3), 0, NOTHING, pinned=True),
        Segment(5, "Segment 005", (9, 8, 7), 0, NOTHING),
        Segment(9, "nobody's", (0, 0, 1), 0, NOTHING),
    ),
    Cut(0.25, 7),
)


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(EARLIER / "run", tmp_path / "run")
    return RunFolder(tmp_path / "run")


def some_labels(folder: RunFolder) -> np.ndarray:
    count = len(read_ply(folder.splat).gaussians)
    return np.random.default_rng(0).choice([0, 2, 5], count).astype(np.int32)


def test_only_segments_change_and_are_read_back_as_they_were_written(folder):
    before, labels = read_ply(folder.splat).gaussians, some_labels(folder)
    others = {
        path.name: path.read_bytes()
        for path in folder.path.iterdir()
        if path not in (folder.splat, folder.segments)
    }
    written = write_edited(folder, labels, KNOWN)
    after = read_ply(folder.splat).gaussians
    assert np.array_equal(after.segments, labels)
    for name in ("means", "log_scales", "quats", "logit_opacities", "sh", "features"):
        assert getattr(after, name).tobytes() == getattr(before, name).tobytes()
    assert read_segments(folder.segments) == written
    assert written.edited
    assert written.cut == Cut(0.25, 7)
    assert [(one.id, one.name, one.color, one.pinned) for one in written.segments] == [
        (2, "Teapot", (1, 2, 3), True),
        (5, "Segment 005", (9, 8, 7), False),
    ]
    for segment in written.segments:
        members = before.features[labels == segment.id]
        mean = (members / np.linalg.norm(members, axis=1, keepdims=True)).mean(axis=0)
        assert segment.count == len(members)
        assert np.allclose(segment.mean_feature, mean / np.linalg.norm(mean), atol=1e-5)
    assert {name: (folder.path / name).read_bytes() for name in others} == others
    assert folder.corrections.is_file()


def test_cutting_anew_keeps_what_was_made_by_hand(folder, capsys):
    labels = some_labels(folder)
    write_edited(folder, labels, KNOWN)
    for granularity in ("0", "1"):
        assert main(["segment", str(folder.path), "--granularity", granularity]) == 0
        cut, listed = read_ply(folder.splat).gaussians.segments, read_segments(folder.segments)
        assert not listed.edited
        teapot = next(one for one in listed.segments if one.name == "Teapot")
        assert (teapot.color, teapot.pinned) == ((1, 2, 3), True)
        assert np.array_equal(cut == teapot.id, labels == 2)
        assert not cut[labels == 0].any()  # what was unassigned by hand
    assert "get new names" not in " ".join(capsys.readouterr().err.split())


def test_a_run_that_was_edited_by_an_earlier_version_keeps_its_edits_too(folder):
    labels = some_labels(folder)
    write_edited(folder, labels, KNOWN)
    folder.corrections.unlink()  # which that version did not write
    assert main(["segment", str(folder.path)]) == 0
    cut, listed = read_ply(folder.splat).gaussians.segments, read_segments(folder.segments)
    teapot = next(one for one in listed.segments if one.name == "Teapot")
    assert np.array_equal(cut == teapot.id, labels == 2)


def test_cutting_anew_says_which_names_go(folder, capsys):
    known = replace(KNOWN, segments=(KNOWN.segments[0], replace(KNOWN.segments[1], name="Cup")))
    write_edited(folder, some_labels(folder), known)
    assert main(["segment", str(folder.path)]) == 0
    assert "get new names: Cup" in " ".join(capsys.readouterr().err.split())


def test_what_does_not_fit_is_said_and_changes_nothing(folder, tmp_path):
    files = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    labels = some_labels(folder)
    with pytest.raises(CgcError, match="import the run again"):
        write_edited(folder, labels[:-1], KNOWN)
    with locked(folder.path), pytest.raises(CgcError, match="is being trained"):
        write_edited(folder, labels, KNOWN)
    with pytest.raises(KeyError):
        write_edited(folder, labels, replace(KNOWN, segments=KNOWN.segments[1:]))
    with pytest.raises(CgcError, match="is not a run folder"):
        write_edited(RunFolder(tmp_path / "none"), labels, KNOWN)
    assert {path.name: path.read_bytes() for path in folder.path.iterdir()} == files


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_a_kill_never_parts_the_splat_from_its_segments(tmp_path):
    outcomes = set()
    change = 0
    while True:
        change += 1
        folder = RunFolder(tmp_path / str(change))
        shutil.copytree(EARLIER / "run", folder.path)
        labels = some_labels(folder)
        killed = killed_before(
            change, lambda folder=folder, labels=labels: write_edited(folder, labels, KNOWN)
        )
        found = read_splat(folder).segments  # the next command, of whatever kind
        assert found is not None
        listed = read_segments(folder.segments)
        counts = {one.id: one.count for one in listed.segments}
        assert counts == {int(n): int((found == n).sum()) for n in np.unique(found[found > 0])}
        outcomes.add(listed.edited)
        if not killed:
            break
    assert outcomes == {False, True}
