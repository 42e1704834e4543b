# SPDX-License-Identifier: GPL-3.0-or-later
"""Explicit SIMD for Numba: a vector of float32 lanes, a mask of bits, and what can be done to them.

Numba leaves vectorising to LLVM, which gives up on loops such as ours without a word. The types
below become LLVM vectors directly, so what is written here is what the CPU executes.

How many: LANES, 16 with AVX-512, 8 with AVX2, else 4 (SSE, NEON); CGC_SIMD_LANES overrides it.
Kernels: `kernel` compiles a function with parallel loops and keeps it on disk, `serial_kernel` one
without; `inline` compiles a part of one. Inside them:

make     splat(x), lane_numbers(), load(array, index), store(array, index, vector)
compute  + - * / and unary -, vector with vector or with number; minimum(a, b), maximum(a, b),
         square_root(a), inverse_root(a), exp_negative(a), logarithm(a)
compare  < <= > >= give a mask; & | ~ combine masks; where(mask, a, b), is_finite(a),
         any_lane(mask), mask_bits(mask)
reduce   sum_lanes(a), store_sums(array, index, eight vectors)
arrange  transpose(source, index, stride, target, index, stride): a LANES × LANES block
scalars  load_scalar(array, index), store_scalar(array, index, value): no bounds, no negative
         indices; lowest_bit(bits); add_eight(target, index, source, index);
         prefetch(array, index)

`array` is a C-contiguous float32 array of any dimension, `index` counts its elements from the
first; neither is checked.
"""

# pyright: reportCallIssue=false, reportOptionalCall=false
# (Numba's decorators change signatures in ways that a type checker cannot follow.)

from __future__ import annotations

import operator
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import cgutils, types
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, models, register_model

from ...errors import CgcError
from .sources import digest_of_sources


def lanes_of_this_cpu() -> int:
    """Return how many float32 the widest vector of this CPU holds: 4, 8 or 16.

    Raises:
        CgcError: CGC_SIMD_LANES is set to something else.
    """
    override = os.environ.get("CGC_SIMD_LANES")
    if override is not None:
        if override not in ("4", "8", "16"):
            raise CgcError(f"CGC_SIMD_LANES is {override!r}; set it to 4, 8 or 16, or unset it.")
        return int(override)
    features = llvmlite.binding.get_host_cpu_features()
    if features.get("avx512f") and features.get("avx512dq") and features.get("avx512vl"):
        return 16
    return 8 if features.get("avx2") and features.get("fma") else 4


LANES: int = lanes_of_this_cpu()

FLOAT_RULES = frozenset({"contract", "reassoc", "arcp", "nsz", "afn"})
"""What LLVM may do to float expressions. Infinities and NaN keep their meaning: see `is_finite`."""


def _named(function: Callable[..., Any]) -> Callable[..., Any]:
    """Put into a kernel's name what Numba does not know of it: lanes of a vector, other sources."""
    digest = digest_of_sources(Path(function.__code__.co_filename))
    function.__qualname__ = f"{function.__qualname__}_{LANES}_lanes_{digest}"
    return function


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function` when first called, `prange` loops on all threads; keep it on disk."""
    options = {"parallel": True, "cache": True, "nogil": True, "error_model": "numpy"}
    return njit(fastmath=set(FLOAT_RULES), **options)(_named(function))


def serial_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function`, which has no parallel loop, when first called; keep it on disk."""
    options = {"cache": True, "nogil": True, "error_model": "numpy"}
    return njit(fastmath=set(FLOAT_RULES), **options)(_named(function))


def inline(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function` as a part of the kernels that call it."""
    return njit(fastmath=set(FLOAT_RULES), error_model="numpy")(function)


# --- Types -------------------------------------------------------------------------------------

_FLOAT = ir.FloatType()
_INT = ir.IntType(32)
# Not for vectors: a parallel loop is optimised once on its own and again as part of its kernel. The
# process that compiles runs the first version, one that loads from the cache the second, and with
# sums reordered twice the two round differently.
_FLAGS = tuple(sorted(FLOAT_RULES - {"reassoc"}))


def _floats(lanes: int = LANES) -> ir.VectorType:
    return ir.VectorType(_FLOAT, lanes)


def _ints() -> ir.VectorType:
    return ir.VectorType(_INT, LANES)


class VectorType(types.Type):
    """Numba's name for LANES float32."""

    def __init__(self) -> None:
        super().__init__(f"vector_of_{LANES}")


