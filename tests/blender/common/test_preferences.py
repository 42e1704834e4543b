# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common import interpreter, preferences


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(interpreter.VARIABLE, raising=False)


@pytest.mark.parametrize(
    ("module", "extension"),
    [
        ("cgc_addon.blender.common.preferences", "cgc_addon"),
        ("cgc_addon.blender.registration", "cgc_addon"),
        ("bl_ext.user_default.cgc.cgc_addon.blender.common.preferences", "bl_ext.user_default.cgc"),
        ("bl_ext.my_repository.cgc.cgc_addon.blender.panels", "bl_ext.my_repository.cgc"),
    ],
)
def test_preferences_belong_to_what_blender_enables(module: str, extension: str) -> None:
    assert preferences.extension_package(module) == extension


def test_a_checkout_is_known_by_its_package() -> None:
    assert preferences.PACKAGE == "cgc_addon"


def test_without_enabling_there_are_defaults() -> None:
    assert preferences.stored() is None
    assert preferences.interpreter() == Path(sys.executable)
    assert preferences.chosen_interpreter().own
    assert preferences.runs_folder() is None


def test_the_worker_imports_this_package_and_not_blenders_surroundings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/somewhere")
    environment = preferences.worker_environment()
    assert "PYTHONHOME" not in environment
    first = Path(environment["PYTHONPATH"].split(os.pathsep)[0])
    assert (first / "cgc_addon" / "worker" / "__main__.py").is_file()


def test_threads_and_folders_of_enabled_preferences_are_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Set:
        interpreter, threads, runs, engines = "", 3, str(tmp_path), ""

    monkeypatch.setattr(preferences, "stored", Set)
    assert preferences.worker_environment()["NUMBA_NUM_THREADS"] == "3"
    assert preferences.runs_folder() == tmp_path
