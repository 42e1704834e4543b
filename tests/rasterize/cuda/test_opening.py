# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a card can be used is found out by using it, and what is wrong is told in words."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch

from cgc_addon.errors import CgcError
from cgc_addon.progress import Progress
from cgc_addon.rasterize.select import select_backend


class _Cuda:
    name = "cuda"
    hardware = "Test Card"
    device = torch.device("cpu")
    alpha = 0.5

    def render(self, splat: object, view: object) -> SimpleNamespace:
        return SimpleNamespace(alpha=torch.full((16, 16), self.alpha))


def _module(name: str, **members: object) -> ModuleType:
    module = ModuleType(name)
    for member, value in members.items():
        setattr(module, member, value)
    return module


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Return a function that sets up what the machine has; a good CUDA machine at first."""

    def setup(*, cuda="13.0", card=True, kernels: object = object(), backend: type = _Cuda):
        monkeypatch.setattr(torch.version, "cuda", cuda)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: card)
        gsplat = _module("gsplat.cuda", _backend=SimpleNamespace(_C=kernels))
        monkeypatch.setitem(sys.modules, "gsplat.cuda", gsplat)
        monkeypatch.setitem(
            sys.modules,
            "cgc_addon.rasterize.cuda.backend",
            _module("backend", CudaBackend=backend),
        )

    setup()
    return setup


@pytest.mark.parametrize("choice", ["auto", "cuda"])
def test_cuda_is_taken_where_it_works(choice):
    messages: list[Progress] = []
    backend, reason = select_backend(choice, messages.append)
    assert backend.name == "cuda"
    assert reason == "Drawing on the GPU with CUDA: Test Card."
    assert len(messages) == 1
    assert "compiled" in messages[0].stage


def test_nothing_is_tried_when_the_cpu_is_asked_for():
    messages: list[Progress] = []
    backend, reason = select_backend("cpu", messages.append, compile_kernels=False)
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
    backend, reason = select_backend("auto", compile_kernels=False)
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
    assert "Mend that or choose auto" in str(raised.value)


def test_without_pytorch_that_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(CgcError, match="PyTorch is not installed"):
        select_backend("cuda")


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gsplat.cuda", None)
    _, reason = select_backend("auto", compile_kernels=False)
    assert "gsplat" in reason
    assert "missing" in reason


def test_what_gsplat_prints_stays_off_standard_output(machine, capsys):
    class Talkative(_Cuda):
        def __init__(self) -> None:
            print("gsplat: Setting up CUDA")  # noqa: T201

    machine(backend=Talkative)
    select_backend("auto")
    captured = capsys.readouterr()
    assert not captured.out
    assert "Setting up" in captured.err
