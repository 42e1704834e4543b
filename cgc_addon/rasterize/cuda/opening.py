# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the CUDA backend can be used on this computer, and opening it."""

from __future__ import annotations

import contextlib
import sys

import numpy as np

from ...dataset.scene import PinholeCamera, View
from ...errors import Interrupted
from ...progress import Progress, Reporter, ShouldStop, silent
from ..interface import Backend, SplatTensors
from . import compiling, kernels

LOADING = "Loading CUDA kernels"


def obstacle(report: Reporter, should_stop: ShouldStop, /, *, compile_kernels: bool) -> str:
    """Return what stands in the way, see `interface.BackendModule`.

    Raises:
        ModuleNotFoundError: gsplat or a package that it needs is missing.
        Interrupted: `should_stop` said so while kernels were compiled.
    """
    try:
        import torch
    except ModuleNotFoundError:
        return "PyTorch is not installed"
    if torch.version.cuda is None:
        return "this PyTorch was built without CUDA"
    if not torch.cuda.is_available():
        return "PyTorch finds no NVIDIA card"
    report(Progress(LOADING, 0, 0))
    try:
        loaded, missing = _load_kernels(report, should_stop, compile_kernels)
        if loaded:
            # gsplat talks on standard output, which may be carrying somebody's JSON.
            with contextlib.redirect_stdout(sys.stderr):
                _draw_once()
    except (ModuleNotFoundError, Interrupted):
        raise
    except (kernels.UnfitKernelsError, compiling.CompilingError) as error:
        return str(error)
    except Exception as error:
        # Compilers, drivers and cards fail in ways that nobody has listed.
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return f"gsplat's CUDA kernels fail here ({lines[0].rstrip('.')})"
    return missing


def open_backend(_report: Reporter, /, *, compile_kernels: bool) -> Backend:
    """Return the backend; `obstacle` has compiled its kernels already."""
    with contextlib.redirect_stdout(sys.stderr):
        from .backend import CudaBackend

        return CudaBackend()


def _load_kernels(
    report: Reporter, should_stop: ShouldStop, compile_them: bool
) -> tuple[bool, str]:
    """Load gsplat's kernels, compiling them if need be.

    Returns:
        Whether they are there, and what keeps them from being compiled.
    """
    if kernels.come_with_gsplat():
        kernels.load_those_of_gsplat()
        return True, ""
    folder = kernels.build_folder()
    if not kernels.is_compiled(folder):
        tools, missing = kernels.find_tools()
        if tools is None:
            return False, missing
        if not compile_them:
            return False, ""
        compiling.compile_kernels(folder, tools, report, should_stop)
    kernels.load_compiled(folder)
    return True, ""


def _draw_once() -> None:
    """Draw one Gaussian: kernels can load and still not fit the card."""
    backend = open_backend(silent, compile_kernels=True)
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
