# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers of the rules that `interface` states, for those who draw without its tensors."""

from __future__ import annotations

DILATION = 0.3
"""Added to the diagonal of every projected covariance, px² (`eps2d` in gsplat)."""
ALPHA_LIMIT = 0.999
ALPHA_MINIMUM = 1.0 / 255.0
TRANSMITTANCE_MINIMUM = 1e-4
SLOPE_MARGIN = 0.15
"""Far beside the picture the affine approximation explodes: slopes that enter the Jacobian end this
share of the picture's size beyond its edges."""
NEAR_PLANE = 0.01
"""Gaussians nearer than this to the camera plane are not drawn, scene units."""
