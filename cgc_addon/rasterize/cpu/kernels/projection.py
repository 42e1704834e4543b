# SPDX-License-Identifier: GPL-3.0-or-later
"""From Gaussians in the world to records on the image plane, and their gradients back.

The maths is that of EWA splatting (Zwicker 2001) as 3DGS uses it (Kerbl 2023, eq. 5): with
R S the Gaussian's axes, W the camera's rotation and J the Jacobian of the perspective division,
the rows of U = J W R S span the projected ellipse, and its covariance is U Uᵀ + 0.3·I.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from ...interface import DILATION
from ..simd import (
    LANES,
    any_lane,
    inline,
    is_finite,
    kernel,
    load,
    load_scalar,
    logarithm,
    mask_bits,
    maximum,
    minimum,
    splat,
    square_root,
    store,
    store_scalar,
    where,
)
from .blocks import clear_rows, load_few, load_many, store_few, store_many
from .harmonics import direction_gradient, store_basis
from .layout import (
    BLUE,
    CENTER_X,
    CENTER_Y,
    CONIC_A,
    CONIC_B,
    CONIC_C,
    CUTOFF,
    DEPTH,
    EXTENT_X,
    EXTENT_Y,
    FOCAL_X,
    FOCAL_Y,
    GREEN,
    INVERSE_A,
    LIMIT_BOTTOM,
    LIMIT_LEFT,
    LIMIT_RIGHT,
    LIMIT_TOP,
    MEAN_X,
    MEAN_Y,
    NEAR,
    OPACITY,
    POSITION,
    RECORD_SIZE,
    RED,
    TIP,
    TRANSLATION,
)

PARTS = 64
"""Into how many parts the Gaussians are cut for the threads."""

# Slots of a block's scratch memory, in vectors.
_MEANS, _QUATS, _SCALES, _OPACITIES, _SH0, _SH = 0, 3, 7, 10, 11, 14
_BASIS = _SH + 45
_OUT = _BASIS + 16
_BASIS_GRADIENT = _OUT + RECORD_SIZE
_OUT_SH = _BASIS_GRADIENT + 16
_SLOTS = _OUT_SH + 48


@inline
def _camera_point(camera, x, y, z):
    """Return a world point in the camera's frame."""
    return (
        camera[0] * x + camera[1] * y + camera[2] * z + camera[TRANSLATION],
        camera[3] * x + camera[4] * y + camera[5] * z + camera[TRANSLATION + 1],
        camera[6] * x + camera[7] * y + camera[8] * z + camera[TRANSLATION + 2],
    )


@inline
def _unit_quaternion(scratch):
    """Return w, x, y, z of the block's normalised quaternions, and 1 / length."""
    w, x = load(scratch, _QUATS * LANES), load(scratch, (_QUATS + 1) * LANES)
    y, z = load(scratch, (_QUATS + 2) * LANES), load(scratch, (_QUATS + 3) * LANES)
    inverse = 1.0 / square_root(w * w + x * x + y * y + z * z)
    return w * inverse, x * inverse, y * inverse, z * inverse, inverse


@inline
def _rotation(w, x, y, z):
    """Return the rotation matrix of a unit quaternion, row by row."""
    return (
        1.0 - 2.0 * (y * y + z * z),
        2.0 * (x * y - w * z),
        2.0 * (x * z + w * y),
        2.0 * (x * y + w * z),
        1.0 - 2.0 * (x * x + z * z),
        2.0 * (y * z - w * x),
        2.0 * (x * z - w * y),
        2.0 * (y * z + w * x),
        1.0 - 2.0 * (x * x + y * y),
    )


@inline
def _scaled(r, s0, s1, s2):
    """Return the columns of a matrix times three factors, row by row: R S."""
    return (
        r[0] * s0, r[1] * s1, r[2] * s2,
        r[3] * s0, r[4] * s1, r[5] * s2,
        r[6] * s0, r[7] * s1, r[8] * s2,
    )  # fmt: skip


