# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mask model is asked for becomes objects of a run, which it keeps."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from cgc_addon.cgc.corrections import session
from cgc_addon.cgc.segments import read_segments
from cgc_addon.cli import main
from cgc_addon.dataset.load import load_dataset
from cgc_addon.masks.models import registry
from cgc_addon.rasterize.select import select_backend
from cgc_addon.results.renders import draw
from cgc_addon.splats.ply import read_ply
from cgc_addon.training.run_folder import RunFolder

from ..cgc.asked.knowing_model import knowing_model

BALLS = ((0.7, 0.7), (-0.7, 0.7), (-0.7, -0.7), (0.7, -0.7))


@pytest.fixture(scope="module")
def trained(tiny_dataset, tmp_path_factory) -> RunFolder:
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "run")
    steps = ["--preset", "draft", "--steps", "120", "--backend", "cpu"]
    assert main(["train", str(tiny_dataset), "-o", str(folder.path), *steps]) == 0
    return folder


@pytest.fixture
def folder(trained, tmp_path, tiny_dataset, monkeypatch) -> RunFolder:
    """A run in which all is one object, and a model that knows better."""
    shutil.copytree(trained.path, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    ids = [str(one.id) for one in read_segments(folder.segments).segments]
    joins = [part for other in ids[1:] for part in ("--join", ids[0], other)]
    assert main(["segment", str(folder.path), *joins]) == 0
    model = knowing_model(load_dataset(tiny_dataset))
    monkeypatch.setattr(registry, "open_model", lambda *_arguments, **_options: model)
    return folder


def on_ball(folder: RunFolder, number: int) -> np.ndarray:
    gaussians = read_ply(folder.splat).gaussians
    return np.linalg.norm(gaussians.means - np.array([*BALLS[number], 0.35]), axis=1) < 0.42


def pixel_of(folder: RunFolder, number: int, view: int = 3) -> tuple[float, float]:
    seen = load_dataset(folder.read_config()[0]).scene.views[view]
    pose, camera = seen.world_to_camera, seen.camera
    x, y, z = pose[:3, :3] @ np.array([*BALLS[number], 0.5]) + pose[:3, 3]
    return camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy


def shown(folder: RunFolder, members: np.ndarray, thing: int) -> float:
    """Return the IoU of what is drawn of some Gaussians with a true object, over all views."""
    dataset = load_dataset(folder.read_config()[0])
    gaussians = replace(
        read_ply(folder.splat).gaussians, segments=np.where(members, 1, 2).astype(np.int32)
    )
    backend, _ = select_backend("cpu")
    common = either = 0
    for index, one in enumerate(draw(gaussians, dataset.scene.views, ("labels",), backend)):
        drawn, true = one.labels == 1, dataset.store.truth(index) == thing
        common, either = common + (drawn & true).sum(), either + (drawn | true).sum()
    return float(common / either)


def check_is_ball(folder: RunFolder, number: int, name: str | None = None) -> None:
    labels = read_ply(folder.splat).gaussians.segments
    one = int(np.bincount(labels[on_ball(folder, number)]).argmax())
    assert shown(folder, labels == one, number + 1) > 0.8
    if name is not None:
        assert read_segments(folder.segments)[one].name == name


def test_a_click_adds_a_named_object_that_every_cut_has(folder, capsys):
    x, y = pixel_of(folder, 1)
    place = f"{x:.1f},{y:.1f},0003.png"
    assert main(["segment", str(folder.path), "--add", place, "--name", "Green ball"]) == 0
    for granularity in ("0", "1"):
        main(["segment", str(folder.path), "--granularity", granularity])
        check_is_ball(folder, 1, "Green ball")
    main(["segment", str(folder.path), "--corrections"])
    said = f"add {round(x, 1):g},{round(y, 1):g} of 0003.png “Green ball”"
    assert said in capsys.readouterr().out


def test_where_the_tree_has_no_part_the_mask_model_is_asked(folder, monkeypatch):
    monkeypatch.setattr(session, "part_of", lambda *_arguments: None)
    x, y = pixel_of(folder, 1)
    labels = read_ply(folder.splat).gaussians.segments
    one = int(np.bincount(labels[on_ball(folder, 1)]).argmax())
    assert main(["segment", str(folder.path), "--split", f"{one}@{x},{y},0003"]) == 0
    check_is_ball(folder, 1)
    after = read_ply(folder.splat).gaussians.segments
    split = after == np.bincount(after[on_ball(folder, 1)]).argmax()
    assert not (split & (labels != one)).any()  # nothing of others


def test_boxes_of_a_detector_become_named_objects(folder, tmp_path, capsys):
    truth = knowing_model(load_dataset(folder.read_config()[0])).truths

    def box(view: int, thing: int) -> list[int]:
        rows, columns = np.nonzero(truth[view] == thing)
        return [int(v) for v in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)]

    objects = {
        "red": [{"photo": "0003.png", "box": box(3, 1)}, {"photo": "0009.png", "box": box(9, 1)}],
        "blue": [{"photo": "0004.png", "points": [list(pixel_of(folder, 2, 4))]}],
    }
    file = tmp_path / "boxes.json"
    file.write_text(json.dumps({"version": 1, "objects": objects}))
    assert main(["segment", str(folder.path), "--boxes", str(file)]) == 0
    check_is_ball(folder, 0, "red")
    check_is_ball(folder, 2, "blue")
    objects["red"][0]["photo"] = "nowhere.png"
    file.write_text(json.dumps({"version": 1, "objects": objects}))
    capsys.readouterr()
    assert main(["segment", str(folder.path), "--boxes", str(file)]) == 1
    assert "boxes.json, red: There is no view nowhere.png" in " ".join(
        capsys.readouterr().err.split()
    )


def test_without_a_model_it_is_said_how_to_get_one(folder, monkeypatch, tmp_path, capsys):
    monkeypatch.undo()
    monkeypatch.setenv("CGC_MODELS", str(tmp_path / "none"))
    before = folder.splat.read_bytes()
    assert main(["segment", str(folder.path), "--add", "20,15,0003"]) == 1
    assert "models --download" in " ".join(capsys.readouterr().err.split())
    assert folder.splat.read_bytes() == before


def test_pick_by_mask_gives_the_gaussians_of_a_click_and_changes_nothing(folder, tmp_path):
    before = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    x, y = pixel_of(folder, 1)
    command = ["pick", str(folder.path), "--by", "mask", "--indices", str(tmp_path / "found.npy")]
    assert main([*command, "--view", "0003", "--at", f"{x},{y}"]) == 0
    gaussians = read_ply(folder.splat).gaussians
    found = np.isin(np.arange(len(gaussians)), np.load(tmp_path / "found.npy"))
    assert shown(folder, found, 2) > 0.8
    own = np.flatnonzero(on_ball(folder, 1))
    top = own[gaussians.means[own, 2].argmax()]
    assert main([*command, "--gaussian", str(top)]) == 0
    again = np.isin(np.arange(len(gaussians)), np.load(tmp_path / "found.npy"))
    assert shown(folder, again, 2) > 0.8
    assert main([*command, "--gaussian", "99999999"]) == 1
    assert main([*command]) == 1
    assert {path.name: path.read_bytes() for path in folder.path.iterdir()} == before
