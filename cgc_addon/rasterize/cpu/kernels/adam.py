# SPDX-License-Identifier: GPL-3.0-or-later
"""Adam's steps for the gradients of one or two photos, in one pass through memory."""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from ..simd import LANES, inline, inverse_root, kernel, load, load_scalar, store, store_scalar

PARTS = 64
"""Into how many parts parameters are cut for the threads."""


@inline
def _moments(first, second, gradient, rest_1, rest_2, beta_2):
    """Return both moments after a step (Kingma and Ba 2015, algorithm 1)."""
    return first + (gradient - first) * rest_1, second * beta_2 + gradient * gradient * rest_2


@inline
def _step_block(at, value, first, second, gradient, lengths, rest_1, rest_2, beta_2, rate):
    """Return LANES parameters and their moments after a step."""
    first, second = _moments(first, second, load(gradient, at), rest_1, rest_2, beta_2)
    way = first * inverse_root(second) * rate
    if lengths.size > 0:
        way = way * load(lengths, at)
    return value - way, first, second


@inline
def _step_one(at, value, first, second, gradient, lengths, rest_1, rest_2, beta_2, rate):
    """Return one parameter and its moments after a step."""
    first, second = _moments(first, second, load_scalar(gradient, at), rest_1, rest_2, beta_2)
    way = rate * first / (math.sqrt(second) + np.float32(1e-15))
    if lengths.size > 0:
        way = way * load_scalar(lengths, at)
    return value - way, first, second


@kernel
def adam_steps(values, first, second, gradient, later, lengths, rest_1, rest_2, beta_2, rate,
               later_rate, steps):  # fmt: skip
    """Do one or two steps in place, with an ε below what counts.

    All arrays are float32, C-contiguous and flattened, all numbers float32.

    Args:
        values: (n,) parameters, in and out.
        first: (n,) their first moments, in and out.
        second: (n,) their second moments, in and out.
        gradient: (n,) of the first step.
        later: (n,) gradient of the second step; not read where there is none.
        lengths: (n,) what ways are multiplied by, or (0,) for nothing.
        rest_1: 1 − β₁; given beside β₂, since 1 − 0.999 has few digits of float32 left.
        rest_2: 1 − β₂.
        beta_2: decay of the second moment.
        rate: step size of the first step, corrections of both moments in it.
        later_rate: of the second step.
        steps: 1 or 2.
    """
    whole = values.size // LANES
    for index in prange(PARTS):
        part = np.int64(index)  # prange counts in uint64
        for block in range(whole * part // PARTS, whole * (part + 1) // PARTS):
            at = block * LANES
            value, m, v = load(values, at), load(first, at), load(second, at)
            value, m, v = _step_block(
                at, value, m, v, gradient, lengths, rest_1, rest_2, beta_2, rate
            )
            if steps > 1:
                value, m, v = _step_block(
                    at, value, m, v, later, lengths, rest_1, rest_2, beta_2, later_rate
                )
            store(values, at, value)
            store(first, at, m)
            store(second, at, v)
    for at in range(whole * LANES, values.size):
        one, m, v = load_scalar(values, at), load_scalar(first, at), load_scalar(second, at)
        one, m, v = _step_one(at, one, m, v, gradient, lengths, rest_1, rest_2, beta_2, rate)
        if steps > 1:
            one, m, v = _step_one(at, one, m, v, later, lengths, rest_1, rest_2, beta_2, later_rate)
        store_scalar(values, at, one)
        store_scalar(first, at, m)
        store_scalar(second, at, v)


@kernel
def lengths_by_distance(means, center, extent, lengths):
    """Write max(1, distance from the centre / extent) of each mean, three times.

    Args:
        means: (N·3,) scene units.
        center: (3,) scene units.
        extent: float32, scene units.
        lengths: (N·3,) out.
    """
    count = means.size // 3
    for index in prange(PARTS):
        part = np.int64(index)  # prange counts in uint64
        for one in range(count * part // PARTS, count * (part + 1) // PARTS):
            x = load_scalar(means, 3 * one) - center[0]
            y = load_scalar(means, 3 * one + 1) - center[1]
            z = load_scalar(means, 3 * one + 2) - center[2]
            length = max(np.float32(1.0), math.sqrt(x * x + y * y + z * z) / extent)
            for axis in range(3):
                store_scalar(lengths, 3 * one + axis, length)
