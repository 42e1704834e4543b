# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes when a step looks at several photos, as several processes do together.

A step is counted by its photos: one of B photos takes the training B steps further, so that all
schedules, and what a run shows the Gaussians in all, stay as they are configured. In return B
gradients become one, their mean. Adam then goes √B times as far, and forgets in one step what it
would have forgotten in B: β ← β^B (Grendel-GS, arXiv 2406.18533: where gradients of different
photos are independent, such a step goes as far as the B single ones). gsplat has the same rule with
1 − B (1 − β) for β^B, its first order, which ends at B = 10.
"""

from __future__ import annotations

import math

BETAS = (0.9, 0.999)
"""Adam's, for single photos."""


def rate_factor(batch: int) -> float:
    """Return what learning rates are multiplied by for steps of so many photos."""
    return math.sqrt(batch)


def betas_of(batch: int, betas: tuple[float, float] = BETAS) -> tuple[float, float]:
    """Return Adam's decays for steps of so many photos.

    Args:
        batch: photos of a step.
        betas: for single photos.
    """
    return betas[0] ** batch, betas[1] ** batch


def multiple_within(step: int, batch: int, every: int) -> int | None:
    """Return the first multiple of `every` among the photos of a step, None where there is none.

    Args:
        step: number of the step's first photo.
        batch: photos of the step.
        every: what is due once in so many photos.

    Example:
        >>> multiple_within(98, 4, 100), multiple_within(100, 1, 100), multiple_within(101, 4, 100)
        (100, 100, None)
    """
    ahead = -step % every
    return step + ahead if ahead < batch else None
