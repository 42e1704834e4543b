# SPDX-License-Identifier: GPL-3.0-or-later
import json

import pytest

from cgc_addon.cli import main, models, probe
from cgc_addon.errors import CgcError
from cgc_addon.masks.models.known import KNOWN


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CGC_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def result(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def place(folder, name):
    """Put empty files of the right sizes where a model's belong."""
    for path, file in zip(KNOWN[name].paths(folder), KNOWN[name].files, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as opened:
            opened.truncate(file.size)


def test_every_model_is_listed_with_where_it_is(folder, capsys):
    place(folder, "mobilesam")
    assert main(["models", "--json"]) == 0
    value = result(capsys)
    assert value["folder"] == str(folder)
    assert {entry["name"]: entry["found"] for entry in value["models"]} == {
        name: name == "mobilesam" for name in KNOWN
    }
    assert value["models"][0]["files"] == [str(p) for p in KNOWN["mobilesam"].paths(folder)]
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert str(folder) in lines[0]
    assert [line.split()[0] for line in lines[1 : len(KNOWN) + 1]] == list(KNOWN)
    assert "not here" not in lines[1]
    assert all("not here" in line and "licence" in line for line in lines[2 : len(KNOWN) + 1])


def test_listing_makes_nothing_and_asks_nobody(folder, monkeypatch):
    monkeypatch.setattr(models, "download_weights", None)
    assert main(["models"]) == 0
    assert not folder.exists()


def test_one_is_downloaded_with_its_licence_said(folder, capsys, monkeypatch):
    asked = []

    def download(name, *, report, should_stop):
        asked.append(name)
        return KNOWN[name].paths(folder)

    monkeypatch.setattr(models, "download_weights", download)
    assert main(["models", "--download", "vit_b", "--json"]) == 0
    assert asked == ["vit_b"]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["text"] == "SAM ViT-B: 375 MB, licence Apache-2.0."
    assert lines[-1]["files"] == [str(folder / "sam_vit_b_01ec64.pth")]


def test_a_download_that_fails_is_one_line(capsys, monkeypatch):
    def download(_name, **_options):
        raise CgcError("It cannot be reached.")

    monkeypatch.setattr(models, "download_weights", download)
    assert main(["models", "--download", "mobilesam"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "cgc: It cannot be reached."


def test_an_unknown_model_is_a_bad_argument(capsys):
    assert main(["models", "--download", "sam2"]) == 2
    assert "mobilesam" in capsys.readouterr().err


def test_the_probe_names_models_and_packages(folder, capsys, monkeypatch):
    place(folder, "vit_b")
    installed = probe.versions

    def without_segment_anything(names=probe.NEEDED):
        return {
            **installed(names),
            **({"segment-anything": None} if names == probe.OPTIONAL else {}),
        }

    monkeypatch.setattr(probe, "versions", without_segment_anything)
    assert main(["probe", "--json"]) == 0
    value = result(capsys)
    assert {"onnxruntime", "onnx", "av"} <= set(value["packages"])
    # What is optional must not make the engine unusable: Blender asks `packages` for that.
    assert value["optional_packages"]["segment-anything"] is None
    assert value["optional_packages"]["torchvision"]
    assert value["missing"] == []
    assert value["backend"]
    assert [entry["name"] for entry in value["mask_models"] if entry["found"]] == ["vit_b"]
    assert main(["probe"]) == 0
    text = capsys.readouterr().out
    assert "Mask models: SAM ViT-B." in text
    assert "only the large mask models need it" in text
