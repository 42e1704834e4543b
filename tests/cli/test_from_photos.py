# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb from-photos, with real training; solving is played, for it takes minutes."""

import json
import shutil

import pytest

from cgc_addon.cli import main
from cgc_addon.masks import generate
from cgc_addon.masks.models import registry as models
from cgc_addon.reconstruction import solve as solving


@pytest.fixture
def desk(tiny_dataset, tmp_path, monkeypatch):
    """Return a folder of photos and the function that calls the verb on it."""
    monkeypatch.setenv("CGC_MODELS", str(tmp_path / "models"))
    photos = tmp_path / "desk"
    shutil.copytree(tiny_dataset / "images", photos)
    asked = []

    def solve(source, dataset, settings, *, report, say, should_stop):
        asked.append((source, dataset, settings))
        for name in ("images", "sparse"):
            if not (dataset / name).exists():
                shutil.copytree(tiny_dataset / name, dataset / name)

    monkeypatch.setattr(solving, "solve", solve)

    def call(*options):
        dataset = tmp_path / "desk_dataset"
        words = ["--preset", "draft", "--steps", "20", "--max-gaussians", "800", "--json", *options]
        return main(["from-photos", str(photos), "-o", str(dataset), "--backend", "cpu", *words])

    call.asked, call.folder = asked, tmp_path
    return call


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_without_weights_nothing_is_solved(desk, capsys):
    assert desk() == 1
    last = lines(capsys)[-1]
    assert last["type"] == "error"
    assert "models --download mobilesam" in last["text"]
    assert desk.asked == []
    assert not (desk.folder / "desk_dataset").exists()


@pytest.mark.slow
def test_the_whole_way_and_again(desk, tiny_dataset, capsys, monkeypatch):
    def make_masks(dataset, _model, settings, *, report, **_options):
        assert settings.levels == "objects"
        shutil.copytree(tiny_dataset / "masks", dataset / "masks")

    monkeypatch.setattr(generate, "make_masks", make_masks)
    monkeypatch.setattr(models, "open_model", lambda name: name)
    weights = desk.folder / "some.pth"
    weights.write_bytes(b"")
    options = ("--model", str(weights), "--levels", "objects", "--matching", "sequential")
    assert desk(*options) == 0
    told = lines(capsys)
    shares = [line["overall"] for line in told if line["type"] == "progress"]
    assert shares == sorted(shares)
    assert shares[-1] > 0.9
    result = told[-1]
    assert result["type"] == "result"
    assert (result["registered"], result["masked"]) == (12, 12)
    assert result["segments"] >= 1
    assert result["run"] == str(desk.folder / "desk_dataset_run")
    assert desk.asked[0][2].matching == "sequential"

    splat = desk.folder / "desk_dataset_run" / "splat.ply"
    before = splat.stat().st_mtime_ns
    weights.unlink()  # they are not needed any more
    assert desk(*options) == 0
    again = lines(capsys)[-1]
    assert (again["segments"], again["gaussians"]) == (result["segments"], None)
    assert splat.stat().st_mtime_ns == before

    assert desk(*options, "--seed", "3") == 1
    assert "other settings" in lines(capsys)[-1]["text"]
    assert len(desk.asked) == 2


def test_no_masks_give_one_splat(desk, capsys):
    assert desk("--model", "none", "--run", str(desk.folder / "run")) == 0
    result = lines(capsys)[-1]
    assert (result["masked"], result["segments"]) == (0, None)
    assert (desk.folder / "run" / "splat.ply").is_file()


def test_numbers_that_make_no_sense_are_refused(desk, capsys):
    assert desk("--frames", "0") == 2
    assert desk("--levels", "wholes") == 2
