# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend is chosen for a reason, and the reason is told."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from cgc_addon.errors import CgcError
from cgc_addon.rasterize import backends
from cgc_addon.rasterize.backends import BackendDescription
from cgc_addon.rasterize.select import select_backend


@pytest.fixture
def register(monkeypatch):
    """Return a function that adds a backend of a given obstacle; at first there is none."""
    monkeypatch.setattr(backends, "BACKENDS", ())

    def add(name: str, obstacle: str = "", hardware: str = "") -> ModuleType:
        module = ModuleType(f"backend_{name}")
        module.compiled = None

        def open_backend(report, *, compile_kernels) -> SimpleNamespace:
            assert not obstacle
            module.compiled = compile_kernels
            return SimpleNamespace(name=name, hardware=hardware)

        module.obstacle = lambda report, should_stop, *, compile_kernels: obstacle
        module.open_backend = open_backend
        monkeypatch.setitem(sys.modules, module.__name__, module)
        described = BackendDescription(name, name, name, f"the {name}", module.__name__)
        monkeypatch.setattr(backends, "BACKENDS", (*backends.BACKENDS, described))
        return module

    return add


def test_the_last_one_that_can_be_used_is_taken(register):
    register("abacus")
    register("loom")
    register("engine", "there is no steam")
    backend, reason = select_backend("auto")
    assert backend.name == "loom"
    assert reason == "Drawing on the loom: there is no steam."


def test_the_one_asked_for_is_taken(register):
    register("abacus")
    register("loom")
    backend, reason = select_backend("abacus")
    assert backend.name == "abacus"
    assert reason == "Drawing on the abacus, as asked."


@pytest.mark.parametrize("choice", ["auto", "loom"])
def test_the_hardware_is_named(register, choice):
    register("loom", hardware="Jacquard 1804")
    assert select_backend(choice)[1] == "Drawing on the loom: Jacquard 1804."


def test_nothing_is_explained_where_the_first_choice_can_be_used(register):
    register("loom")
    assert select_backend("auto")[1] == "Drawing on the loom."


def test_one_asked_for_in_vain_is_an_error_that_names_the_others(register):
    register("abacus")
    register("loom")
    register("engine", "there is no steam")
    with pytest.raises(CgcError) as raised:
        select_backend("engine")
    assert str(raised.value) == (
        "The backend engine cannot be used: there is no steam. "
        "Mend that or choose auto, abacus or loom."
    )


def test_where_none_can_be_used_all_reasons_are_told(register):
    register("loom", "it has no thread")
    register("engine", "there is no steam")
    with pytest.raises(CgcError, match=r"engine: there is no steam; loom: it has no thread"):
        select_backend("auto")


def test_a_missing_package_is_an_obstacle(register, monkeypatch):
    register("abacus")
    module = register("loom")

    def obstacle(report, should_stop, *, compile_kernels):
        import heddles_that_nobody_has  # noqa: F401 # pyright: ignore[reportMissingImports]

    monkeypatch.setattr(module, "obstacle", obstacle)
    backend, reason = select_backend("auto")
    assert backend.name == "abacus"
    assert "the Python package heddles_that_nobody_has is missing" in reason


def test_other_names_are_refused(register):
    register("abacus")
    register("loom")
    with pytest.raises(CgcError) as raised:
        select_backend("metal")
    assert str(raised.value) == "There is no backend 'metal'; choose auto, abacus or loom."


@pytest.mark.parametrize("wanted", [True, False])
def test_kernels_are_compiled_when_wanted(register, wanted):
    module = register("loom")
    select_backend("loom", compile_kernels=wanted)
    assert module.compiled is wanted
