# SPDX-License-Identifier: GPL-3.0-or-later
"""Every verb on a small capture, as a user calls it."""

import json

import numpy as np
import pytest
from PIL import Image

from cgc_addon.cli import main
from cgc_addon.splats.ply import read_ply
from cgc_addon.splats.splat_records import RECORD


@pytest.fixture(scope="module")
def run(tiny_dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert main([
        "train", str(tiny_dataset), "-o", str(folder), "--preset", "draft", "--steps", "300",
        "--test-every", "6", "--backend", "cpu",
    ]) == 0  # fmt: skip
    return folder


def read_lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_train_writes_the_whole_run_folder(run):
    names = {path.name for path in run.iterdir()}
    assert names == {
        "config.json", "splat.ply", "segments.json", "clusters.npz", "matching.safetensors",
        "checkpoint.safetensors", "checkpoint.json", "metrics.jsonl", "log.txt",
    } | (names & {"evaluation.json", "renders"})  # fmt: skip
    metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [record["step"] for record in metrics] == list(range(0, 300, 10))
    assert metrics[-1]["psnr"] > metrics[0]["psnr"] + 3
    assert {"loss", "count", "seconds", "steps_per_second", "seconds_left"} <= set(metrics[-1])
    splat = read_ply(run / "splat.ply").gaussians
    assert splat.features is not None
    assert splat.segments is not None
    listed = json.loads((run / "segments.json").read_text())
    assert (listed["version"], listed["granularity"], listed["minimum_size"]) == (2, 0.5, 10)


def test_the_four_balls_become_four_segments_seen_alike_in_every_view(run, tiny_dataset, capsys):
    assert main(["evaluate", str(run), str(tiny_dataset), "--json"]) == 0
    scores = read_lines(capsys)[-1]
    assert scores["held_out"] is True
    assert len(scores["views"]) == 2
    assert scores["segmentation"]["missing"] == 0
    assert scores["segmentation"]["mean_iou"] > 0.7
    assert scores["ceiling"]["mean_iou"] > 0.7
    assert scores["psnr"] > 18
    assert json.loads((run / "evaluation.json").read_text())["psnr"] == scores["psnr"]


def test_render_writes_every_kind_with_the_ids_of_the_segments(run, tiny_dataset, tmp_path):
    assert main([
        "render", str(run), "--cameras", str(tiny_dataset), "--what", "rgb,labels,features,depth",
        "-o", str(tmp_path), "--ids", "--palette",
    ]) == 0  # fmt: skip
    for kind in ("rgb", "labels", "features", "depth", "palette"):
        assert len(list((tmp_path / kind).glob("*.png"))) == 12
    with Image.open(tmp_path / "labels" / "0003.png") as image:
        assert image.mode == "I;16"
        labels = np.array(image)
    known = {entry["id"] for entry in json.loads((run / "segments.json").read_text())["segments"]}
    assert labels.shape == (36, 48)
    assert set(np.unique(labels)) - {0} <= known
    with Image.open(tmp_path / "palette" / "0003.png") as image:
        np.testing.assert_array_equal(np.array(image), labels)
    assert (tmp_path / "segments.json").read_bytes() == (run / "segments.json").read_bytes()
    depth = np.load(tmp_path / "depth" / "0003.npy")
    assert 2.0 < np.median(depth[depth > 0]) < 6.0


def test_segment_moves_from_parts_to_objects_without_training(run, capsys):
    counts = []
    before = (run / "checkpoint.safetensors").read_bytes()
    for granularity in ("0", "0.5", "1"):
        assert main(["segment", str(run), "--granularity", granularity, "--json"]) == 0
        counts.append(read_lines(capsys)[-1]["segments"])
    assert counts[0] >= counts[1] >= counts[2] >= 1
    assert (run / "checkpoint.safetensors").read_bytes() == before
    assert main(["segment", str(run)]) == 0


def test_export_writes_one_segment_or_all(run, tmp_path, capsys):
    assert main(["export", str(run), "-o", str(tmp_path / "all.ply")]) == 0
    assert main(["export", str(run), "--segment", "1", "-o", str(tmp_path / "one.ply")]) == 0
    whole = read_ply(tmp_path / "all.ply").gaussians
    one = read_ply(tmp_path / "one.ply").gaussians
    assert 0 < len(one) < len(whole)
    assert set(one.segments.tolist()) == {1}
    plain = tmp_path / "plain.ply"
    assert main(["export", str(run), "--plain", "-o", str(plain)]) == 0
    assert plain.read_bytes().partition(b"end_header")[0].count(b"property") == 62
    assert main(["export", str(plain), "--spz-version", "2", "-o", str(tmp_path / "a.spz")]) == 0
    assert main(["export", str(tmp_path / "a.spz"), "-o", str(tmp_path / "a.sog")]) == 0
    assert main(["export", str(tmp_path / "a.sog"), "-o", str(tmp_path / "a.glb")]) == 0
    capsys.readouterr()
    assert main(["export", str(run), "-o", str(tmp_path / "a.obj")]) == 1
    assert "name it .ply, .spz, .sog, .glb" in capsys.readouterr().err
    assert main(["export", str(run), "--segment", "999", "-o", str(tmp_path / "no.ply")]) == 1
    error = capsys.readouterr().err
    assert "999" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "no.ply").exists()


