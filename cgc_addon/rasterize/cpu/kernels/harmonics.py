# SPDX-License-Identifier: GPL-3.0-or-later
"""Real spherical harmonics up to degree 3, in the order and with the signs of 3DGS files."""

from __future__ import annotations

from ..simd import LANES, inline, load, splat, store

C0 = 0.28209479177387814
_C1 = 0.4886025119029199
_C20, _C22, _C24 = 1.0925484305920792, 0.31539156525252005, 0.5462742152960396
_C30, _C31, _C32, _C33, _C35 = (
    0.5900435899266435,
    2.890611442640554,
    0.4570457994644658,
    0.3731763325901154,
    1.445305721320277,
)


@inline
def store_basis(x, y, z, basis):
    """Write the 16 basis functions of a unit direction to `basis` (16 · LANES,)."""
    xx, yy, zz = x * x, y * y, z * z
    store(basis, 0, splat(C0))
    store(basis, LANES, y * -_C1)
    store(basis, 2 * LANES, z * _C1)
    store(basis, 3 * LANES, x * -_C1)
    store(basis, 4 * LANES, x * y * _C20)
    store(basis, 5 * LANES, y * z * -_C20)
    store(basis, 6 * LANES, (zz * 2.0 - xx - yy) * _C22)
    store(basis, 7 * LANES, x * z * -_C20)
    store(basis, 8 * LANES, (xx - yy) * _C24)
    store(basis, 9 * LANES, y * (xx * 3.0 - yy) * -_C30)
    store(basis, 10 * LANES, x * y * z * _C31)
    store(basis, 11 * LANES, y * (zz * 4.0 - xx - yy) * -_C32)
    store(basis, 12 * LANES, z * (zz * 2.0 - xx * 3.0 - yy * 3.0) * _C33)
    store(basis, 13 * LANES, x * (zz * 4.0 - xx - yy) * -_C32)
    store(basis, 14 * LANES, z * (xx - yy) * _C35)
    store(basis, 15 * LANES, x * (xx - yy * 3.0) * -_C30)


@inline
def direction_gradient(x, y, z, gradient):
    """Return the gradient to a direction, given the one to each basis function (16 · LANES,).

    The basis functions are differentiated as polynomials of x, y and z.
    """
    g1 = load(gradient, LANES)
    g2 = load(gradient, 2 * LANES)
    g3 = load(gradient, 3 * LANES)
    g4 = load(gradient, 4 * LANES)
    g5 = load(gradient, 5 * LANES)
    g6 = load(gradient, 6 * LANES)
    g7 = load(gradient, 7 * LANES)
    g8 = load(gradient, 8 * LANES)
    g9 = load(gradient, 9 * LANES)
    g10 = load(gradient, 10 * LANES)
    g11 = load(gradient, 11 * LANES)
    g12 = load(gradient, 12 * LANES)
    g13 = load(gradient, 13 * LANES)
    g14 = load(gradient, 14 * LANES)
    g15 = load(gradient, 15 * LANES)
    xx, yy, zz, xy, yz, xz = x * x, y * y, z * z, x * y, y * z, x * z
    gx = g3 * -_C1 + (y * g4 - z * g7) * _C20 + x * (g8 * _C24 - g6 * _C22) * 2.0
    gx = gx - (xy * g9 * 6.0 + (xx - yy) * g15 * 3.0) * _C30 + yz * g10 * _C31
    gx = gx + (xy * g11 * 2.0 - (zz * 4.0 - xx * 3.0 - yy) * g13) * _C32
    gx = gx - xz * g12 * (6.0 * _C33) + xz * g14 * (2.0 * _C35)
    gy = g1 * -_C1 + (x * g4 - z * g5) * _C20 - y * (g8 * _C24 + g6 * _C22) * 2.0
    gy = gy + (xy * g15 * 6.0 - (xx - yy) * g9 * 3.0) * _C30 + xz * g10 * _C31
    gy = gy + (xy * g13 * 2.0 - (zz * 4.0 - xx - yy * 3.0) * g11) * _C32
    gy = gy - yz * g12 * (6.0 * _C33) - yz * g14 * (2.0 * _C35)
    gz = g2 * _C1 - (y * g5 + x * g7) * _C20 + z * g6 * (4.0 * _C22)
    gz = gz + xy * g10 * _C31 - (yz * g11 + xz * g13) * (8.0 * _C32)
    gz = gz + (zz * 6.0 - xx * 3.0 - yy * 3.0) * g12 * _C33 + (xx - yy) * g14 * _C35
    return gx, gy, gz
