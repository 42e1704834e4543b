# SPDX-License-Identifier: GPL-3.0-or-later
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from cgc_addon.cli import main, masks
from cgc_addon.cli.arguments import parse


@pytest.fixture
def dataset(tiny_dataset, tmp_path):
    """The tiny capture without masks."""
    folder = tmp_path / "dataset"
    shutil.copytree(tiny_dataset, folder, ignore=shutil.ignore_patterns("masks"))
    return folder


def test_masks_of_another_program_are_imported_and_used(tiny_dataset, dataset, tmp_path, capsys):
    source = tmp_path / "theirs"
    source.mkdir()
    for path in sorted((tiny_dataset / "masks").iterdir())[:-1]:
        shutil.copyfile(path, source / f"{path.stem}_ids.png")
    assert main(["masks", str(dataset), "--import", str(source), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    value = lines[-1]
    assert (value["imported"], value["kept"]) == (11, 0)
    assert value["without"] == ["0011.png"]
    assert value["strangers"] == []
    assert value["matched"] == "by name but for '_ids'"
    assert any(line["type"] == "progress" and line["stage"] == "Importing masks" for line in lines)
    assert any(line["type"] == "note" and "0011.png" in line["text"] for line in lines)
    for path in (dataset / "masks").iterdir():
        expected = np.array(Image.open(tiny_dataset / "masks" / path.name))
        np.testing.assert_array_equal(np.array(Image.open(path)), expected)
    from cgc_addon.dataset.load import load_dataset

    store = load_dataset(dataset).store
    assert [store.has_labels(index) for index in range(12)] == [True] * 11 + [False]


def test_what_cannot_be_imported_is_one_line(dataset, tmp_path, capsys):
    assert main(["masks", str(dataset), "--import", str(tmp_path / "none")]) == 1
    error = capsys.readouterr().err
    assert "does not exist" in error
    assert error.count("\n") == 1
    assert not (dataset / "masks").exists()


@pytest.mark.parametrize(
    "options", [["--only", "new"], ["--levels", "both"], ["--points-per-side", "8"]]
)
def test_options_of_models_do_not_go_with_an_import(dataset, tmp_path, capsys, options):
    assert main(["masks", str(dataset), "--import", str(tmp_path), *options]) == 1
    assert options[0] in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["masks"],
        ["masks", "x", "--levels", "all"],
        ["masks", "x", "--points-per-side", "0"],
        ["masks", "x", "--import", "y", "--model", "mobilesam"],
    ],
)
def test_bad_arguments_exit_with_two(arguments, capsys):
    assert main(arguments) == 2
    assert "usage:" in capsys.readouterr().err


def test_weights_that_are_not_here_are_one_line_with_the_cure(
    dataset, capsys, monkeypatch, tmp_path
):
    monkeypatch.setenv("CGC_MODELS", str(tmp_path / "models"))
    assert main(["masks", str(dataset)]) == 1
    assert "models --download mobilesam" in capsys.readouterr().err
    assert not (dataset / "masks").exists()
    assert not (tmp_path / "models").exists()


def test_the_command_line_reaches_the_maker_of_masks(dataset, monkeypatch, capsys):
    from cgc_addon.masks import generate
    from cgc_addon.masks.models import registry as models

    asked = SimpleNamespace()

    def make_masks(folder, model, settings, **options):
        asked.__dict__.update(folder=folder, model=model, settings=settings, **options)
        return generate.MaskSummary(3, 2, 1, 50.0, 0.5)

    monkeypatch.setattr(models, "open_model", lambda name: f"opened {name}")
    monkeypatch.setattr(generate, "make_masks", make_masks)
    assert main([
        "masks", str(dataset), "--model", "vit_b", "--levels", "objects", "--points-per-side", "9",
        "--only", "0001.png", "000[2-4]*", "--overwrite", "--json",
    ]) == 0  # fmt: skip
    assert (asked.folder, asked.model) == (dataset, "opened vit_b")
    assert asked.settings.levels == "objects"
    assert asked.settings.proposals.points_per_side == 9
    assert list(asked.only) == ["0001.png", "000[2-4]*"]
    assert asked.overwrite is True
    value = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (value["made"], value["skipped"], value["empty"]) == (3, 2, 1)
    assert main(["masks", str(dataset)]) == 0
    assert asked.model == "opened mobilesam"
    assert list(asked.only) == []
    assert asked.overwrite is False


def test_what_the_command_line_leaves_out_is_as_the_maker_has_it():
    from cgc_addon.masks.generate import MaskSettings

    assert masks.mask_settings(parse(["masks", "x"])) == MaskSettings()


def test_a_model_makes_masks_that_the_training_takes(dataset, mobilesam_files, capsys):
    arguments = [
        "masks", str(dataset), "--model", str(mobilesam_files[0].parent), "--points-per-side", "4",
        "--only", "0000.png", "--json",
    ]  # fmt: skip
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["made"] == 1
    from cgc_addon.dataset.load import load_dataset

    labels = load_dataset(dataset).store.labels(0)
    assert labels is not None
    assert labels.shape == (36, 48)
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["skipped"] == 1