def test_a_run_is_not_overwritten_by_accident(run, tiny_dataset, capsys):
    before = (run / "splat.ply").read_bytes()
    assert main(["train", str(tiny_dataset), "-o", str(run), "--preset", "draft"]) == 1
    assert "already holds a run" in capsys.readouterr().err
    assert (run / "splat.ply").read_bytes() == before


def test_resuming_a_finished_run_on_another_dataset_is_refused(run, tmp_path, capsys):
    assert main(["train", str(tmp_path), "-o", str(run), "--resume"]) == 1
    assert "was trained on" in capsys.readouterr().err


def test_an_existing_splat_keeps_its_geometry_and_learns_features(run, tiny_dataset, tmp_path):
    assert main([
        "train", str(tiny_dataset), "-o", str(tmp_path / "run"), "--init", str(run / "splat.ply"),
    ]) == 0  # fmt: skip
    old = read_ply(run / "splat.ply").gaussians
    new = read_ply(tmp_path / "run" / "splat.ply").gaussians
    assert np.array_equal(old.means, new.means)
    assert len(np.unique(new.segments)) >= 3


def test_a_splat_of_another_program_learns_features(run, tiny_dataset, tmp_path, capsys):
    splat = read_ply(run / "splat.ply").gaussians
    records = np.zeros(len(splat) + 1, RECORD)
    records["position"] = np.append(splat.means, [[np.nan] * 3], axis=0)
    records["scale"][:-1], records["rotation"] = np.exp(splat.log_scales), (255, 128, 128, 128)
    records["color"] = (200, 200, 200, 200)
    records.tofile(tmp_path / "foreign.splat")
    assert main([
        "train", str(tiny_dataset), "-o", str(tmp_path / "run"),
        "--init", str(tmp_path / "foreign.splat"),
    ]) == 0  # fmt: skip
    assert "1 damaged Gaussians of " in capsys.readouterr().err
    new = read_ply(tmp_path / "run" / "splat.ply").gaussians
    assert np.array_equal(splat.means, new.means)
    assert new.features is not None


def test_photos_without_masks_train_and_say_that_features_are_skipped(
    tiny_dataset, tmp_path, capsys
):
    import shutil

    dataset = tmp_path / "dataset"
    shutil.copytree(tiny_dataset, dataset, ignore=shutil.ignore_patterns("masks", "gt"))
    assert main([
        "train", str(dataset), "-o", str(tmp_path / "run"), "--preset", "draft", "--steps", "30",
    ]) == 0  # fmt: skip
    shown = capsys.readouterr()
    assert "no masks" in shown.err
    assert "no segments" in shown.out
    assert json.loads((tmp_path / "run" / "segments.json").read_text())["segments"] == []
    assert (
        main(["render", str(tmp_path / "run"), "--what", "labels", "-o", str(tmp_path / "r")]) == 1
    )
    assert "no segments to render" in capsys.readouterr().err
    assert main(["evaluate", str(tmp_path / "run"), str(dataset)]) == 0


def test_probe_names_versions_and_the_backend(capsys):
    assert main(["probe", "--json"]) == 0
    value = read_lines(capsys)[-1]
    assert value["packages"]["torch"]
    assert value["missing"] == []
    assert value["backend"]["name"] in ("cpu", "cuda")


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["fly"], ["train"], ["train", "x", "-o", "y", "--steps", "0"],
        ["train", "x", "-o", "y", "--preset", "ultra"],
        ["render", "x", "-o", "y", "--what", "smell"],
        ["segment", "x", "--granularity", "2"], ["export", "x", "-o", "y", "--segment", "-1"],
    ],
)  # fmt: skip
def test_bad_arguments_exit_with_two(arguments, capsys):
    assert main(arguments) == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "{here}/none", "-o", "{here}/run"], "none"),
        (["segment", "{here}/none"], "does not exist; train first"),
        (["evaluate", "{here}", "{here}"], "is not a run folder"),
        (["render", "{here}", "-o", "{here}/out"], "is not a run folder"),
        (["export", "{here}/none", "-o", "{here}/a.ply"], "does not exist"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_one(arguments, message, tmp_path, capsys):
    before = sorted(tmp_path.rglob("*"))
    assert main([part.replace("{here}", str(tmp_path)) for part in arguments]) == 1
    error = capsys.readouterr().err.strip().splitlines()
    assert message in error[-1]
    assert error[-1].startswith("cgc: ")
    assert sorted(tmp_path.rglob("*")) == before
