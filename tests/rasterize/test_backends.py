# SPDX-License-Identifier: GPL-3.0-or-later
"""A backend is registered in one place, and everything else reads it from there."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cgc_addon.blender.common.choices import BACKENDS as MENU
from cgc_addon.blender.common.choices import items
from cgc_addon.cli.arguments import parse
from cgc_addon.errors import CgcError
from cgc_addon.rasterize import backends, interface
from cgc_addon.rasterize.backends import BACKENDS, backend_choices, backend_names
from cgc_addon.rasterize.select import select_backend
from cgc_addon.training.config_json import from_json, to_json
from cgc_addon.training.presets import configure

from .toy_backend import TOY, ToyBackend

ROOT = Path(__file__).parents[2]


@pytest.fixture
def with_a_toy(monkeypatch):
    monkeypatch.setattr(backends, "BACKENDS", (TOY, *BACKENDS))


def test_names_are_distinct_and_fit_into_files_and_arguments():
    names = backend_names()
    assert names[0] == "auto"
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name.islower() for name in names)


@pytest.mark.parametrize("description", BACKENDS, ids=lambda one: one.name)
def test_each_module_has_what_a_backend_needs(description):
    module = importlib.import_module(description.module, "cgc_addon.rasterize")
    for name in ("obstacle", "open_backend"):
        parameters = inspect.signature(getattr(module, name)).parameters
        promised = inspect.signature(getattr(interface.BackendModule, name)).parameters
        assert len(parameters) == len(promised) - 1  # self
    assert not description.sentence.endswith(".")


def test_describing_the_backends_takes_the_standard_library_alone():
    program = (
        "import sys; from cgc_addon.rasterize.backends import backend_choices; backend_choices()\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "print(*sorted(loaded - set(sys.stdlib_module_names)))"
    )
    result = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(result.stdout.split()) <= {"__main__", "cgc_addon"}


def test_blender_lists_them_all():
    assert items(backend_choices()) == MENU
    assert MENU[0] == (
        "auto", "Automatic", "The graphics card if it can be used, else the processor",
    )  # fmt: skip
    assert {
        ("cpu", "Processor", "Draw on the processor"),
        ("cuda", "CUDA", "Draw on an NVIDIA graphics card"),
    } <= set(MENU)


@pytest.mark.usefixtures("with_a_toy")
def test_one_that_is_registered_can_be_chosen_everywhere():
    backend, reason = select_backend("toy")
    assert isinstance(backend, ToyBackend)
    assert reason == "Drawing on the reference renderer, as asked."
    assert parse(["evaluate", "run", "dataset", "--backend", "toy"]).backend == "toy"
    config = configure("draft", backend="toy")
    assert from_json(to_json(config), "config.json") == config
    assert ("toy", "Toy", "Draw slowly, for tests") in items(backend_choices())


def test_one_that_is_not_is_refused_everywhere(capsys):
    with pytest.raises(CgcError, match="There is no backend 'toy'; choose auto, "):
        select_backend("toy")
    with pytest.raises(SystemExit):
        parse(["evaluate", "run", "dataset", "--backend", "toy"])
    assert "invalid choice: 'toy'" in capsys.readouterr().err
    config = to_json(replace(configure("draft"), backend="toy"))
    with pytest.raises(CgcError) as raised:
        from_json(config, "config.json")
    names = " or ".join(backend_names())
    assert str(raised.value) == f"config.json: setting backend must be {names}, not 'toy'."


def test_no_other_file_names_all_backends():
    builds_of_pytorch = "blender/install/plan.py"  # they have the same names
    naming = []
    for path in (ROOT / "cgc_addon").rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        if set(backend_names()) <= texts:
            naming.append(path.relative_to(ROOT / "cgc_addon").as_posix())
    assert set(naming) - {builds_of_pytorch} == {"rasterize/backends.py"}
