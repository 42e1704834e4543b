# SPDX-License-Identifier: GPL-3.0-or-later
"""PatchMatch stereo: the surface at each cell of a photo, as its neighbours see it (Numba).

A cell carries a plane of inverse depth, 1/z = w + wₓ Δx + w_y Δy over pixels Δ from its centre. A
plane in space is one exactly, so a plane found at one cell is tried at the next by moving along it
(Bleyer 2011), red cells from black ones and back (Galliani 2015). How well a plane explains the
photos is told by the zero-mean normalised cross-correlation of a patch and what the plane sends it
to, weighted by likeness in colour to the middle (Schönberger 2016, section 4).

Cells of one colour are independent and random numbers are hashes, so results do not depend on the
number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

TAPS = 25
"""Of a patch: 5×5, two pixels apart."""
LANES = 32
"""Taps and as many more as fill a processor's vectors; these have no weight."""
SUMS = 8
"""Of so many parts, each of every eighth tap, so that they are added up side by side."""
NO_MATCH = np.float32(2.0)
"""Cost of what cannot be compared; others are 1 − correlation, 0..2."""

# Sums keep their order, or a process that compiles and one that loads from the cache would round
# differently: a parallel loop is optimised once on its own and again as part of its kernel.
_RULES = {"nnan", "ninf", "nsz", "arcp", "contract"}
_RIGHT = np.array([tap % 5 * 2 - 4 if tap < TAPS else 0 for tap in range(LANES)], np.float32)
_DOWN = np.array([tap // 5 * 2 - 4 if tap < TAPS else 0 for tap in range(LANES)], np.float32)
"""Where each tap is, px from the middle of the patch."""


@njit(cache=True, fastmath=_RULES, error_model="numpy")
def _random(seed, cell, draw):
    """Return a number in −1..1, a hash of its arguments (PCG, O'Neill 2014)."""
    state = np.uint32(seed * 747796405 + cell * 2891336453 + draw * 277803737 + 12345)
    for _ in range(2):
        state = np.uint32(state * np.uint32(747796405) + np.uint32(2891336453))
        state ^= state >> np.uint32(16)
        state = np.uint32(state * np.uint32(2246822519))
        state ^= state >> np.uint32(13)
    return np.float32(state) * np.float32(2.0 / 4294967296.0) - np.float32(1.0)


@njit(cache=True, parallel=True, fastmath=_RULES, error_model="numpy")
def prepare_patches(image, stride, weights, patches):
    """Read the patch around each cell.

    Args:
        image: (H, W) float32 grey in 0..1.
        stride: px between cells; the first is centred on pixel (stride // 2, stride // 2).
        weights: (rows, columns, LANES) float32, 0 in; out: they sum to 1, or to 0 where there is
            nothing to compare: no texture, or the patch leaves the photo.
        patches: (rows, columns, LANES) float32, 0 in; out: weighted values of mean 0, variance 1.
    """
    height, width = image.shape
    rows, columns = weights.shape[:2]
    for row in prange(rows):
        for column in range(columns):
            y, x = row * stride + stride // 2, column * stride + stride // 2
            if y < 4 or x < 4 or y >= height - 4 or x >= width - 4:
                weights[row, column] = 0.0
                continue
            middle = image[y, x]
            total = np.float32(0.0)
            mean = np.float32(0.0)
            for tap in range(TAPS):
                dy, dx = tap // 5 * 2 - 4, tap % 5 * 2 - 4
                value = image[y + dy, x + dx]
                unlike = (value - middle) / np.float32(0.2)
                weight = np.exp(
                    np.float32(-0.5) * unlike * unlike
                    - np.float32(dx * dx + dy * dy) / np.float32(50.0)
                )
                weights[row, column, tap] = weight
                total += weight
                mean += weight * value
            mean /= total
            variance = np.float32(0.0)
            for tap in range(TAPS):
                dy, dx = tap // 5 * 2 - 4, tap % 5 * 2 - 4
                weight = weights[row, column, tap] / total
                weights[row, column, tap] = weight
                value = image[y + dy, x + dx] - mean
                patches[row, column, tap] = weight * value
                variance += weight * value * value
            if variance < np.float32(4e-5):
                weights[row, column] = 0.0
                continue
            scale = np.float32(1.0) / np.sqrt(variance)
            for tap in range(TAPS):
                patches[row, column, tap] *= scale


@njit(cache=True, fastmath=_RULES, error_model="numpy")
def _cost_in(image, size, pair, x, y, w, wx, wy, weights, patch, at, values):
    """Return 1 − correlation of a patch with what a plane sends it to in one neighbour.

    What does not read the photo is done for a vector of taps at a time; `at`
    (LANES,) and `values` (3 · LANES,) hold what is between them.
    """
    height, width = size[0], size[1]
    X = pair[0] * x + pair[1] * y + pair[2] + pair[9] * w
    Y = pair[3] * x + pair[4] * y + pair[5] + pair[10] * w
    Z = pair[6] * x + pair[7] * y + pair[8] + pair[11] * w
    Xx, Xy = pair[0] + pair[9] * wx, pair[1] + pair[9] * wy
    Yx, Yy = pair[3] + pair[10] * wx, pair[4] + pair[10] * wy
    Zx, Zy = pair[6] + pair[11] * wx, pair[7] + pair[11] * wy
    # Linear in the offset: the corners tell whether all taps lie before the camera and inside.
    for corner in range(4):
        dx = np.float32(4.0 if corner & 1 else -4.0)
        dy = np.float32(4.0 if corner & 2 else -4.0)
        z = Z + Zx * dx + Zy * dy
        if z <= np.float32(1e-6):
            return NO_MATCH
        u = (X + Xx * dx + Xy * dy) / z
        v = (Y + Yx * dx + Yy * dy) / z
        if u < np.float32(0.5) or v < np.float32(0.5):
            return NO_MATCH
        if u >= np.float32(width) - np.float32(1.5) or v >= np.float32(height) - np.float32(1.5):
            return NO_MATCH
    across = np.int32(image.shape[1])
    flat = image.reshape(-1)
    for tap in range(LANES):
        dx, dy = _RIGHT[tap], _DOWN[tap]
        inverse = np.float32(1.0) / (Z + Zx * dx + Zy * dy)
        u = (X + Xx * dx + Xy * dy) * inverse - np.float32(0.5)
        v = (Y + Yx * dx + Yy * dy) * inverse - np.float32(0.5)
        left, top = np.int32(u), np.int32(v)
        values[LANES + tap] = u - np.float32(left)
        values[2 * LANES + tap] = v - np.float32(top)
        at[tap] = top * across + left
    for tap in range(TAPS):
        a, b = values[LANES + tap], values[2 * LANES + tap]
        one, below = np.uint32(at[tap]), np.uint32(at[tap] + across)
        upper = flat[one] + a * (flat[one + np.uint32(1)] - flat[one])
        lower = flat[below] + a * (flat[below + np.uint32(1)] - flat[below])
        values[tap] = upper + b * (lower - upper)
    for lane in range(SUMS):
        products = means = squares = np.float32(0.0)
        for tap in range(lane, LANES, SUMS):
            products += patch[tap] * values[tap]
            means += weights[tap] * values[tap]
            squares += weights[tap] * values[tap] * values[tap]
        values[LANES + lane] = products
        values[LANES + SUMS + lane] = means
        values[LANES + 2 * SUMS + lane] = squares
    product = np.float32(0.0)
    mean = np.float32(0.0)
    square = np.float32(0.0)
    for lane in range(LANES, LANES + SUMS):
        product += values[lane]
        mean += values[lane + SUMS]
        square += values[lane + 2 * SUMS]
    variance = square - mean * mean
    if variance < np.float32(1e-5):
        return NO_MATCH
    return np.float32(1.0) - product / np.sqrt(variance)


@njit(cache=True, fastmath=_RULES, error_model="numpy")
def _cost(images, sizes, pairs, x, y, w, wx, wy, weights, patch, at, values):
    """Return the mean of the two best costs among all neighbours: others may not see the place."""
    best, second = NO_MATCH, NO_MATCH
    for index in range(pairs.shape[0]):
        cost = _cost_in(
            images[index], sizes[index], pairs[index], x, y, w, wx, wy, weights, patch, at, values
        )
        if cost < best:
            best, second = cost, best
        elif cost < second:
            second = cost
    if pairs.shape[0] == 1:
        return best
    return np.float32(0.5) * (best + second)


@njit(cache=True, fastmath=_RULES, error_model="numpy")
def _faces(camera, x, y, w, wx, wy):
    """Say whether a plane faces the camera by more than 12°, and lies before it."""
    if w <= np.float32(0.0):
        return False
    nx, ny = wx * camera[0], wy * camera[1]
    nz = w - wx * (x - camera[2]) - wy * (y - camera[3])
    qx, qy = (x - camera[2]) / camera[0], (y - camera[3]) / camera[1]
    across = (nx * nx + ny * ny + nz * nz) * (qx * qx + qy * qy + np.float32(1.0))
    return w * w > np.float32(0.04) * across


@njit(cache=True, parallel=True, fastmath=_RULES, error_model="numpy")
def start_planes(
    images, sizes, pairs, weights, patches, stride, nearest, farthest, seed, planes, costs
):
    """Give each cell the best of some random depths and of the one that it brings.

    Args:
        images: (V, H, W) float32 grey of the neighbours, at the upper left.
        sizes: (V, 2) int32 height and width of each.
        pairs: (V, 12) float32 from a pixel and its inverse depth to each neighbour's pixels.
        weights: (rows, columns, LANES), see `prepare_patches`.
        patches: (rows, columns, LANES).
        stride: px.
        nearest: largest inverse depth to try, 1 / scene units.
        farthest: smallest.
        seed: of the random numbers.
        planes: (rows, columns, 3) float32 w, wₓ, w_y; w in: a depth to try, out: all of the best.
        costs: (rows, columns) float32 out.
    """
    rows, columns = costs.shape
    for row in prange(rows):
        at, values = np.zeros(LANES, np.int32), np.zeros(3 * LANES, np.float32)
        for column in range(columns):
            costs[row, column] = NO_MATCH
            weight, patch = weights[row, column], patches[row, column]
            given = planes[row, column, 0]
            if weight[0] == np.float32(0.0):
                continue
            x = np.float32(column * stride + stride // 2) + np.float32(0.5)
            y = np.float32(row * stride + stride // 2) + np.float32(0.5)
            none = np.float32(0.0)
            for draw in range(9):
                share = np.float32(0.5) + np.float32(0.5) * _random(
                    seed, row * columns + column, draw
                )
                w = given if draw == 0 else farthest + share * (nearest - farthest)
                cost = _cost(images, sizes, pairs, x, y, w, none, none, weight, patch, at, values)
                if cost < costs[row, column]:
                    costs[row, column] = cost
                    planes[row, column, 0] = w
                    planes[row, column, 1] = none
                    planes[row, column, 2] = none


@njit(cache=True, parallel=True, fastmath=_RULES, error_model="numpy")
def improve_planes(
    images,
    sizes,
    pairs,
    camera,
    weights,
    patches,
    stride,
    nearest,
    farthest,
    seed,
    turn,
    planes,
    costs,
):
    """Let cells of one colour take better planes from cells of the other, and vary their own.

    Args:
        images: as in `start_planes`, and so are all that are not described.
        sizes: (V, 2).
        pairs: (V, 12).
        camera: (4,) float32 fx, fy, cx, cy of the photo.
        weights: (rows, columns, LANES).
        patches: (rows, columns, LANES).
        stride: px.
        nearest: largest inverse depth.
        farthest: smallest.
        seed: of the random numbers.
        turn: number of the call from 0; even ones are for red cells. Variations become smaller.
        planes: (rows, columns, 3) in and out.
        costs: (rows, columns) in and out.
    """
    rows, columns = costs.shape
    reach = np.float32(0.5) ** np.float32(turn // 2)
    for row in prange(rows):
        at, values = np.zeros(LANES, np.int32), np.zeros(3 * LANES, np.float32)
        for column in range((row + turn) % 2, columns, 2):
            weight, patch = weights[row, column], patches[row, column]
            if weight[0] == np.float32(0.0):
                continue
            x = np.float32(column * stride + stride // 2) + np.float32(0.5)
            y = np.float32(row * stride + stride // 2) + np.float32(0.5)
            best = costs[row, column]
            w, wx, wy = planes[row, column, 0], planes[row, column, 1], planes[row, column, 2]
            far_row, far_column, far_cost = -1, -1, best
            for side in range(8):
                steps = 1 if side < 4 else 3
                down = (steps if side & 1 else -steps) if side & 2 else 0
                right = 0 if side & 2 else (steps if side & 1 else -steps)
                other_row, other_column = row + down, column + right
                if not (0 <= other_row < rows and 0 <= other_column < columns):
                    continue
                if costs[other_row, other_column] >= NO_MATCH:
                    continue
                if side >= 4:  # of the farther ones the best alone is tried
                    if costs[other_row, other_column] < far_cost:
                        far_row, far_column = other_row, other_column
                        far_cost = costs[other_row, other_column]
                    continue
                ox, oy = planes[other_row, other_column, 1], planes[other_row, other_column, 2]
                ow = planes[other_row, other_column, 0] - stride * (ox * right + oy * down)
                if _faces(camera, x, y, ow, ox, oy):
                    cost = _cost(images, sizes, pairs, x, y, ow, ox, oy, weight, patch, at, values)
                    if cost < best:
                        best, w, wx, wy = cost, ow, ox, oy
            if far_row >= 0:
                ox, oy = planes[far_row, far_column, 1], planes[far_row, far_column, 2]
                right, down = far_column - column, far_row - row
                ow = planes[far_row, far_column, 0] - stride * (ox * right + oy * down)
                if _faces(camera, x, y, ow, ox, oy):
                    cost = _cost(images, sizes, pairs, x, y, ow, ox, oy, weight, patch, at, values)
                    if cost < best:
                        best, w, wx, wy = cost, ow, ox, oy
            for trial in range(3):
                cell, draw = row * columns + column, 16 * (turn + 1) + 4 * trial
                spread = np.float32(0.1 if trial == 0 else 0.02) * reach
                ow = w * (np.float32(1.0) + spread * _random(seed, cell, draw))
                if trial == 2 and turn < 2:
                    share = np.float32(0.5) + np.float32(0.5) * _random(seed, cell, draw)
                    ow = farthest + share * (nearest - farthest)
                slope = reach * ow
                ox = wx + slope / camera[0] * _random(seed, cell, draw + 1)
                oy = wy + slope / camera[1] * _random(seed, cell, draw + 2)
                if _faces(camera, x, y, ow, ox, oy):
                    cost = _cost(images, sizes, pairs, x, y, ow, ox, oy, weight, patch, at, values)
                    if cost < best:
                        best, w, wx, wy = cost, ow, ox, oy
            costs[row, column] = best
            planes[row, column, 0], planes[row, column, 1] = w, wx
            planes[row, column, 2] = wy