@inline
def _scales(scratch):
    """Return the block's three standard deviations."""
    return (
        load(scratch, _SCALES * LANES),
        load(scratch, (_SCALES + 1) * LANES),
        load(scratch, (_SCALES + 2) * LANES),
    )


@inline
def _clamped(camera, u, v):
    """Return u = x/z and v = y/z kept near the image, where the Jacobian is still meaningful."""
    return (
        minimum(maximum(u, -camera[LIMIT_LEFT]), camera[LIMIT_RIGHT]),
        minimum(maximum(v, -camera[LIMIT_TOP]), camera[LIMIT_BOTTOM]),
    )


@inline
def _image_rows(camera, inverse_z, u, v):
    """Return the rows of J W: how a step in the world moves the projection."""
    jx, jy = camera[FOCAL_X] * inverse_z, camera[FOCAL_Y] * inverse_z
    jxz, jyz = -jx * u, -jy * v
    return (
        jx * camera[0] + jxz * camera[6],
        jx * camera[1] + jxz * camera[7],
        jx * camera[2] + jxz * camera[8],
        jy * camera[3] + jyz * camera[6],
        jy * camera[4] + jyz * camera[7],
        jy * camera[5] + jyz * camera[8],
    )


@inline
def _ellipse(t, m):
    """Return the rows of U = (J W)(R S), given J W in `t` and R S in `m`."""
    return (
        t[0] * m[0] + t[1] * m[3] + t[2] * m[6],
        t[0] * m[1] + t[1] * m[4] + t[2] * m[7],
        t[0] * m[2] + t[1] * m[5] + t[2] * m[8],
        t[3] * m[0] + t[4] * m[3] + t[5] * m[6],
        t[3] * m[1] + t[4] * m[4] + t[5] * m[7],
        t[3] * m[2] + t[4] * m[5] + t[5] * m[8],
    )


@inline
def _covariance(u):
    """Return xx, xy and yy of U Uᵀ plus the dilation."""
    return (
        u[0] * u[0] + u[1] * u[1] + u[2] * u[2] + DILATION,
        u[0] * u[3] + u[1] * u[4] + u[2] * u[5],
        u[3] * u[3] + u[4] * u[4] + u[5] * u[5] + DILATION,
    )


@inline
def _view_direction(camera, x, y, z):
    """Return the unit vector from the camera to a point, and 1 / distance."""
    dx, dy, dz = x - camera[POSITION], y - camera[POSITION + 1], z - camera[POSITION + 2]
    inverse = 1.0 / square_root(dx * dx + dy * dy + dz * dz)
    return dx * inverse, dy * inverse, dz * inverse, inverse


@inline
def _load_block(means, quats, scales, opacities, first, rows, scratch):
    load_few(means, 3, first, rows, scratch, _MEANS)
    load_few(quats, 4, first, rows, scratch, _QUATS)
    load_few(scales, 3, first, rows, scratch, _SCALES)
    load_few(opacities, 1, first, rows, scratch, _OPACITIES)


@inline
def _load_colors(sh0, sh_rest, stride, first, rows, bases, scratch):
    load_few(sh0, 3, first, rows, scratch, _SH0)
    if bases > 1:
        load_many(sh_rest, stride, first, rows, 3 * (bases - 1), scratch, _SH)


@inline
def _color(scratch, basis, bases):
    """Return 0.5 + Σ sh · basis for the three channels, before the cut at 0."""
    red, green, blue = splat(0.5), splat(0.5), splat(0.5)
    for k in range(bases):
        b = load(basis, k * LANES)
        slot = (_SH0 + 3 * k) * LANES
        red = red + b * load(scratch, slot)
        green = green + b * load(scratch, slot + LANES)
        blue = blue + b * load(scratch, slot + 2 * LANES)
    return red, green, blue


@inline
def _radius(extent):
    """Return an extent rounded up; beyond a million pixels the number says nothing more."""
    return np.int32(math.ceil(min(extent, np.float32(1e6))))


@inline
def _put(scratch, slot, value):
    store(scratch, slot * LANES, value)


