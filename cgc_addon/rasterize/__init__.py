# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussians to pixels and gradients back: one interface, a CUDA and a CPU backend."""