class MaskType(types.Type):
    """Numba's name for LANES truth values."""

    def __init__(self) -> None:
        super().__init__(f"mask_of_{LANES}")


vector = VectorType()
mask = MaskType()


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, _floats())


@register_model(MaskType)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, ir.VectorType(ir.IntType(1), LANES))


# --- LLVM building blocks ----------------------------------------------------------------------


def _constant(value: float) -> ir.Constant:
    return ir.Constant(_floats(), [float(np.float32(value))] * LANES)


def _int_constant(value: int) -> ir.Constant:
    return ir.Constant(_ints(), [value] * LANES)


def _shuffle(builder: Any, a: Any, b: Any, lanes: list[int]) -> Any:
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_INT, len(lanes)), lanes))


def _as_vector(context: Any, builder: Any, value: Any, numba_type: Any) -> Any:
    """Return `value` as a vector; numbers are rounded to float32 and repeated."""
    if isinstance(numba_type, VectorType):
        return value
    if isinstance(value, ir.Constant) and isinstance(value.constant, int | float):
        return _constant(value.constant)
    scalar = context.cast(builder, value, numba_type, types.float32)
    undefined = ir.Constant(_floats(), ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(_INT, 0))
    return _shuffle(builder, first, undefined, [0] * LANES)


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [index])


def _vector_pointer(
    context: Any, builder: Any, signature: Any, arguments: Any, lanes: int = LANES
) -> Any:
    """Return where lane 0 of `arguments[0]` at element `arguments[1]` lies."""
    index = context.cast(builder, arguments[1], signature.args[1], types.intp)
    pointer = _pointer(context, builder, signature.args[0], arguments[0], index)
    return builder.bitcast(pointer, _floats(lanes).as_pointer())


def _call(builder: Any, name: str, result: Any, arguments: list[Any]) -> Any:
    function_type = ir.FunctionType(result, [argument.type for argument in arguments])
    function = cgutils.get_or_insert_function(builder.module, function_type, name)
    return builder.call(function, arguments, fastmath=_FLAGS if result != _ints() else ())


# --- Operators ---------------------------------------------------------------------------------


