# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a verb writes where there is no room: one sentence, and the old files are unharmed."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cgc_addon.cgc.clusters.cluster_file import write_clusters
from cgc_addon.cgc.clusters.granularity import MergeTree
from cgc_addon.cgc.segments import describe_segments, write_segments
from cgc_addon.cli import main
from cgc_addon.reconstruction.colmap import process
from cgc_addon.splats.ply import write_ply
from cgc_addon.training.presets import preset
from cgc_addon.training.run_folder import RunFolder

from ..tiny_dataset import tiny_gaussians

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no limit for files")


@pytest.fixture
def run(tiny_dataset, tmp_path) -> Path:
    """A run of four balls that can be cut again."""
    folder = RunFolder(tmp_path / "run")
    gaussians = tiny_gaussians()
    labels = gaussians.segments
    assert labels is not None
    features = np.eye(16, dtype=np.float32)[labels]
    folder.start(tiny_dataset, preset("draft"), {})
    write_ply(folder.splat, replace(gaussians, features=features))
    write_segments(folder.segments, describe_segments(labels, features))
    tree = MergeTree(4, np.array([[1, 2]], np.int32), np.array([0.9], np.float32))
    write_clusters(folder.clusters, labels, tree)
    (folder.path / "evaluation.json").write_text("old")
    return folder.path


@pytest.fixture
def no_room(capsys):
    """Return a function that calls a verb with room for so many bytes in a file."""
    import resource

    def call(*arguments: object, room: int) -> str:
        capsys.readouterr()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
        try:
            code = main([str(argument) for argument in arguments])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("cgc:")]
        assert code == 1
        (sentence,) = told
        assert "could not be written" in sentence
        assert ".tmp" not in sentence
        return sentence

    return call


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file; `log.txt` tells what was tried."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("room", [300, 3_000, 40_000])
def test_segment(run, no_room, room) -> None:
    before = contents(run)
    no_room("segment", run, "--granularity", "0", room=room)
    assert contents(run) == before
    assert main(["segment", str(run), "--granularity", "0"]) == 0


@pytest.mark.parametrize("name", ["a.ply", "a.compressed.ply", "a.spz", "a.sog", "a.glb"])
def test_export(run, no_room, tmp_path, name) -> None:
    output = tmp_path / "exports"
    output.mkdir()
    (output / name).write_bytes(b"old")
    assert str(output / name) in no_room("export", run, "-o", output / name, room=500)
    assert contents(output) == {name: b"old"}


def test_render(run, no_room, tmp_path) -> None:
    output = tmp_path / "pictures"
    no_room("render", run, "-o", output, "--what", "rgb,labels", "--backend", "cpu", room=200)
    assert all(path.endswith(".png") for path in contents(output))
    assert main(["render", str(run), "-o", str(output), "--backend", "cpu"]) == 0


def test_evaluate(run, no_room, tiny_dataset) -> None:
    before = contents(run)
    no_room("evaluate", run, tiny_dataset, "--backend", "cpu", room=100)
    assert contents(run) == before


def test_masks(tiny_dataset, no_room, tmp_path) -> None:
    dataset = shutil.copytree(tiny_dataset, tmp_path / "data")
    shutil.rmtree(dataset / "masks")
    before = contents(dataset)
    no_room("masks", dataset, "--import", tiny_dataset / "gt", room=40)
    assert contents(dataset) == before


def test_undistort(tiny_dataset, no_room, tmp_path) -> None:
    no_room("undistort", tiny_dataset, "-o", tmp_path / "copy", room=300)
    assert contents(tmp_path / "copy") == {}


def test_train(tiny_dataset, no_room, tmp_path) -> None:
    arguments = ("train", tiny_dataset, "-o", tmp_path / "run", "--preset", "draft", "--steps", "5")
    no_room(*arguments, "--backend", "cpu", "--features", "off", room=20_000)
    assert main([*map(str, arguments), "--backend", "cpu", "--features", "off", "--resume"]) == 0


SAMPLE = Path(__file__).parents[2] / "cgc_addon" / "sample" / "images"


@pytest.fixture
def photos(tmp_path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for path in sorted(SAMPLE.iterdir())[:4]:
        shutil.copy(path, folder)
    return folder


def test_solve(photos, no_room, tmp_path) -> None:
    no_room("solve", photos, "-o", tmp_path / "new", room=10_000)
    assert not (tmp_path / "new").exists()


def test_solve_where_colmap_finds_no_room(photos, no_room, tmp_path, monkeypatch) -> None:
    """It ends with words of its own, which say nothing of the disk."""
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(process.shutil, "disk_usage", lambda _path: usage._replace(free=2 << 20))
    sentence = no_room("solve", photos, "-o", tmp_path / "new", room=60_000)
    assert "only 2 MiB are free on that disk" in sentence
