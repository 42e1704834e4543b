# SPDX-License-Identifier: GPL-3.0-or-later
"""What kernels there are, and what compiling them lacks, is told before anything is compiled."""

from __future__ import annotations

import importlib.machinery
import json
import os
import sys
import sysconfig
from types import ModuleType

import gsplat
import pytest
import torch

from cgc_addon.rasterize.cuda import kernels

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stands in with shell scripts")


@pytest.fixture
def toolkit(tmp_path, monkeypatch):
    """Return a function that installs a CUDA toolkit; there is a compiler and ninja, none else."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name in ("c++", "ninja"):
        _script(bin_folder / name, "")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(bin_folder))
    for name in ("CUDA_HOME", "CUDA_PATH", "CXX"):
        monkeypatch.delenv(name, raising=False)
    folders = []
    monkeypatch.setattr(kernels, "_toolkits", lambda: folders)

    def install(version: str):
        folder = tmp_path / f"cuda-{version}"
        (folder / "bin").mkdir(parents=True)
        _script(folder / "bin/nvcc", f"echo Cuda compilation tools, release {version}, V")
        (folder / "include").mkdir()
        (folder / "include/cuda_runtime.h").touch()
        folders.append(folder)
        return folder

    install.bin = bin_folder
    return install


def _script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_toolkit_and_a_compiler_are_all_it_takes(toolkit):
    folder = toolkit("13.0")
    tools, missing = kernels.find_tools()
    assert not missing
    assert tools is not None
    assert tools.toolkit == folder
    assert str(toolkit.bin) in tools.path


def test_without_nvcc_the_cure_is_named(toolkit):
    tools, missing = kernels.find_tools()
    assert tools is None
    assert "finds no CUDA toolkit (nvcc)" in missing
    assert 'pip install "cuda-toolkit[nvcc,cudart,cccl]==13.0.*"' in missing


def test_a_gsplat_without_sources_is_told(toolkit, monkeypatch):
    toolkit("13.0")
    monkeypatch.setattr(kernels, "sources", list)
    tools, missing = kernels.find_tools()
    assert tools is None
    assert "neither kernels nor their sources" in missing


def test_cuda_of_another_generation_is_refused(toolkit):
    toolkit("12.4")
    tools, missing = kernels.find_tools()
    assert tools is None
    assert "with CUDA 13.0" in missing
    assert "is CUDA 12.4" in missing
    assert "CUDA_HOME" in missing


def test_nvcc_without_its_headers_is_none(toolkit):
    folder = toolkit("13.0")
    (folder / "include/cuda_runtime.h").unlink()
    assert "finds no CUDA toolkit" in kernels.find_tools()[1]
    assert toolkit("13.1") == kernels.find_tools()[0].toolkit


def test_another_release_of_the_same_generation_will_do(toolkit):
    toolkit("13.2")
    assert kernels.find_tools()[1] == ""


@pytest.mark.parametrize(("name", "words"), [("c++", "no C++ compiler"), ("ninja", "no ninja")])
def test_what_else_is_missing_is_told_with_the_cure(toolkit, name, words):
    toolkit("13.0")
    (toolkit.bin / name).unlink()
    tools, missing = kernels.find_tools()
    assert tools is None
    assert words in missing
    assert "install" in missing


def test_a_python_without_headers_is_told_before_anything_is_compiled(
    toolkit, tmp_path, monkeypatch
):
    toolkit("13.0")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    tools, missing = kernels.find_tools()
    assert tools is None
    assert "no headers (Python.h)" in missing


def test_nothing_missing_ends_like_a_sentence(toolkit):
    _, missing = kernels.find_tools()
    assert not missing.endswith(".")
    assert "\n" not in missing


def test_sources_are_those_that_gsplat_compiles():
    names = {path.name for path in kernels.sources()}
    assert {"ext.cpp", "RasterizeToPixels3DGSFwd.cu", "AdamCUDA.cu"} <= names
    assert len(names) == 29
    assert all((folder / "..").is_dir() for folder in kernels.include_folders())


def test_compiled_kernels_are_those_for_these_cards_and_versions(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path))
    monkeypatch.setattr(kernels, "architectures", lambda: "8.6")
    folder = kernels.build_folder()
    assert folder.parent == tmp_path
    assert torch.__version__.replace("+", "-") in folder.name
    assert gsplat.__version__ in folder.name
    assert not kernels.is_compiled(folder)
    folder.mkdir()
    (folder / kernels.STAMP).write_text(json.dumps({"cards": "8.6"}))
    assert not kernels.is_compiled(folder)
    kernels.library_in(folder).touch()
    assert kernels.is_compiled(folder)
    monkeypatch.setattr(kernels, "architectures", lambda: "8.6;12.0")
    assert not kernels.is_compiled(folder)
    (folder / kernels.STAMP).write_text('{"cards')
    assert not kernels.is_compiled(folder)


def test_architectures_are_those_of_all_cards_once(monkeypatch):
    cards = [(12, 0), (8, 6), (12, 0)]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(cards))
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda index: cards[index])
    assert kernels.architectures() == "8.6;12.0"


def test_gsplat_takes_the_compiled_module_for_its_own(tmp_path, monkeypatch):
    """What gsplat does first, `from gsplat import csrc`, finds ours."""
    monkeypatch.setitem(sys.modules, kernels.MODULE, ModuleType("before"))  # gone at the end
    monkeypatch.setattr(gsplat, "csrc", None, raising=False)
    (tmp_path / f"{kernels.LIBRARY}.so").write_text("adam = 1\n")  # of Python, for want of a card

    def spec(name, path):
        loader = importlib.machinery.SourceFileLoader(name, os.fspath(path))
        return importlib.machinery.ModuleSpec(name, loader, origin=os.fspath(path))

    monkeypatch.setattr("importlib.util.spec_from_file_location", spec)
    module = kernels.load_compiled(tmp_path)
    from gsplat import csrc  # pyright: ignore[reportAttributeAccessIssue]

    assert csrc is module
    assert csrc.adam == 1
    assert kernels.come_with_gsplat()


def test_kernels_of_another_pytorch_are_told_with_the_cure(monkeypatch):
    def find(name):
        raise ImportError("csrc.so: undefined symbol: _ZN3c104cuda.\nMore.")

    monkeypatch.setattr("importlib.import_module", find)
    with pytest.raises(kernels.UnfitKernelsError) as raised:
        kernels.load_those_of_gsplat()
    assert torch.__version__ in str(raised.value)
    assert "undefined symbol" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "install" in str(raised.value)


def test_this_gsplat_has_none(monkeypatch):
    monkeypatch.delitem(sys.modules, kernels.MODULE, raising=False)
    monkeypatch.setitem(sys.modules, "gsplat", gsplat)
    assert isinstance(gsplat, ModuleType)
    assert not kernels.come_with_gsplat()
