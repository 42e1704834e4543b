# SPDX-License-Identifier: GPL-3.0-or-later
"""The CPU rasterizer: Numba kernels on explicit SIMD vectors, behind torch.autograd functions."""

from .backend import CpuBackend

__all__ = ["CpuBackend"]
