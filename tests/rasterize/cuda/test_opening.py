# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a card can be used is found out by using it, and what is wrong is told in words."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch

from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.progress import Progress
from cgc_addon.rasterize.cuda import compiling, kernels
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

    def setup(
        *, cuda="13.0", card=True, bundled=True, unfit="", compiled=False, missing="", failing="",
        backend: type = _Cuda,
    ):  # fmt: skip
        def load_those_of_gsplat():
            if unfit:
                raise kernels.UnfitKernelsError(unfit)

        def compile_kernels(folder, tools, report, should_stop):
            report(Progress(compiling.COMPILING, 0, 30))
            if should_stop():
                raise Interrupted(compiling.COMPILING)
            if failing:
                raise compiling.CompilingError(failing)

        tools = kernels.Tools(Path("/cuda"), "/bin")
        monkeypatch.setattr(torch.version, "cuda", cuda)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: card)
        monkeypatch.setattr(kernels, "come_with_gsplat", lambda: bundled)
        monkeypatch.setattr(kernels, "load_those_of_gsplat", load_those_of_gsplat)
        monkeypatch.setattr(kernels, "is_compiled", lambda folder: compiled)
        monkeypatch.setattr(kernels, "find_tools", lambda: (None if missing else tools, missing))
        monkeypatch.setattr(kernels, "load_compiled", lambda folder: None)
        monkeypatch.setattr(compiling, "compile_kernels", compile_kernels)
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
    assert [message.stage for message in messages] == ["Loading CUDA kernels"]


@pytest.mark.parametrize(("compiled", "stages"), [(True, 1), (False, 2)])
def test_kernels_are_compiled_once_where_gsplat_has_none(machine, compiled, stages):
    machine(bundled=False, compiled=compiled)
    messages: list[Progress] = []
    backend, _ = select_backend("auto", messages.append)
    assert backend.name == "cuda"
    assert len(messages) == stages
    assert (messages[-1].stage == compiling.COMPILING) is not compiled


def test_progress_may_be_written_to_standard_output(machine, capsys):
    machine(bundled=False)
    select_backend("auto", lambda progress: print(progress.stage))  # noqa: T201
    assert compiling.COMPILING in capsys.readouterr().out


def test_compiling_can_be_stopped(machine):
    machine(bundled=False)
    with pytest.raises(Interrupted):
        select_backend("auto", should_stop=lambda: True)


def test_nothing_is_compiled_to_tell_what_would_draw(machine):
    machine(bundled=False, failing="it should not have been tried")
    backend, _ = select_backend("auto", compile_kernels=False)
    assert backend.name == "cuda"


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
    ({"unfit": "they do not fit this PyTorch"}, "do not fit"),
    ({"bundled": False, "missing": "no CUDA toolkit is found"}, "no CUDA toolkit"),
    ({"bundled": False, "failing": "x.cu(12): error: unknown"}, "x.cu(12): error"),
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
    assert "Mend that or choose auto" in str(raised.value)


def test_without_pytorch_that_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(CgcError, match="PyTorch is not installed"):
        select_backend("cuda")


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setitem(sys.modules, "gsplat", None)
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
