# SPDX-License-Identifier: GPL-3.0-or-later
import json
from dataclasses import replace

import numpy as np
import pytest

from cgc_addon.cli import main
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.training import preview
from cgc_addon.training.pipeline import train
from cgc_addon.training.presets import preset
from cgc_addon.training.preview import Preview, points_of_gaussians


def gaussians(count: int, seed: int = 0) -> Gaussians:
    random = np.random.default_rng(seed)
    return Gaussians(
        means=random.normal(size=(count, 3)).astype(np.float32),
        log_scales=random.normal(-3, 1, (count, 3)).astype(np.float32),
        quats=np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1)),
        logit_opacities=random.normal(0, 3, count).astype(np.float32),
        sh=random.normal(size=(count, 4, 3)).astype(np.float32),
    )


def test_points_show_place_size_and_colour():
    splat = Gaussians(
        means=np.array([[1, 2, 3], [4, 5, 6]], np.float32),
        log_scales=np.log(np.array([[0.1, 0.2, 0.4], [1, 1, 1]], np.float32)),
        quats=np.array([[1, 0, 0, 0], [1, 0, 0, 0]], np.float32),
        logit_opacities=np.array([3, -9], np.float32),  # the second cannot be seen
        sh=np.array([[[0, 1, 9]], [[0, 0, 0]]], np.float32),
    )
    points = points_of_gaussians(splat)
    assert points.dtype == np.float32
    np.testing.assert_allclose(points, [[1, 2, 3, 0.2, 0.5, 0.7820948, 1.0]], rtol=1e-6)


def test_of_many_the_largest_and_most_opaque_are_kept_in_order(monkeypatch):
    monkeypatch.setattr(preview, "MOST_POINTS", 100)
    splat = gaussians(1000)
    points = points_of_gaussians(splat)
    assert points.shape == (100, 7)
    assert np.array_equal(points, points_of_gaussians(splat))
    opacities = 1 / (1 + np.exp(-splat.logit_opacities.astype(np.float64)))
    weights = opacities * np.exp(splat.log_scales.astype(np.float64).mean(axis=1))
    best = np.sort(np.argsort(weights)[-100:])
    assert np.array_equal(points[:, :3], splat.means[best])


def test_segments_tint_their_points_and_leave_the_others():
    splat = replace(gaussians(50), logit_opacities=np.full(50, 3, np.float32))
    segments = np.arange(50, dtype=np.int32) % 3
    plain, tinted = points_of_gaussians(splat), points_of_gaussians(splat, segments)
    assert np.array_equal(plain[:, :4], tinted[:, :4])
    assert np.array_equal(plain[segments == 0], tinted[segments == 0])
    spread = [np.ptp(points[segments == 1, 4:], axis=0) for points in (plain, tinted)]
    assert (spread[1] < 0.5 * spread[0]).all()
    assert np.array_equal(points_of_gaussians(splat, np.zeros(50, np.int32)), plain)


def test_a_preview_is_written_when_it_is_due_and_told(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(preview.time, "perf_counter", lambda: now[0])
    told = []
    shown = Preview(tmp_path / "preview.npy", 5.0, told.append)
    points = np.ones((3, 7), np.float32)
    for moment, total in ((100.0, 1), (104.9, 1), (105.0, 2), (106.0, 2), (130.0, 3)):
        now[0] = moment
        shown.offer(lambda: points)
        assert told == [tmp_path / "preview.npy"] * total
    assert np.array_equal(np.load(tmp_path / "preview.npy"), points)
    assert [path.name for path in tmp_path.iterdir()] == ["preview.npy"]


def test_a_preview_that_cannot_be_written_stops_nothing(tmp_path):
    told = []
    Preview(tmp_path / "missing" / "preview.npy", 5.0, told.append).show(
        np.ones((3, 7), np.float32)
    )
    (tmp_path / "preview.npy").mkdir()  # as if somebody held it
    Preview(tmp_path / "preview.npy", 5.0, told.append).show(np.ones((3, 7), np.float32))
    assert told == []
    assert [path.name for path in tmp_path.iterdir()] == ["preview.npy"]


@pytest.mark.parametrize(("name", "features"), [("draft", "off"), ("paper", "joint")])
def test_previews_change_nothing_in_the_result(tiny_dataset, tmp_path, name, features):
    config = preset(name, steps=60, features=features)
    config = replace(
        config,
        backend="cpu",
        geometry=replace(config.geometry, far_points=0),
        edges=replace(config.edges, steps=3),
    )
    without, watched = tmp_path / "without", tmp_path / "watched"
    told = []
    train(tiny_dataset, without, config)
    shown = Preview(watched / "preview.npy", 0.001, told.append)
    train(tiny_dataset, watched, config, preview=shown)
    assert len(told) > 30
    for file in ("splat.ply", "segments.json", "checkpoint.safetensors"):
        assert (without / file).read_bytes() == (watched / file).read_bytes(), file
    assert not (without / "preview.npy").exists()
    points = np.load(watched / "preview.npy", allow_pickle=False)
    assert points.shape[1] == 7
    assert len(points) > 100
    assert points[:, 4:].min() >= 0
    assert points[:, 4:].max() <= 1


def test_the_verb_tells_each_preview(tiny_dataset, tmp_path, capsys):
    run = tmp_path / "run"
    assert main([
        "train", str(tiny_dataset), "-o", str(run), "--preset", "paper", "--steps", "20",
        "--backend", "cpu", "--features", "off", "--preview", "60", "--json",
    ]) == 0  # fmt: skip
    messages = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    previews = [message for message in messages if message["type"] == "preview"]
    assert previews == [{"type": "preview", "file": str(run / "preview.npy")}]
    assert np.load(run / "preview.npy").shape[1] == 7


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "soon"])
def test_seconds_between_previews_are_more_than_none(seconds, capsys):
    assert main(["train", "x", "-o", "y", "--preview", seconds]) == 2
    assert "--preview" in capsys.readouterr().err
