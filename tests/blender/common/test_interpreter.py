# SPDX-License-Identifier: GPL-3.0-or-later
"""The variable goes before the preferences, and both may name an environment's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("bpy")

from cgc_addon.blender.common import interpreter
from cgc_addon.errors import CgcError
from cgc_addon.installation.engine import Engine, write_engine
from cgc_addon.installation.lock import parse_lock, this_python
from cgc_addon.installation.places import engine_home, python_of

from ...tiny_engine import document_of


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(interpreter.VARIABLE, raising=False)


def a_program(folder: Path, *inside: str) -> Path:
    program = folder.joinpath(*inside)
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text("")
    return program


def test_the_environment_variable_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named, set_in = a_program(tmp_path, "a"), a_program(tmp_path, "b")
    monkeypatch.setenv(interpreter.VARIABLE, str(named))
    assert interpreter.choose(str(set_in)).path == named
    monkeypatch.delenv(interpreter.VARIABLE)
    assert interpreter.choose(str(set_in)).path == set_in
    assert not interpreter.choose(str(set_in)).own


def test_the_installed_engine_goes_before_blenders_own_python(tmp_path: Path) -> None:
    home = engine_home(tmp_path, this_python(), "cpu")
    environment = home.folder / "python-1"
    program = a_program(python_of(environment).parent, python_of(environment).name)
    settings = environment / "pyvenv.cfg"
    settings.write_text(f"home = {tmp_path}\n")
    assert interpreter.choose("", tmp_path).own  # it is not finished
    write_engine(Engine(home, environment, parse_lock(document_of([]), "test"), 1, 1.0))
    assert interpreter.choose("", tmp_path).path == program
    assert not interpreter.choose("", tmp_path).own
    other = a_program(tmp_path, "other")
    assert interpreter.choose(str(other), tmp_path).path == other
    settings.write_text("home = /gone\n")
    with pytest.raises(CgcError, match="which is gone; press Repair"):
        interpreter.choose("", tmp_path)


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
