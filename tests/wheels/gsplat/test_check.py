# SPDX-License-Identifier: GPL-3.0-or-later
"""The check of a wheel knows what is called, and finds what is wrong."""

from __future__ import annotations

from pathlib import Path

import gsplat

from tests.rasterize.emulated_gsplat import OPERATIONS
from wheels.gsplat.check import BACKEND, needed_versions, operations_called

WRAPPER = Path(gsplat.__file__).parent / "cuda/_wrapper.py"


def test_every_operation_that_the_backend_uses_is_asked_for():
    """The emulation has those that drawing and training came to call, found by running them."""
    called = operations_called(BACKEND, WRAPPER.read_text("utf-8"))
    assert set(OPERATIONS) <= called
    assert "CameraModelType" in called
    assert not {name for name in called if "2dgs" in name or name == "adam"}


def test_operations_are_followed_through_functions_and_classes(tmp_path):
    (tmp_path / "backend.py").write_text("import gsplat\n\ngsplat.draw(1)\nother.hidden()\n")
    wrapper = (
        "def draw(x):\n    return _Draw.apply(x)\n"
        "class _Draw:\n    def forward(x):\n        return _make_lazy_cuda_func('draw_fwd')(x)\n"
        "    def backward(x):\n        return helper(x)\n"
        "def helper(x):\n    return _make_lazy_cuda_func('draw_bwd')(x)\n"
        "def hidden():\n    return _make_lazy_cuda_func('hidden')()\n"
    )
    assert operations_called(tmp_path, wrapper) == {"draw_fwd", "draw_bwd"}


def test_versions_of_the_system_are_compared_as_numbers():
    module = b"\0GLIBC_2.9\0GLIBC_2.34\0GLIBC_2.4\0GLIBCXX_3.4.30\0GLIBCXX_3.4.9\0GLIBC_PRIVATE\0"
    assert needed_versions(module) == ["GLIBC_2.34", "GLIBCXX_3.4.30"]
