# SPDX-License-Identifier: GPL-3.0-or-later
import json
from pathlib import Path

import numpy as np
import pytest

from cgc_addon.errors import CgcError
from cgc_addon.training.presets import preset
from cgc_addon.training.run_folder import RunFolder


@pytest.fixture
def folder(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.start(tmp_path / "dataset", preset("draft"), {"cgc": "1"})
    return folder


def test_a_run_knows_its_dataset_and_configuration(folder, tmp_path):
    dataset, config = folder.read_config()
    assert dataset == (tmp_path / "dataset").resolve()
    assert config == preset("draft")


def test_metrics_are_rewound_to_the_checkpoint_and_torn_lines_dropped(folder):
    for step in (0, 10, 20):
        folder.append_metrics({"step": step})
    with folder.metrics.open("a") as file:
        file.write('{"step": 30, "lo')
    folder.rewind_metrics(10)
    lines = folder.metrics.read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [0, 10]


def test_a_folder_that_is_no_run_says_so(tmp_path):
    with pytest.raises(CgcError, match="does not exist; train first"):
        RunFolder(tmp_path / "none").read_config()
    with pytest.raises(CgcError, match=r"config\.json is missing"):
        RunFolder(tmp_path).read_config()


def test_a_run_folder_that_vanished_is_reported(folder):
    import shutil

    shutil.rmtree(folder.path)
    with pytest.raises(CgcError, match="could not be written"):
        folder.append_metrics({"step": 1})
    assert not folder.path.exists()


def test_a_run_cannot_start_where_a_file_is(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(CgcError, match="could not be written"):
        RunFolder(tmp_path / "file" / "run").start(tmp_path, preset("draft"), {})


def test_a_dataset_whose_name_is_no_text_is_found_again(tmp_path):
    folder = RunFolder(tmp_path / "run")
    dataset = tmp_path / "photos\udcff"  # as Python reads the byte 255 of a name on Linux
    folder.start(dataset, preset("draft"), {})
    folder.note(f"Reading {dataset}")
    assert folder.read_config()[0] == dataset.resolve()


@pytest.mark.parametrize(
    "damage", [b"\xff", b"[" * 100_000, b"1" * 5_000, b'{"step": "x"}', b'{"step": null}', b"[1]"]
)
def test_damaged_metrics_stop_no_run_from_going_on(folder, damage):
    folder.append_metrics({"step": 0})
    with folder.metrics.open("ab") as file:
        file.write(damage + b"\n")
    folder.append_metrics({"step": 10})
    folder.rewind_metrics(20)
    lines = folder.metrics.read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [0, 10]


def test_keeps_what_its_places_are_relative_to(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.start(tmp_path / "dataset", preset("draft"), {})
    assert folder.read_origin().tolist() == [0.0, 0.0, 0.0]
    folder.start(tmp_path / "dataset", preset("draft"), {}, np.array([5e5, 4e6, 0.0]))
    assert folder.read_origin().tolist() == [5e5, 4e6, 0.0]
    assert folder.read_config() == ((tmp_path / "dataset").resolve(), preset("draft"))


@pytest.mark.parametrize("origin", ["here", [1.0, 2.0], [1.0, 2.0, None], [0.0, 0.0, 1e999]])
def test_an_origin_that_is_none_is_said(tmp_path: Path, origin: object) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.start(tmp_path / "dataset", preset("draft"), {})
    record = json.loads(folder.config.read_text())
    folder.config.write_text(json.dumps({**record, "origin": origin}))
    with pytest.raises(CgcError, match=r'config.json: "origin" must be three numbers'):
        folder.read_origin()


def test_a_run_knows_how_many_photos_a_step_looks_at(folder, tmp_path):
    assert "batch" not in json.loads(folder.config.read_text())
    assert folder.read_batch() == 1
    folder.start(tmp_path / "dataset", preset("draft"), {"cgc": "1"}, batch=4)
    assert folder.read_batch() == 4
    assert folder.read_config()[1] == preset("draft")


@pytest.mark.parametrize("batch", [0, -1, 1.5, "2", True, None, 10**9])
def test_a_number_of_photos_that_makes_no_sense_is_named(folder, batch):
    record = json.loads(folder.config.read_text())
    folder.config.write_text(json.dumps({**record, "batch": batch}))
    with pytest.raises(CgcError, match='"batch" must be from 1 to'):
        folder.read_batch()
