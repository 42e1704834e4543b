# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects are compiled once for all Pythons, again when anything changed; scripts are compilers."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from wheels.gsplat import compiling
from wheels.gsplat.compiling import Inputs, Python, architecture_flags, compile_objects, link

COMPILER = """#!/bin/sh
echo "$@" >> "{log}"
for argument; do case "$argument" in *.cu|*.cpp) source=$argument;; esac; done
case "$source" in *{bad}*) echo "{bad}: error: no good"; exit 1;; esac
while [ "$1" != -o ]; do shift; done
echo object > "$2"
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stands in with shell scripts")


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    cuda = tmp_path / "sources/gsplat/cuda"
    (cuda / "csrc").mkdir(parents=True)
    for name in ("csrc/Draw.cu", "csrc/Draw.cpp", "ext.cpp"):
        (cuda / name).write_text(name)
    toolkit = tmp_path / "toolkit"
    (toolkit / "bin").mkdir(parents=True)
    (toolkit / "lib").mkdir()
    (toolkit / "lib/libcudart.so.13").touch()
    _compiler(toolkit / "bin/nvcc", tmp_path, "spotless.cu")
    _compiler(tmp_path / "g++", tmp_path, "spotless.cu")
    monkeypatch.setenv("CXX", str(tmp_path / "g++"))
    return Inputs(tmp_path / "sources", tmp_path / "torch", toolkit, "headers 1", ("8.0",))


def _compiler(path: Path, folder: Path, bad: str) -> None:
    path.write_text(COMPILER.format(log=folder / "calls", bad=bad))
    path.chmod(0o755)


def _python(tag: str) -> Python:
    include = Path(f"/include/{tag}")
    return Python(include, Path("/libs"), f".{tag}.so", tag, "linux_x86_64")


def _calls(tmp_path) -> list[str]:
    calls = (tmp_path / "calls").read_text().splitlines()
    (tmp_path / "calls").unlink()
    return calls


def _objects(inputs, tag, tmp_path, told=None):
    def report(*numbers):
        if told is not None:
            told.append(numbers[:3])

    return compile_objects(inputs, _python(tag), tmp_path / "objects", 2, report)


def test_what_knows_nothing_of_python_is_compiled_once(inputs, tmp_path):
    told: list[tuple] = []
    first = _objects(inputs, "cp311", tmp_path, told)
    assert len(_calls(tmp_path)) == 3
    assert sorted(done for done, _, _ in told) == [1, 2, 3]
    second = _objects(inputs, "cp313", tmp_path, told)
    [call] = _calls(tmp_path)
    assert "ext.cpp" in call
    assert "/include/cp313" in call
    assert told[-1] == (3, 3, "ext.cpp")
    assert len(set(first) & set(second)) == 2
    _objects(inputs, "cp311", tmp_path)
    assert not (tmp_path / "calls").exists()


@pytest.mark.parametrize("change", [{"contents": "headers 2"}, {"architectures": ("8.0", "9.0")}])
def test_other_headers_or_cards_are_other_objects(inputs, tmp_path, change):
    before = _objects(inputs, "cp311", tmp_path)
    after = _objects(replace(inputs, **change), "cp311", tmp_path)
    assert before[0] != after[0]  # the one of CUDA


def test_the_same_in_another_folder_is_the_same(inputs, tmp_path):
    before = _objects(inputs, "cp311", tmp_path)
    moved = tmp_path / "moved"
    inputs.gsplat.rename(moved)
    assert _objects(replace(inputs, gsplat=moved), "cp311", tmp_path) == before


def test_an_error_is_told_and_leaves_no_object(inputs, tmp_path):
    _compiler(inputs.toolkit / "bin/nvcc", tmp_path, "Draw.cu")
    with pytest.raises(compiling.CompileError, match=r"Draw.cu: error: no good"):
        _objects(inputs, "cp311", tmp_path)
    assert not list((tmp_path / "objects").glob("*.part"))
    assert not [path for path in (tmp_path / "objects").iterdir() if path.suffix != ".o"]
    _compiler(inputs.toolkit / "bin/nvcc", tmp_path, "spotless.cu")
    _calls(tmp_path)
    _objects(inputs, "cp311", tmp_path)
    assert any("Draw.cu" in call for call in _calls(tmp_path))


def test_the_module_is_linked_with_pytorch_and_cudas_runtime(inputs, tmp_path):
    objects = _objects(inputs, "cp311", tmp_path)
    _calls(tmp_path)
    link(inputs, _python("cp311"), objects, tmp_path / "out/csrc.so")
    [call] = _calls(tmp_path)
    assert all(str(one) in call for one in objects)
    for library in ("c10", "c10_cuda", "torch_cuda", "torch_python"):
        assert f"-l{library}" in call
    assert "libcudart.so.13" in call
    assert (tmp_path / "out/csrc.so").is_file()


def test_cards_are_named_as_nvcc_wants_them():
    assert architecture_flags(["7.5", "12.0+PTX"]) == [
        "-gencode=arch=compute_75,code=sm_75",
        "-gencode=arch=compute_120,code=sm_120",
        "-gencode=arch=compute_120,code=compute_120",
    ]


def test_windows_is_called_in_its_own_words(inputs):
    python = Python(Path("/include"), Path("/libs"), ".pyd", "cp311", "win_amd64")
    sources = {path.name: path for path in inputs.sources}
    cuda = compiling._command(inputs, python, sources["Draw.cu"])
    cpp = compiling._command(inputs, python, sources["ext.cpp"])
    module = compiling._link_command(inputs, python, [Path("a.o")], Path("csrc.pyd"))
    assert "-Xcompiler=/MD" in cuda
    assert not [flag for flag in cuda if flag.startswith("-Xcompiler=-")]
    assert cuda.count("-std=c++20") == 1
    assert not [flag for flag in cuda if "/std" in flag]
    assert cpp[0] == "cl.exe"
    assert cpp[-1] == "/Fo"
    assert Path(module[0]).name == "link.exe"
    assert "-isystem" not in cuda
    assert "--use-local-env" in cuda
    assert "torch_cuda.lib" in module
