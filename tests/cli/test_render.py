# SPDX-License-Identifier: GPL-3.0-or-later
"""`render` of a splat that belongs to no run: label maps, the names of their ids, their colours."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cgc_addon.cgc.segments import Segment, Segments, distinct_colors, write_segments
from cgc_addon.cli import main
from cgc_addon.dataset.cameras_json import write_cameras_json
from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.splats.gaussians import Gaussians
from cgc_addon.splats.ply import write_ply
from cgc_addon.splats.splat_records import RECORD

CHAIR = Segment(2, "Chair", (10, 200, 30), 77, (1.0, *[0.0] * 15))
LAMP = Segment(9, "Lamp", (200, 20, 250), 5, (0.0,) * 16)


def balls(ids: list[int], segments: bool = True) -> Gaussians:
    """One dense ball for each id, from left to right in front of the camera, two units apart."""
    count = len(ids)
    means = np.zeros((count, 3), np.float32)
    means[:, 0] = 2.0 * (np.arange(count) - (count - 1) / 2)
    return Gaussians(
        means=means,
        log_scales=np.full((count, 3), np.log(0.4), np.float32),
        quats=np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1)),
        logit_opacities=np.full(count, 6.0, np.float32),
        sh=np.ones((count, 1, 3), np.float32),
        segments=np.array(ids, np.int32) if segments else None,
    )


@pytest.fixture
def cameras(tmp_path) -> Path:
    pose = np.eye(4)
    pose[2, 3] = 6.0
    camera = PinholeCamera(60, 20, 60.0, 60.0, 30.0, 10.0)
    views = [View("left/0001.png", camera, pose), View("0002.png", camera, pose)]
    write_cameras_json(tmp_path / "cameras.json", views)
    return tmp_path / "cameras.json"


@pytest.fixture
def render(tmp_path, cameras):
    """Return a function that renders ids from left to right and gives the folder back."""

    def render(ids: list[int], *options: str, code: int = 0, segments: bool = True) -> Path:
        write_ply(tmp_path / "splat.ply", balls(ids, segments))
        command = ["render", str(tmp_path / "splat.ply"), "--cameras", str(cameras)]
        output = tmp_path / "out"
        assert main([*command, "--backend", "cpu", "-o", str(output), *options]) == code
        return output

    return render


def read_ids(path: Path) -> list[int]:
    """Return the ids of a picture as the ball's middles have them."""
    with Image.open(path) as image:
        pixels = np.array(image)
    assert pixels.shape == (20, 60)
    return pixels[10, [10, 30, 50]].tolist()


def test_a_splat_needs_no_run(render):
    output = render([2, 1, 9], "--what", "rgb,labels")
    assert read_ids(output / "labels" / "left" / "0001.png") == [2, 1, 9]
    assert (output / "rgb" / "0002.png").is_file()
    assert sorted(path.name for path in output.iterdir()) == ["labels", "rgb"]


def test_ids_and_colours_without_names_are_automatic(render):
    output = render([2, 1, 9], "--what", "labels", "--ids", "--palette")
    listed = json.loads((output / "segments.json").read_text())["segments"]
    assert [(item["id"], item["name"], item["count"]) for item in listed] == [
        *((1, "Segment 001", 1), (2, "Segment 002", 1), (9, "Segment 009", 1)),
    ]
    assert [item["color"] for item in listed] == distinct_colors(9)[[0, 1, 8]].tolist()
    with Image.open(output / "palette" / "0002.png") as image:
        assert image.mode == "P"
        colors = np.array(image.convert("RGB"))
    assert read_ids(output / "palette" / "0002.png") == [2, 1, 9]
    assert colors[10, [10, 30, 50]].tolist() == distinct_colors(9)[[1, 0, 8]].tolist()
    assert not colors[0, 0].any()


def test_names_and_colours_come_from_the_file_and_counts_from_the_splat(render, tmp_path):
    write_segments(tmp_path / "names.json", Segments((CHAIR, LAMP)))
    names = ("--segments", str(tmp_path / "names.json"))
    output = render([2, 2, 5], "--what", "labels", "--ids", "--palette", *names)
    listed = json.loads((output / "segments.json").read_text())["segments"]
    assert [(item["id"], item["name"], item["count"]) for item in listed] == [
        *((2, "Chair", 2), (5, "Segment 005", 1), (9, "Lamp", 0)),
    ]
    assert listed[0]["mean_feature"] == list(CHAIR.mean_feature)
    with Image.open(output / "palette" / "0002.png") as image:
        assert image.convert("RGB").getpixel((10, 10)) == CHAIR.color


def test_more_ids_than_a_palette_holds_are_painted_in_colour(render):
    output = render([300, 1, 255], "--what", "rgb", "--palette")
    with Image.open(output / "palette" / "0002.png") as image:
        assert image.mode == "RGB"
        colors = np.array(image)
    assert colors[10, [10, 30, 50]].tolist() == distinct_colors(300)[[299, 0, 254]].tolist()
    assert sorted(path.name for path in output.iterdir()) == ["palette", "rgb"]


@pytest.mark.parametrize(
    ("ids", "options", "reason"),
    [
        ([1, 70_000], ["--what", "labels"], "segment 70000; label maps keep ids up to 65535"),
        ([1, 2], ["--ids", "--segments", "{here}/none.json"], "none.json is missing"),
        ([1, 2], ["--cameras", "{here}/none.json"], "none.json is not a folder"),
    ],
)
def test_what_cannot_be_is_one_sentence(render, tmp_path, capsys, ids, options, reason):
    output = render(ids, *[part.replace("{here}", str(tmp_path)) for part in options], code=1)
    assert reason in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize("options", [["--ids"], ["--palette"], ["--what", "labels"]])
def test_a_splat_without_segments_has_no_ids(render, capsys, options):
    output = render([1, 2], "--what", "rgb", *options, code=1, segments=False)
    assert "no segments" in capsys.readouterr().err
    assert not output.exists()


def test_a_splat_does_not_say_from_where_to_look(tmp_path, capsys):
    write_ply(tmp_path / "splat.ply", balls([1]))
    assert main(["render", str(tmp_path / "splat.ply"), "-o", str(tmp_path / "out")]) == 1
    assert "with --cameras" in capsys.readouterr().err


def test_splats_of_other_kinds_are_drawn_and_what_is_left_out_is_said(tmp_path, cameras, capsys):
    """A .splat of twelve balls in a row, the last without a place."""
    records = np.zeros(12, RECORD)
    records["position"][:, 0] = np.repeat([-2, 0, 2], 4)
    records["position"][11] = np.nan
    records["scale"], records["rotation"] = 0.4, (255, 128, 128, 128)
    records["color"] = (255, 0, 0, 250)
    records.tofile(tmp_path / "balls.splat")
    command = ["render", str(tmp_path / "balls.splat"), "--cameras", str(cameras), "--what", "rgb"]
    assert main([*command, "--backend", "cpu", "-o", str(tmp_path / "out")]) == 0
    assert "1 damaged Gaussians of " in capsys.readouterr().err
    with Image.open(tmp_path / "out" / "rgb" / "0002.png") as image:
        colors = np.array(image)[10, [10, 30, 50]]
    assert (colors[:, 0] > 200).all()
    assert (colors[:, 1:] < 10).all()
