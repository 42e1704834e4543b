# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backend draws on this computer, and why."""

from __future__ import annotations

import contextlib
import sys
from typing import Literal

import numpy as np

from ..dataset.scene import PinholeCamera, View
from ..errors import CgcError
from ..progress import Progress, Reporter, silent
from .interface import Backend, SplatTensors

Choice = Literal["auto", "cpu", "cuda"]

LOADING = "Loading CUDA kernels (the first time they are compiled, which takes minutes)"


def select_backend(
    choice: Choice, report: Reporter = silent, *, compile_kernels: bool = True
) -> tuple[Backend, str]:
    """Return the backend to draw with and a sentence that says why it is this one.

    Args:
        choice: "cpu", "cuda", or "auto" for CUDA where it works and the CPU elsewhere.
        report: hears that kernels are being loaded or compiled, which may take minutes.
        compile_kernels: compile the CPU's kernels now, not when they are first needed.

    Raises:
        CgcError: CUDA was asked for and cannot work here, or there is no such backend.
    """
    if choice == "cpu":
        return _cpu(report, compile_kernels), "Drawing on the CPU, as asked."
    if choice not in ("auto", "cuda"):
        raise CgcError(f"There is no backend {choice!r}; choose auto, cpu or cuda.")
    backend, obstacle = _cuda(report)
    if backend is not None:
        return backend, f"Drawing on the GPU with CUDA: {_name_of_card()}."
    if choice == "cuda":
        raise CgcError(
            f"The backend cuda cannot be used: {obstacle}. Mend that or choose auto or cpu."
        )
    return _cpu(report, compile_kernels), f"Drawing on the CPU: {obstacle}."


def _cpu(report: Reporter, compile_kernels: bool) -> Backend:
    try:
        from .cpu import CpuBackend
    except ModuleNotFoundError as error:
        raise CgcError(
            f"The backend cpu cannot be used: the Python package {error.name} is missing. "
            "Install it beside PyTorch."
        ) from error
    backend = CpuBackend()
    if compile_kernels:
        backend.compile_kernels(report)
    return backend


def _cuda(report: Reporter) -> tuple[Backend | None, str]:
    """Return the CUDA backend, or None and what stands in its way, without a full stop."""
    try:
        import torch
    except ModuleNotFoundError:
        return None, "PyTorch is not installed"
    if torch.version.cuda is None:
        return None, "this PyTorch was built without CUDA"
    if not torch.cuda.is_available():
        return None, "PyTorch finds no NVIDIA card"
    report(Progress(LOADING, 0, 0))
    try:
        # gsplat talks on standard output, which may be carrying somebody's JSON.
        with contextlib.redirect_stdout(sys.stderr):
            obstacle = _load_kernels()
            if obstacle:
                return None, obstacle
            from .cuda.backend import CudaBackend

            backend = CudaBackend()
            _draw_once(backend)
    except ModuleNotFoundError as error:
        return None, f"the Python package {error.name} is missing"
    except Exception as error:
        # Compilers, drivers and cards fail in ways that nobody has listed.
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return None, f"gsplat's CUDA kernels fail here ({lines[0].rstrip('.')})"
    return backend, ""


def _load_kernels() -> str:
    """Load gsplat's kernels, compiling them if need be, and return what is missing or ""."""
    from gsplat.cuda import _backend

    if _backend._C is None:
        return "gsplat must compile its kernels and finds no CUDA toolkit (nvcc)"
    return ""


def _draw_once(backend: Backend) -> None:
    """Draw one Gaussian: kernels can load and still not fit the card."""
    import torch

    def tensor(*values: float) -> torch.Tensor:
        return torch.tensor([values], device=backend.device)

    splat = SplatTensors(
        means=tensor(0.0, 0.0, 1.0),
        quats=tensor(1.0, 0.0, 0.0, 0.0),
        scales=tensor(1.0, 1.0, 1.0),
        opacities=tensor(0.5)[0],
        sh0=tensor(0.0, 0.0, 0.0)[None],
        shN=torch.zeros(1, 0, 3, device=backend.device),
    )
    view = View("trial", PinholeCamera(16, 16, 16.0, 16.0, 8.0, 8.0), np.eye(4))
    alpha = backend.render(splat, view).alpha[8, 8].item()
    if not 0.49 < alpha < 0.51:
        raise RuntimeError(f"a trial picture came out wrong: {alpha:.3f} instead of 0.5")


def _name_of_card() -> str:
    import torch

    return torch.cuda.get_device_name()
