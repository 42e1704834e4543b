# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians to pixels and gradients back: one interface, a CUDA and a CPU backend."""

from .interface import Backend, Rendering, SplatTensors
from .select import select_backend

__all__ = ["Backend", "Rendering", "SplatTensors", "select_backend"]