@inline
def _project_block(
    first, rows, means, quats, scales, opacities, sh0, sh_rest, stride, bases,
    camera, width, height, scratch, basis, means2d, records, depths, radii,
):  # fmt: skip
    _load_block(means, quats, scales, opacities, first, rows, scratch)
    x, y, z = (
        load(scratch, _MEANS * LANES),
        load(scratch, (_MEANS + 1) * LANES),
        load(scratch, (_MEANS + 2) * LANES),
    )
    opacity = load(scratch, _OPACITIES * LANES)
    cx, cy, depth = _camera_point(camera, x, y, z)
    drawn = (depth > camera[NEAR]) & (opacity * 255.0 > 1.0)
    inverse_z = 1.0 / where(drawn, depth, 1.0)
    u, v = cx * inverse_z, cy * inverse_z
    mean_x = camera[FOCAL_X] * u + camera[CENTER_X]
    mean_y = camera[FOCAL_Y] * v + camera[CENTER_Y]
    u, v = _clamped(camera, u, v)
    w, qx, qy, qz, _length = _unit_quaternion(scratch)
    s0, s1, s2 = _scales(scratch)
    axes = _scaled(_rotation(w, qx, qy, qz), s0, s1, s2)
    ellipse = _ellipse(_image_rows(camera, inverse_z, u, v), axes)
    xx, xy, yy = _covariance(ellipse)
    determinant = xx * yy - xy * xy
    inverse = 1.0 / determinant
    cutoff = logarithm(where(drawn, opacity * 255.0, 1.0))
    extent_x, extent_y = square_root(2.0 * cutoff * xx), square_root(2.0 * cutoff * yy)
    drawn = drawn & (mean_x + extent_x > 0.5) & (mean_x - extent_x < width - np.float32(0.5))
    drawn = drawn & (mean_y + extent_y > 0.5) & (mean_y - extent_y < height - np.float32(0.5))
    drawn = drawn & (determinant > 0.0) & is_finite(xx + yy + xx * yy + inverse)
    drawn = drawn & is_finite(mean_x + mean_y + depth)
    if any_lane(drawn):
        _load_colors(sh0, sh_rest, stride, first, rows, bases, scratch)
        dx, dy, dz, _distance = _view_direction(camera, x, y, z)
        store_basis(dx, dy, dz, basis)
        red, green, blue = _color(scratch, basis, bases)
        drawn = drawn & is_finite(red + green + blue)
        _put(scratch, _OUT + MEAN_X, mean_x)
        _put(scratch, _OUT + MEAN_Y, mean_y)
        _put(scratch, _OUT + CONIC_A, yy * inverse)
        _put(scratch, _OUT + CONIC_B, -xy * inverse)
        _put(scratch, _OUT + CONIC_C, xx * inverse)
        _put(scratch, _OUT + OPACITY, opacity)
        _put(scratch, _OUT + CUTOFF, cutoff)
        _put(scratch, _OUT + DEPTH, where(drawn, depth, math.inf))
        _put(scratch, _OUT + RED, where(red > 0.0, red, 0.0))
        _put(scratch, _OUT + GREEN, where(green > 0.0, green, 0.0))
        _put(scratch, _OUT + BLUE, where(blue > 0.0, blue, 0.0))
        _put(scratch, _OUT + EXTENT_X, extent_x)
        _put(scratch, _OUT + EXTENT_Y, extent_y)
        _put(scratch, _OUT + INVERSE_A, determinant / yy)
        _put(scratch, _OUT + TIP, xy / xx * extent_x)
        store_many(scratch, _OUT, records, RECORD_SIZE, first, rows)
    bits = mask_bits(drawn)
    for lane in range(rows):
        row = first + lane
        if (bits >> np.uint32(lane)) & np.uint32(1):
            record = row * RECORD_SIZE
            store_scalar(depths, row, load_scalar(records, record + DEPTH))
            store_scalar(means2d, 2 * row, load_scalar(records, record + MEAN_X))
            store_scalar(means2d, 2 * row + 1, load_scalar(records, record + MEAN_Y))
            store_scalar(radii, 2 * row, _radius(load_scalar(records, record + EXTENT_X)))
            store_scalar(radii, 2 * row + 1, _radius(load_scalar(records, record + EXTENT_Y)))
        else:
            store_scalar(depths, row, math.inf)
            for axis in range(2):
                store_scalar(means2d, 2 * row + axis, 0.0)
                store_scalar(radii, 2 * row + axis, 0)


