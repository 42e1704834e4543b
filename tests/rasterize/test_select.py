# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend is chosen for a reason, and the reason is told."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch

from cgc_addon.errors import CgcError
from cgc_addon.progress import Progress
from cgc_addon.rasterize import select_backend


class _Cpu:
    name = "cpu"
    compiled = 0

    def compile_kernels(self, report) -> None:
        _Cpu.compiled += 1


class _Cuda:
    name = "cuda"
    device = torch.device("cpu")
    alpha = 0.5

    def render(self, splat: object, view: object) -> SimpleNamespace:
        return SimpleNamespace(alpha=torch.full((16, 16), self.alpha))


def _module(name: str, **members: object) -> ModuleType:
    module = ModuleType(name)
    for member, value in members.items():
        setattr(module, member, value)
    return module


@pytest.fixture
def machine(monkeypatch):
    """Return a function that sets up what the machine has; a good CUDA machine at first."""

    def setup(*, cuda="13.0", card=True, kernels: object = object(), backend: type = _Cuda):
        monkeypatch.setattr(torch.version, "cuda", cuda)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: card)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Test Card")
        gsplat = _module("gsplat.cuda", _backend=SimpleNamespace(_C=kernels))
        monkeypatch.setitem(sys.modules, "gsplat.cuda", gsplat)
        monkeypatch.setitem(
            sys.modules, "cgc_addon.rasterize.cuda.backend", _module("backend", CudaBackend=backend)
        )
        monkeypatch.setitem(sys.modules, "cgc_addon.rasterize.cpu", _module("cpu", CpuBackend=_Cpu))

    setup()
    return setup


@pytest.mark.parametrize("choice", ["auto", "cuda"])
def test_cuda_is_taken_where_it_works(machine, choice):
    messages: list[Progress] = []
    backend, reason = select_backend(choice, messages.append)
    assert backend.name == "cuda"
    assert reason == "Drawing on the GPU with CUDA: Test Card."
    assert len(messages) == 1
    assert "compiled" in messages[0].stage


def test_the_cpu_is_taken_when_asked_for(machine):
    messages: list[Progress] = []
    backend, reason = select_backend("cpu", messages.append)
    assert backend.name == "cpu"
    assert reason == "Drawing on the CPU, as asked."
    assert not messages


class _Misfit(_Cuda):
    def render(self, splat: object, view: object) -> SimpleNamespace:
        raise RuntimeError("CUDA error: no kernel image is available for execution.\nMore.")


class _Wrong(_Cuda):
    alpha = 0.1


OBSTACLES = [
    ({"cuda": None}, "built without CUDA"),
    ({"card": False}, "no NVIDIA card"),
    ({"kernels": None}, "no CUDA toolkit"),
    ({"backend": _Misfit}, "(CUDA error: no kernel image is available for execution)"),
    ({"backend": _Wrong}, "came out wrong"),
]


@pytest.mark.parametrize(("setup", "words"), OBSTACLES)
def test_auto_falls_back_to_the_cpu_and_says_why(machine, setup, words):
    machine(**setup)
    backend, reason = select_backend("auto")
    assert backend.name == "cpu"
    assert reason.startswith("Drawing on the CPU: ")
    assert words in reason
    assert reason.endswith(".")
    assert "\n" not in reason


@pytest.mark.parametrize(("setup", "words"), OBSTACLES)
def test_cuda_asked_for_in_vain_is_an_error(machine, setup, words):
    machine(**setup)
    with pytest.raises(CgcError) as raised:
        select_backend("cuda")
    assert words in str(raised.value)


def test_a_missing_package_is_named(machine, monkeypatch):
    monkeypatch.setitem(sys.modules, "gsplat.cuda", None)
    _, reason = select_backend("auto")
    assert "gsplat" in reason
    assert "missing" in reason


def test_what_gsplat_prints_stays_off_standard_output(machine, monkeypatch, capsys):
    class Talkative(_Cuda):
        def __init__(self) -> None:
            print("gsplat: Setting up CUDA")  # noqa: T201

    machine(backend=Talkative)
    select_backend("auto")
    captured = capsys.readouterr()
    assert not captured.out
    assert "Setting up" in captured.err


def test_other_names_are_refused(machine):
    with pytest.raises(CgcError, match="metal"):
        select_backend("metal")  # type: ignore[arg-type]


@pytest.mark.parametrize("wanted", [True, False])
def test_the_kernels_of_the_cpu_are_compiled_when_wanted(machine, wanted):
    before = _Cpu.compiled
    select_backend("cpu", compile_kernels=wanted)
    assert _Cpu.compiled - before == wanted
