# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from cgc_addon.blender.common import interpreter, preferences
from cgc_addon.blender.jobs.worker_report import WorkerReport, report_of
from cgc_addon.errors import CgcError


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(interpreter.VARIABLE, raising=False)


def a_program(folder: Path, *inside: str) -> Path:
    program = folder.joinpath(*inside)
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text("")
    return program


@pytest.mark.parametrize(
    ("package", "extension"),
    [
        ("cgc_addon.blender", "cgc_addon"),
        ("bl_ext.user_default.cgc.cgc_addon.blender", "bl_ext.user_default.cgc"),
        ("bl_ext.my_repository.cgc.cgc_addon.blender", "bl_ext.my_repository.cgc"),
    ],
)
def test_preferences_belong_to_what_blender_enables(package: str, extension: str) -> None:
    assert preferences.extension_package(package) == extension


def test_without_enabling_there_are_defaults() -> None:
    assert preferences.stored() is None
    assert preferences.interpreter() == Path(sys.executable)
    assert preferences.chosen_interpreter().own
    assert preferences.runs_folder() is None


def test_the_environment_variable_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, set_in = a_program(tmp_path, "a"), a_program(tmp_path, "b")
    monkeypatch.setenv(interpreter.VARIABLE, str(named))
    assert interpreter.choose(str(set_in)).path == named
    monkeypatch.delenv(interpreter.VARIABLE)
    assert interpreter.choose(str(set_in)).path == set_in
    assert not interpreter.choose(str(set_in)).own


@pytest.mark.parametrize("inside", [("bin", "python"), ("Scripts", "python.exe")])
def test_the_folder_of_an_environment_names_its_python(
    tmp_path: Path, inside: tuple[str, ...]
) -> None:
    program = a_program(tmp_path, *inside)
    assert interpreter.choose(str(tmp_path)).path == program


def test_what_is_no_interpreter_is_said_with_where_it_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CgcError, match=r"preference Interpreter names .*nothing.* does not exist"):
        interpreter.choose(str(tmp_path / "nothing"))
    with pytest.raises(CgcError, match="no Python environment"):
        interpreter.choose(str(tmp_path))
    monkeypatch.setenv(interpreter.VARIABLE, str(tmp_path / "nothing"))
    with pytest.raises(CgcError, match="variable CGC_PYTHON names"):
        interpreter.choose("")


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
        interpreter, threads, runs = "", 3, str(tmp_path)

    monkeypatch.setattr(preferences, "stored", Set)
    assert preferences.worker_environment()["NUMBA_NUM_THREADS"] == "3"
    assert preferences.runs_folder() == tmp_path


def test_enabled_as_an_extension_the_preferences_are_found() -> None:
    addons = bpy.context.preferences.addons
    addon = addons.new()
    addon.module = preferences.PACKAGE
    try:
        stored = preferences.stored()
        assert stored is not None
        assert (stored.interpreter, stored.threads, stored.runs, stored.mask_model) == (
            "", 0, "", "",
        )  # fmt: skip
        stored.interpreter = "/no/such/python"
        with pytest.raises(CgcError, match="/no/such/python"):
            preferences.interpreter()
    finally:
        addons.remove(addon)


def test_a_report_says_what_is_missing_and_how_to_get_it(tmp_path: Path) -> None:
    probed = {"python": "3.11.9", "packages": {"numpy": "1.26.4", "torch": None, "numba": None}}
    ours = interpreter.Interpreter(tmp_path / "python", "named in the preferences", False)
    report = report_of(ours, probed)
    assert not report.usable
    assert report.missing == ("torch", "numba")
    assert "torch, numba" in report.sentence()
    assert report.command.startswith(f'"{ours.path}" -m pip install')
    assert report.command.endswith("torch numba")
    assert "numpy" not in report.command


def test_for_blenders_own_python_an_environment_is_made_with_everything() -> None:
    own = interpreter.Interpreter(Path(sys.executable), "Blender's own", True)
    report = report_of(own, {"packages": {"numpy": "2.3.4", "torch": None}})
    assert "venv" in report.command
    assert report.command.endswith("numpy torch")
    assert str(sys.executable) not in report.command


def test_a_complete_worker_is_usable() -> None:
    own = interpreter.Interpreter(Path(sys.executable), "Blender's own", True)
    backend = {"name": "cpu", "device": "cpu", "why": "No card was found."}
    report = report_of(own, {"python": "3.13.1", "packages": {"a": "1"}, "backend": backend})
    assert report.usable
    assert report.command == ""
    assert report.sentence() == "The worker is ready: Python 3.13.1, drawing with cpu."
    assert not WorkerReport(own, error="It burns.").usable
