# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons that make masks, bring them along, or fetch a model; the worker is played here."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common import mask_models, preferences
from cgc_addon.blender.common.access import of_scene
from cgc_addon.blender.jobs import registry as jobs
from cgc_addon.blender.photo_masks import making_operators
from cgc_addon.blender.training import dataset_facts
from cgc_addon.masks.models.weights import VARIABLE

from ..fake_worker import FakeWorker


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWorker]:
    fake = FakeWorker()
    monkeypatch.setattr(jobs, "new_worker", lambda: fake)
    yield fake
    jobs.unregister()
    jobs.register()
    dataset_facts.forget()


@pytest.fixture(autouse=True)
def no_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a folder of models in which there are none yet."""
    folder = tmp_path / "models"
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


@pytest.fixture
def dataset(write_capture: Callable[..., Path]) -> Path:
    folder = write_capture()
    of_scene(bpy.context.scene).dataset = str(folder)
    return folder


def test_masks_are_made_as_the_panel_says(worker: FakeWorker, dataset: Path) -> None:
    def make() -> None:
        (dataset / "masks").mkdir()
        for number in range(3):
            (dataset / "masks" / f"{number:04d}.png").write_bytes(b"")
        worker.tell("result")

    worker.does = make
    settings = of_scene(bpy.context.scene)
    settings.photo_mask_model, settings.photo_mask_levels = "vit_b", "objects"
    assert bpy.ops.cgc.make_masks() == {"FINISHED"}
    assert worker.arguments == (
        "masks", str(dataset), "--model", "vit_b", "--levels", "objects",
    )  # fmt: skip
    assert dataset_facts.facts_of(bpy.context.scene).labelled == 3
    worker.does = lambda: worker.tell("result")
    bpy.ops.cgc.make_masks(model="default", levels="both", overwrite=True)
    assert worker.arguments[2:] == ("--model", "mobilesam", "--levels", "both", "--overwrite")


def test_the_preferences_name_a_model(worker, dataset, monkeypatch, tmp_path) -> None:
    class Stored:
        mask_model, threads, interpreter, runs = str(tmp_path / "my.pth"), 0, "", ""
        engines = ""

    monkeypatch.setattr(preferences, "stored", Stored)
    worker.does = lambda: worker.tell("result")
    bpy.ops.cgc.make_masks()
    assert worker.arguments[3] == str(tmp_path / "my.pth")
    assert mask_models.chosen_model("vit_h") == "vit_h"


def test_without_a_dataset_the_buttons_are_off(worker: FakeWorker) -> None:
    assert not bpy.ops.cgc.make_masks.poll()
    assert not bpy.ops.cgc.import_masks.poll()


def test_a_failing_model_is_told(worker: FakeWorker, dataset: Path) -> None:
    worker.does = lambda: worker.tell("error", text="The weights of MobileSAM are missing.")
    with pytest.raises(RuntimeError, match="weights of MobileSAM"):
        bpy.ops.cgc.make_masks()
    assert jobs.problem().operator == "CGC_OT_make_masks"


def test_masks_of_other_programs_are_imported(worker, dataset, tmp_path) -> None:
    worker.does = lambda: worker.tell("result")
    folder = tmp_path / "brought"
    folder.mkdir()
    assert bpy.ops.cgc.import_masks(directory=str(folder), overwrite=True) == {"FINISHED"}
    assert worker.arguments == ("masks", str(dataset), "--import", str(folder), "--overwrite")
    with pytest.raises(RuntimeError, match="is not a folder"):
        bpy.ops.cgc.import_masks(directory=str(tmp_path / "nothing"))


def test_a_model_is_fetched_only_where_blender_may_go_online(worker, monkeypatch) -> None:
    bpy.context.preferences.system.use_online_access = True
    if bpy.app.online_access:
        worker.does = lambda: worker.tell("result")
        assert bpy.ops.cgc.download_mask_model(model="vit_b") == {"FINISHED"}
        assert worker.arguments == ("models", "--download", "vit_b")
    bpy.context.preferences.system.use_online_access = False
    assert not bpy.app.online_access
    assert not bpy.ops.cgc.download_mask_model.poll()
    assert making_operators.offline_sentence() == making_operators.OFFLINE


def test_the_worker_is_told_where_models_are_kept(monkeypatch, tmp_path) -> None:
    assert preferences.worker_environment()[VARIABLE] == os.environ[VARIABLE]  # the user's wish
    monkeypatch.delenv(VARIABLE)
    assert VARIABLE not in preferences.worker_environment()  # this one is no extension
    monkeypatch.setattr(preferences, "PACKAGE", "bl_ext.user_default.cgc")
    folder = Path(preferences.worker_environment()[VARIABLE])
    assert folder.parts[-3:] == ("user_default", "cgc", "models")


def test_the_manifest_says_why_it_goes_online() -> None:
    file = Path(__file__).parents[3] / "blender_manifest.toml"
    reason = tomllib.loads(file.read_text())["permissions"]["network"]
    assert reason == "Download the engine and mask models when asked to"
    assert len(reason) <= 64
