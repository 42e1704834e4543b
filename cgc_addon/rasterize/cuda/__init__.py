# SPDX-License-Identifier: GPL-3.0-or-later
"""The CUDA rasterizer: gsplat's kernels behind the common interface."""
