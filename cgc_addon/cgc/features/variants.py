# SPDX-License-Identifier: GPL-3.0-or-later
"""The variants of the method by name, so that a configuration can be read without torch."""

from __future__ import annotations

from typing import Literal

Reduction = Literal["mean", "area-weighted", "square-root"]
"""How much a segment of n pixels counts: as much as any other, as n, or as √n."""

SpatialLoss = Literal["off", "true-neighbours", "released"]
"""Whether and how neighbours are made alike: as printed, or as in the released code."""