def _define_operator(function: Any, result: Any, build: Callable[[Any, Any, Any], Any]) -> None:
    """Teach Numba `function(vector, vector or number)` and its mirror."""

    class Template(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            accepted = (VectorType, types.Float, types.Integer)
            if (
                len(args) == 2
                and any(isinstance(argument, VectorType) for argument in args)
                and all(isinstance(argument, accepted) for argument in args)
            ):
                return signature(result, *args)
            return None

    infer_global(function)(Template)

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        a, b = (
            _as_vector(context, builder, value, numba_type)
            for value, numba_type in zip(args, sig.args, strict=True)
        )
        return build(builder, a, b)

    for pair in ((VectorType, VectorType), (VectorType, types.Number), (types.Number, VectorType)):
        lower_builtin(function, *pair)(lower)


for _function, _name in (
    (operator.add, "fadd"),
    (operator.iadd, "fadd"),
    (operator.sub, "fsub"),
    (operator.isub, "fsub"),
    (operator.mul, "fmul"),
    (operator.imul, "fmul"),
    (operator.truediv, "fdiv"),
    (operator.itruediv, "fdiv"),
):
    _define_operator(
        _function,
        vector,
        lambda builder, a, b, name=_name: getattr(builder, name)(a, b, flags=_FLAGS),
    )

for _function, _name in (
    (operator.lt, "<"),
    (operator.le, "<="),
    (operator.gt, ">"),
    (operator.ge, ">="),
):
    _define_operator(
        _function, mask, lambda builder, a, b, name=_name: builder.fcmp_ordered(name, a, b)
    )


@infer_global(operator.neg)
class _NegateTemplate(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        return signature(vector, vector) if isinstance(args[0], VectorType) else None


@lower_builtin(operator.neg, VectorType)
def _negate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.fneg(args[0])


class _MaskTemplate(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        if all(isinstance(argument, MaskType) for argument in args):
            return signature(mask, *args)
        return None


for _function in (operator.and_, operator.or_, operator.invert):
    infer_global(_function)(type(f"_{_function.__name__}Template", (_MaskTemplate,), {}))


@lower_builtin(operator.and_, MaskType, MaskType)
def _mask_and(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.and_(*args)


@lower_builtin(operator.or_, MaskType, MaskType)
def _mask_or(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.or_(*args)


@lower_builtin(operator.invert, MaskType)
def _mask_not(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.not_(args[0])


# --- Memory ------------------------------------------------------------------------------------


@intrinsic
def load(typing_context: Any, array: Any, index: Any) -> Any:
    """Return the vector that starts at `array`'s element `index`."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.load(_vector_pointer(context, builder, sig, args), align=4)

    return vector(array, index), generate


@intrinsic
def store(typing_context: Any, array: Any, index: Any, value: Any) -> Any:
    """Write a vector (or a number, repeated) from `array`'s element `index` on."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        value = _as_vector(context, builder, args[2], sig.args[2])
        builder.store(value, _vector_pointer(context, builder, sig, args), align=4)
        return context.get_dummy_value()

    return types.none(array, index, value), generate


@intrinsic
def load_scalar(typing_context: Any, array: Any, index: Any) -> Any:
    """Return `array`'s element `index`, which must lie inside; arrays of any dtype."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        index = context.cast(builder, args[1], sig.args[1], types.intp)
        pointer = _pointer(context, builder, sig.args[0], args[0], index)
        return context.unpack_value(builder, sig.args[0].dtype, pointer)

    return array.dtype(array, index), generate


@intrinsic
def store_scalar(typing_context: Any, array: Any, index: Any, value: Any) -> Any:
    """Write `array`'s element `index`, which must lie inside; arrays of any dtype."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        index = context.cast(builder, args[1], sig.args[1], types.intp)
        pointer = _pointer(context, builder, sig.args[0], args[0], index)
        context.pack_value(builder, sig.args[0].dtype, args[2], pointer)
        return context.get_dummy_value()

    return types.none(array, index, array.dtype), generate


@intrinsic
def prefetch(typing_context: Any, array: Any, index: Any) -> Any:
    """Fetch the cache line of `array`'s element `index`, which must lie inside; any dtype."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        index = context.cast(builder, args[1], sig.args[1], types.intp)
        pointer = _pointer(context, builder, sig.args[0], args[0], index)
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [byte, number, number, number]),
            "llvm.prefetch.p0",
        )
        reading, everywhere, data = (ir.Constant(number, value) for value in (0, 3, 1))
        builder.call(function, [builder.bitcast(pointer, byte), reading, everywhere, data])
        return context.get_dummy_value()

    return types.none(array, index), generate


# --- Lanes -------------------------------------------------------------------------------------


@intrinsic
def splat(typing_context: Any, value: Any) -> Any:
    """Return a vector with `value` in every lane."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _as_vector(context, builder, args[0], sig.args[0])

    return vector(value), generate


@intrinsic
def lane_numbers(typing_context: Any) -> Any:
    """Return the vector of the lanes' numbers: 0, 1, 2 and so on."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return ir.Constant(_floats(), [float(lane) for lane in range(LANES)])

    return vector(), generate


@intrinsic
def where(typing_context: Any, condition: Any, a: Any, b: Any) -> Any:
    """Return `a` in the lanes where `condition` holds, `b` in the others."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        a = _as_vector(context, builder, args[1], sig.args[1])
        b = _as_vector(context, builder, args[2], sig.args[2])
        return builder.select(args[0], a, b)

    return vector(condition, a, b), generate


@intrinsic
def any_lane(typing_context: Any, condition: Any) -> Any:
    """Return whether any lane of a mask holds."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], ir.IntType(LANES))
        return builder.icmp_unsigned("!=", bits, ir.Constant(ir.IntType(LANES), 0))

    return types.boolean(condition), generate


@intrinsic
def mask_bits(typing_context: Any, condition: Any) -> Any:
    """Return a mask as uint32, bit l for lane l."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.zext(builder.bitcast(args[0], ir.IntType(LANES)), _INT)

    return types.uint32(condition), generate


@intrinsic
def lowest_bit(typing_context: Any, bits: Any) -> Any:
    """Return the number of the lowest bit that is set in a uint64 other than 0, as int64."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@intrinsic
def is_finite(typing_context: Any, value: Any) -> Any:
    """Return the lanes that are neither infinite nor NaN, whatever float rules are in force."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        exponent = builder.and_(builder.bitcast(args[0], _ints()), _int_constant(0x7F800000))
        return builder.icmp_unsigned("!=", exponent, _int_constant(0x7F800000))

    return mask(value), generate


# --- Arithmetic --------------------------------------------------------------------------------


@inline
def minimum(a, b):
    """Return the lesser of a vector and a vector or number, lane by lane; b where a is NaN."""
    return where(a < b, a, b)


@inline
def maximum(a, b):
    """Return the greater of a vector and a vector or number, lane by lane; b where a is NaN."""
    return where(a > b, a, b)


@intrinsic
def square_root(typing_context: Any, value: Any) -> Any:
    """Return √ of each lane."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return _call(builder, f"llvm.sqrt.v{LANES}f32", _floats(), [args[0]])

    return vector(value), generate


@intrinsic
def _rough_inverse_root(typing_context: Any, value: Any) -> Any:
    """Return 1 / √ of each lane ≥ 0 within 3.5 %: half of the exponent, negative."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.lshr(builder.bitcast(args[0], _ints()), _int_constant(1))
        bits = builder.sub(_int_constant(0x5F3759DF), bits)
        return builder.bitcast(bits, _floats())

    return vector(value), generate


@inline
def inverse_root(x):
    """Return 1 / √x, relative error 5e-6; for 0 and subnormal lanes something large and finite.

    Two of Newton's steps, which take a third of the time of a root and a division.
    """
    half = x * 0.5
    y = _rough_inverse_root(x)
    y = y * (1.5 - half * y * y)
    return y * (1.5 - half * y * y)


@inline
def exp_negative(x):
    """Return exp(−x) for 0 ≤ x ≤ ln 255, relative error 2e-6.

    A polynomial of degree 5 in −x / 8, raised to the 8th power: no bit tricks, no table.
    """
    y = x * -0.125
    p = y * 5.842492519e-3 + 3.976483434e-2
    p = p * y + 1.659690305e-1
    p = p * y + 4.998812767e-1
    p = p * y + 9.999924148e-1
    p = p * y + 9.999999185e-1
    p = p * p
    p = p * p
    return p * p


@intrinsic
def _exponent(typing_context: Any, value: Any) -> Any:
    """Return e of value = m · 2ᵉ, 1 ≤ m < 2, for normal positive lanes."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.lshr(builder.bitcast(args[0], _ints()), _int_constant(23))
        return builder.sitofp(builder.sub(bits, _int_constant(127)), _floats())

    return vector(value), generate


@intrinsic
def _mantissa(typing_context: Any, value: Any) -> Any:
    """Return m of value = m · 2ᵉ, 1 ≤ m < 2, for normal positive lanes."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        bits = builder.and_(builder.bitcast(args[0], _ints()), _int_constant(0x007FFFFF))
        return builder.bitcast(builder.or_(bits, _int_constant(0x3F800000)), _floats())

    return vector(value), generate


@inline
def logarithm(x):
    """Return the natural logarithm of normal positive lanes, error 2e-6 + 1e-7·|log x|.

    log m = 2 artanh((m − 1) / (m + 1)), the series of artanh to its 11th power.
    """
    m = _mantissa(x)
    s = (m - 1.0) / (m + 1.0)
    q = s * s
    p = q * (1.0 / 11.0) + 1.0 / 9.0
    p = p * q + 1.0 / 7.0
    p = p * q + 1.0 / 5.0
    p = p * q + 1.0 / 3.0
    p = p * q + 1.0
    return p * s * 2.0 + _exponent(x) * 0.6931471805599453


# --- Sums --------------------------------------------------------------------------------------


def _halves_added(builder: Any, values: list[Any], width: int) -> list[Any]:
    """Return vectors of half the width, each the sum of the lower and upper half of one."""
    half = width // 2
    return [
        builder.fadd(
            _shuffle(builder, value, value, list(range(half))),
            _shuffle(builder, value, value, list(range(half, width))),
        )
        for value in values
    ]


def _tree_of_sums(builder: Any, values: list[Any]) -> Any:
    """Return the vector of the sums of `values`, as many as each has lanes (a power of two).

    A level merges two vectors: the lower halves of their groups go into one operand of an addition,
    the upper halves into the other, so no lane of it is wasted.
    """
    width = group = len(values)
    while group > 1:
        half = group // 2
        lower = [base + lane for base in range(0, 2 * width, group) for lane in range(half)]
        upper = [lane + half for lane in lower]
        values = [
            builder.fadd(_shuffle(builder, a, b, lower), _shuffle(builder, a, b, upper))
            for a, b in zip(values[::2], values[1::2], strict=True)
        ]
        group = half
    return values[0]


def _sums(builder: Any, values: list[Any]) -> list[Any]:
    """Return the sums of eight vectors: one vector of eight, or two of four with four lanes."""
    if LANES == 4:
        return [_tree_of_sums(builder, values[:4]), _tree_of_sums(builder, values[4:])]
    if LANES == 16:
        values = _halves_added(builder, values, 16)
    return [_tree_of_sums(builder, values)]


@intrinsic
def sum_lanes(typing_context: Any, value: Any) -> Any:
    """Return the sum of the lanes as float32."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        start = ir.Constant(_FLOAT, 0.0)
        return _call(builder, f"llvm.vector.reduce.fadd.v{LANES}f32", _FLOAT, [start, args[0]])

    return types.float32(value), generate


@intrinsic
def store_sums(
    typing_context: Any,
    array: Any,
    index: Any,
    a: Any,
    b: Any,
    c: Any,
    d: Any,
    e: Any,
    f: Any,
    g: Any,
    h: Any,
) -> Any:
    """Write the eight sums of the lanes of eight vectors from `array`'s element `index` on."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        index = context.cast(builder, args[1], sig.args[1], types.intp)
        results = _sums(builder, list(args[2:]))
        for number, result in enumerate(results):
            offset = builder.add(index, ir.Constant(index.type, number * (8 // len(results))))
            pointer = _pointer(context, builder, sig.args[0], args[0], offset)
            builder.store(result, builder.bitcast(pointer, result.type.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.none(array, index, a, b, c, d, e, f, g, h), generate


@intrinsic
def add_eight(typing_context: Any, target: Any, index: Any, source: Any, source_index: Any) -> Any:
    """Add eight neighbouring elements of `source` to eight of `target`, whatever LANES is."""

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        eight = _floats(8).as_pointer()
        pointers = []
        for array in (0, 2):
            place = context.cast(builder, args[array + 1], sig.args[array + 1], types.intp)
            pointer = _pointer(context, builder, sig.args[array], args[array], place)
            pointers.append(builder.bitcast(pointer, eight))
        values = [builder.load(pointer, align=4) for pointer in pointers]
        builder.store(builder.fadd(*values, flags=_FLAGS), pointers[0], align=4)
        return context.get_dummy_value()

    return types.none(target, index, source, source_index), generate


# --- Transposition -----------------------------------------------------------------------------


def _transposed(builder: Any, rows: list[Any]) -> list[Any]:
    """Return the columns of a square of vectors.

    Each level exchanges the off-diagonal blocks of one size, from single lanes up to halves.
    """
    size = 1
    while size < LANES:
        keep = [(lane // size) % 2 == 0 for lane in range(LANES)]
        first = [lane if keep[lane] else LANES + lane - size for lane in range(LANES)]
        second = [lane + size if keep[lane] else LANES + lane for lane in range(LANES)]
        rows = list(rows)
        for i in range(LANES):
            if (i // size) % 2 == 0:
                a, b = rows[i], rows[i + size]
                rows[i] = _shuffle(builder, a, b, first)
                rows[i + size] = _shuffle(builder, a, b, second)
        size *= 2
    return rows


@intrinsic
def transpose(
    typing_context: Any,
    source: Any,
    index: Any,
    stride: Any,
    target: Any,
    target_index: Any,
    target_stride: Any,
) -> Any:
    """Copy the transpose of a LANES × LANES block.

    Row r of the block starts at `source`'s element index + r · stride; column c is written from
    `target`'s element target_index + c · target_stride on.
    """

    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        def pointers(array: int) -> list[Any]:
            start, step = (
                context.cast(builder, args[array + i], sig.args[array + i], types.intp)
                for i in (1, 2)
            )
            result = []
            for row in range(LANES):
                offset = builder.add(start, builder.mul(step, ir.Constant(step.type, row)))
                pointer = _pointer(context, builder, sig.args[array], args[array], offset)
                result.append(builder.bitcast(pointer, _floats().as_pointer()))
            return result

        rows = [builder.load(pointer, align=4) for pointer in pointers(0)]
        for pointer, column in zip(pointers(3), _transposed(builder, rows), strict=True):
            builder.store(column, pointer, align=4)
        return context.get_dummy_value()

    return types.none(source, index, stride, target, target_index, target_stride), generate