@kernel
def project(
    means, quats, scales, opacities, sh0, sh_rest, stride, bases, camera, width, height,
    means2d, records, depths, radii,
):  # fmt: skip
    """Project Gaussians, evaluate their colours and find which of them may be seen.

    All arrays are float32, C-contiguous and flattened, N Gaussians.

    Args:
        means: (N·3,).
        quats: (N·4,) wxyz of any length > 0.
        scales: (N·3,) standard deviations.
        opacities: (N,).
        sh0: (N·3,).
        sh_rest: (N·stride,).
        stride: floats per Gaussian in `sh_rest`.
        bases: how many harmonics to use, 1, 4, 9 or 16.
        camera: (24,) see layout.
        width: of the image, px.
        height: of the image, px.
        means2d: (N·2,) out, px; 0 where not drawn.
        records: (N·16,) out, see layout; left as it was where not drawn.
        depths: (N,) out, infinite where not drawn.
        radii: (N·2,) int32 out, px; 0 where not drawn.
    """
    count = opacities.size
    blocks = (count + LANES - 1) // LANES
    for index in prange(PARTS):
        part = np.int64(index)  # prange counts in uint64
        scratch = np.zeros(_SLOTS * LANES, np.float32)
        basis = np.empty(16 * LANES, np.float32)
        for block in range(blocks * part // PARTS, blocks * (part + 1) // PARTS):
            first = block * LANES
            _project_block(
                first, min(LANES, count - first), means, quats, scales, opacities, sh0, sh_rest,
                stride, bases, camera, width, height, scratch, basis, means2d, records, depths,
                radii,
            )  # fmt: skip


@inline
def _covariance_gradient(conic_a, conic_b, conic_c, ga, gb, gc):
    """Return dL/d(covariance) as xx, xy, yy of a symmetric matrix: −K G K, K the conic."""
    half = gb * 0.5
    e00, e01 = conic_a * ga + conic_b * half, conic_a * half + conic_b * gc
    e10, e11 = conic_b * ga + conic_c * half, conic_b * half + conic_c * gc
    return (
        -(e00 * conic_a + e01 * conic_b),
        -(e00 * conic_b + e01 * conic_c),
        -(e10 * conic_b + e11 * conic_c),
    )


@inline
def _quaternion_gradient(w, x, y, z, inverse_length, g):
    """Return the gradient to the quaternion before its normalisation, `g` being that to R."""
    gw = 2.0 * (x * (g[7] - g[5]) + y * (g[2] - g[6]) + z * (g[3] - g[1]))
    gx = 2.0 * (y * (g[1] + g[3]) + z * (g[2] + g[6]) - 2.0 * x * (g[4] + g[8]) + w * (g[7] - g[5]))
    gy = 2.0 * (x * (g[1] + g[3]) + z * (g[5] + g[7]) - 2.0 * y * (g[0] + g[8]) + w * (g[2] - g[6]))
    gz = 2.0 * (x * (g[2] + g[6]) + y * (g[5] + g[7]) - 2.0 * z * (g[0] + g[4]) + w * (g[3] - g[1]))
    radial = gw * w + gx * x + gy * y + gz * z
    return (
        (gw - radial * w) * inverse_length,
        (gx - radial * x) * inverse_length,
        (gy - radial * y) * inverse_length,
        (gz - radial * z) * inverse_length,
    )


@inline
def _color_backward(x, y, z, camera, bases, drawn, scratch, basis, basis_gradient):
    """Store the gradients of the harmonics' coefficients; return the one to the mean."""
    dx, dy, dz, inverse_distance = _view_direction(camera, x, y, z)
    store_basis(dx, dy, dz, basis)
    red, green, blue = _color(scratch, basis, bases)
    gr, gg, gb = (
        load(scratch, (_OUT + RED) * LANES),
        load(scratch, (_OUT + GREEN) * LANES),
        load(scratch, (_OUT + BLUE) * LANES),
    )
    gr = where(drawn & (red > 0.0), gr, 0.0)
    gg = where(drawn & (green > 0.0), gg, 0.0)
    gb = where(drawn & (blue > 0.0), gb, 0.0)
    for k in range(bases):
        slot = (_SH0 + 3 * k) * LANES
        r, g, b = (
            load(scratch, slot),
            load(scratch, slot + LANES),
            load(scratch, slot + 2 * LANES),
        )
        store(basis_gradient, k * LANES, gr * r + gg * g + gb * b)
        value = load(basis, k * LANES)
        out = (_OUT_SH + 3 * k) * LANES
        # A hidden Gaussian's direction may be NaN, and NaN times zero is NaN.
        store(scratch, out, where(drawn, value * gr, 0.0))
        store(scratch, out + LANES, where(drawn, value * gg, 0.0))
        store(scratch, out + 2 * LANES, where(drawn, value * gb, 0.0))
    gx, gy, gz = direction_gradient(dx, dy, dz, basis_gradient)
    radial = gx * dx + gy * dy + gz * dz
    return (
        (gx - radial * dx) * inverse_distance,
        (gy - radial * dy) * inverse_distance,
        (gz - radial * dz) * inverse_distance,
    )


@inline
def _geometry_backward(x, y, z, camera, drawn, mean_gradient_x, mean_gradient_y, scratch):
    """Return the gradients to the mean (3), the scales (3) and the quaternion (4)."""
    cx, cy, depth = _camera_point(camera, x, y, z)
    inverse_z = 1.0 / where(drawn, depth, 1.0)
    u, v = cx * inverse_z, cy * inverse_z
    near_x = (u <= camera[LIMIT_RIGHT]) & (u >= -camera[LIMIT_LEFT])
    near_y = (v <= camera[LIMIT_BOTTOM]) & (v >= -camera[LIMIT_TOP])
    u, v = _clamped(camera, u, v)
    w, qx, qy, qz, inverse_length = _unit_quaternion(scratch)
    s0, s1, s2 = _scales(scratch)
    unscaled = _rotation(w, qx, qy, qz)
    m = _scaled(unscaled, s0, s1, s2)
    t = _image_rows(camera, inverse_z, u, v)
    e = _ellipse(t, m)
    xx, xy, yy = _covariance(e)
    inverse = 1.0 / (xx * yy - xy * xy)
    gxx, gxy, gyy = _covariance_gradient(
        yy * inverse,
        -xy * inverse,
        xx * inverse,
        load(scratch, (_OUT + CONIC_A) * LANES),
        load(scratch, (_OUT + CONIC_B) * LANES),
        load(scratch, (_OUT + CONIC_C) * LANES),
    )
    # dL/dU = 2 G U
    h = (
        2.0 * (gxx * e[0] + gxy * e[3]),
        2.0 * (gxx * e[1] + gxy * e[4]),
        2.0 * (gxx * e[2] + gxy * e[5]),
        2.0 * (gxy * e[0] + gyy * e[3]),
        2.0 * (gxy * e[1] + gyy * e[4]),
        2.0 * (gxy * e[2] + gyy * e[5]),
    )
    # dL/d(R S) = (J W)ᵀ dL/dU
    g = (
        t[0] * h[0] + t[3] * h[3],
        t[0] * h[1] + t[3] * h[4],
        t[0] * h[2] + t[3] * h[5],
        t[1] * h[0] + t[4] * h[3],
        t[1] * h[1] + t[4] * h[4],
        t[1] * h[2] + t[4] * h[5],
        t[2] * h[0] + t[5] * h[3],
        t[2] * h[1] + t[5] * h[4],
        t[2] * h[2] + t[5] * h[5],
    )
    gs0 = g[0] * unscaled[0] + g[3] * unscaled[3] + g[6] * unscaled[6]
    gs1 = g[1] * unscaled[1] + g[4] * unscaled[4] + g[7] * unscaled[7]
    gs2 = g[2] * unscaled[2] + g[5] * unscaled[5] + g[8] * unscaled[8]
    gq = _quaternion_gradient(w, qx, qy, qz, inverse_length, _scaled(g, s0, s1, s2))
    # dL/d(J W) = dL/dU (R S)ᵀ, then dL/dJ = dL/d(J W) Wᵀ; J has four entries that are not zero.
    t0 = h[0] * m[0] + h[1] * m[1] + h[2] * m[2]
    t1 = h[0] * m[3] + h[1] * m[4] + h[2] * m[5]
    t2 = h[0] * m[6] + h[1] * m[7] + h[2] * m[8]
    t3 = h[3] * m[0] + h[4] * m[1] + h[5] * m[2]
    t4 = h[3] * m[3] + h[4] * m[4] + h[5] * m[5]
    t5 = h[3] * m[6] + h[4] * m[7] + h[5] * m[8]
    jxx = t0 * camera[0] + t1 * camera[1] + t2 * camera[2]
    jxz = t0 * camera[6] + t1 * camera[7] + t2 * camera[8]
    jyy = t3 * camera[3] + t4 * camera[4] + t5 * camera[5]
    jyz = t3 * camera[6] + t4 * camera[7] + t5 * camera[8]
    fx, fy = camera[FOCAL_X], camera[FOCAL_Y]
    g_inverse_z = fx * (jxx - jxz * u) + fy * (jyy - jyz * v)
    gu = where(near_x, -jxz * fx * inverse_z, 0.0) + fx * mean_gradient_x
    gv = where(near_y, -jyz * fy * inverse_z, 0.0) + fy * mean_gradient_y
    g_inverse_z = g_inverse_z + gu * cx + gv * cy
    gcx, gcy = gu * inverse_z, gv * inverse_z
    gcz = load(scratch, (_OUT + DEPTH) * LANES) - g_inverse_z * inverse_z * inverse_z
    return (
        camera[0] * gcx + camera[3] * gcy + camera[6] * gcz,
        camera[1] * gcx + camera[4] * gcy + camera[7] * gcz,
        camera[2] * gcx + camera[5] * gcy + camera[8] * gcz,
        gs0, gs1, gs2, gq[0], gq[1], gq[2], gq[3],
    )  # fmt: skip


@inline
def _project_block_backward(
    first, rows, means, quats, scales, opacities, sh0, sh_rest, stride, bases,
    camera, radii, means2d_gradient, records_gradient, scratch, basis, basis_gradient,
    out_means, out_quats, out_scales, out_opacities, out_sh0, out_sh_rest,
):  # fmt: skip
    hidden = True
    for lane in range(rows):
        if load_scalar(radii, 2 * (first + lane)) > 0:
            hidden = False
    if hidden:
        clear_rows(out_means, 3, first, rows)
        clear_rows(out_quats, 4, first, rows)
        clear_rows(out_scales, 3, first, rows)
        clear_rows(out_opacities, 1, first, rows)
        clear_rows(out_sh0, 3, first, rows)
        if out_sh_rest.size > 0:
            clear_rows(out_sh_rest, stride, first, rows)
        return
    # Slots of the basis serve for what comes from means2d.
    load_few(means2d_gradient, 2, first, rows, scratch, _BASIS)
    for lane in range(LANES):
        row = first + min(lane, rows - 1)
        radius = np.float32(load_scalar(radii, 2 * row))
        store_scalar(scratch, (_BASIS + 2) * LANES + lane, radius)
    _load_block(means, quats, scales, opacities, first, rows, scratch)
    _load_colors(sh0, sh_rest, stride, first, rows, bases, scratch)
    load_many(records_gradient, RECORD_SIZE, first, rows, RECORD_SIZE, scratch, _OUT)
    x, y, z = (
        load(scratch, _MEANS * LANES),
        load(scratch, (_MEANS + 1) * LANES),
        load(scratch, (_MEANS + 2) * LANES),
    )
    drawn = load(scratch, (_BASIS + 2) * LANES) > 0.0
    geometry = _geometry_backward(
        x, y, z, camera, drawn, load(scratch, _BASIS * LANES), load(scratch, (_BASIS + 1) * LANES),
        scratch,
    )  # fmt: skip
    color = _color_backward(x, y, z, camera, bases, drawn, scratch, basis, basis_gradient)
    _put(scratch, _MEANS, where(drawn, geometry[0] + color[0], 0.0))
    _put(scratch, _MEANS + 1, where(drawn, geometry[1] + color[1], 0.0))
    _put(scratch, _MEANS + 2, where(drawn, geometry[2] + color[2], 0.0))
    _put(scratch, _SCALES, where(drawn, geometry[3], 0.0))
    _put(scratch, _SCALES + 1, where(drawn, geometry[4], 0.0))
    _put(scratch, _SCALES + 2, where(drawn, geometry[5], 0.0))
    _put(scratch, _QUATS, where(drawn, geometry[6], 0.0))
    _put(scratch, _QUATS + 1, where(drawn, geometry[7], 0.0))
    _put(scratch, _QUATS + 2, where(drawn, geometry[8], 0.0))
    _put(scratch, _QUATS + 3, where(drawn, geometry[9], 0.0))
    _put(scratch, _OPACITIES, where(drawn, load(scratch, (_OUT + OPACITY) * LANES), 0.0))
    store_few(scratch, _MEANS, out_means, 3, first, rows)
    store_few(scratch, _QUATS, out_quats, 4, first, rows)
    store_few(scratch, _SCALES, out_scales, 3, first, rows)
    store_few(scratch, _OPACITIES, out_opacities, 1, first, rows)
    store_few(scratch, _OUT_SH, out_sh0, 3, first, rows)
    if out_sh_rest.size > 0:
        store_many(scratch, _OUT_SH + 3, out_sh_rest, stride, first, rows)


@kernel
def project_backward(
    means, quats, scales, opacities, sh0, sh_rest, stride, bases, camera, radii,
    means2d_gradient, records_gradient,
    out_means, out_quats, out_scales, out_opacities, out_sh0, out_sh_rest,
):  # fmt: skip
    """Turn gradients of means2d and records into gradients of what `project` was given.

    Every element of the outputs is written; a Gaussian that was not drawn gets zeros.

    Args:
        means: (N·3,), and so on to `camera`: as in `project`.
        quats: (N·4,).
        scales: (N·3,).
        opacities: (N,).
        sh0: (N·3,).
        sh_rest: (N·stride,).
        stride: floats per Gaussian in `sh_rest`.
        bases: how many harmonics were used.
        camera: (24,).
        radii: (N·2,) int32, as written by `project`.
        means2d_gradient: (N·2,) per px.
        records_gradient: (N·16,) conic, opacity, depth and colour; the other slots are not read.
        out_means: (N·3,) out, and so on for each input.
        out_quats: (N·4,) out.
        out_scales: (N·3,) out.
        out_opacities: (N,) out.
        out_sh0: (N·3,) out.
        out_sh_rest: (N·stride,) out; when empty, nobody wants it.
    """
    count = opacities.size
    blocks = (count + LANES - 1) // LANES
    for index in prange(PARTS):
        part = np.int64(index)  # prange counts in uint64
        scratch = np.zeros(_SLOTS * LANES, np.float32)
        basis = np.empty(16 * LANES, np.float32)
        basis_gradient = np.zeros(16 * LANES, np.float32)
        for block in range(blocks * part // PARTS, blocks * (part + 1) // PARTS):
            first = block * LANES
            _project_block_backward(
                first, min(LANES, count - first), means, quats, scales, opacities, sh0, sh_rest,
                stride, bases, camera, radii, means2d_gradient, records_gradient, scratch, basis,
                basis_gradient, out_means, out_quats, out_scales, out_opacities, out_sh0,
                out_sh_rest,
            )  # fmt: skip
