# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers of a mask decoder, written anew with less work and the same answer.

Attention between the few tokens of a prompt and the 64×64 of a photo projects every token of the
photo, for each prompt, from 256 numbers to 128 and back. Matrices can be multiplied in another
order: with queries Q, keys K and the projections W of one head, (Q W_q)(K W_k)ᵀ is
((Q W_q) W_kᵀ) Kᵀ, where only the few tokens are projected. That halves the work, for there are
eight heads and seven tokens, and the photo's tokens are never put in another order.

Enlarging by transposed convolutions of 2×2 with a stride of 2 is a product with a matrix at every
place. Written so, places that only pad the photo can be left out, and tokens can be a list.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .graph_layers import Layers

HEADS = 8
ENLARGED = 4
"""Cells of the masks along each side of a token."""


def attend_to_photo(layers: Layers, name: str, shares: str) -> None:
    """Let a prompt's tokens look at the photo: one attention of the graph, written anew.

    Args:
        layers: of the graph.
        name: of the attention.
        shares: (T,) logarithm of how many tokens each of the photo's stands for.
    """
    taken, query, query_bias = layers.linear(f"{name}/q_proj")
    keys, key, _ = layers.linear(f"{name}/k_proj")  # its bias is the same for all keys
    values, value, value_bias = layers.linear(f"{name}/v_proj")
    _, out, out_bias = layers.linear(f"{name}/out_proj")
    size, inner = key.shape
    each = inner // HEADS
    keys_by_head = key.reshape(size, HEADS, each).transpose(1, 2, 0) / np.sqrt(np.float32(each))
    asked = _heads_in_a_row(layers, _by_head(layers, taken, query, query_bias), keys_by_head)
    turned = layers.add("Transpose", keys, perm=[0, 2, 1])
    scores = layers.add("Add", layers.add("MatMul", asked, turned), shares)
    weights = layers.add("Softmax", scores, axis=-1)
    seen = layers.add("MatMul", weights, values)
    apart = layers.add("Reshape", seen, layers.shape(0, HEADS, -1, size))
    own = layers.product(apart, value.reshape(size, HEADS, each).transpose(1, 0, 2))
    together = layers.add("Transpose", own, perm=[0, 2, 1, 3])
    flat = layers.add("Reshape", together, layers.shape(0, -1, inner))
    flat = layers.add("Add", flat, layers.constant(value_bias))
    result = layers.add("MatMul", flat, layers.constant(out))
    layers.add("Add", result, layers.constant(out_bias), output=f"{name}/out_proj/Add_output_0")


def attend_to_prompt(layers: Layers, name: str) -> None:
    """Let the photo's tokens look at a prompt's: one attention of the graph, written anew."""
    taken, query, query_bias = layers.linear(f"{name}/q_proj")
    keys, key, key_bias = layers.linear(f"{name}/k_proj")
    values, value, value_bias = layers.linear(f"{name}/v_proj")
    _, out, out_bias = layers.linear(f"{name}/out_proj")
    size, inner = query.shape
    each = inner // HEADS
    root = np.sqrt(np.float32(each))
    by_head = _by_head(layers, keys, key, key_bias)
    queries = query.reshape(size, HEADS, each).transpose(1, 2, 0) / root
    asked = _heads_in_a_row(layers, by_head, queries)
    shift = layers.product(by_head, query_bias.reshape(HEADS, each, 1) / root)
    shift = layers.add("Reshape", shift, layers.shape(0, 1, -1))
    turned = layers.add("Transpose", asked, perm=[0, 2, 1])
    scores = layers.add("Add", layers.add("MatMul", taken, turned), shift)
    scores = layers.add("Reshape", scores, layers.shape(0, 0, HEADS, -1))
    weights = layers.add("Softmax", scores, axis=-1)
    flat = layers.add("Reshape", weights, layers.shape(0, 0, -1))
    answer = _heads_in_a_row(
        layers, _by_head(layers, values, value, value_bias), out.reshape(HEADS, each, -1)
    )
    # Weights of a head add up to 1: a share of the bias here saves adding it to every token.
    answer = layers.add("Add", answer, layers.constant(out_bias / np.float32(HEADS)))
    layers.add("MatMul", flat, answer, output=f"{name}/out_proj/Add_output_0")


def _by_head(layers: Layers, taken: str, matrix: NDArray[Any], bias: NDArray[Any]) -> str:
    """Project tokens (B, T, C) and return them by head (B, 8, T, c)."""
    flat = layers.product(taken, matrix, bias)
    apart = layers.add("Reshape", flat, layers.shape(0, -1, HEADS, matrix.shape[1] // HEADS))
    return layers.add("Transpose", apart, perm=[0, 2, 1, 3])


def _heads_in_a_row(layers: Layers, taken: str, matrices: NDArray[Any]) -> str:
    """Multiply tokens by head (B, 8, T, c) with a matrix each; return (B, 8 · T, C)."""
    own = layers.product(taken, matrices)
    return layers.add("Reshape", own, layers.shape(0, -1, matrices.shape[-1]))


def enlarge(
    layers: Layers, tokens: str, weights: str, rows: str, columns: str, output: str
) -> None:
    """Make masks of the photo's tokens, without what only pads the photo.

    Args:
        layers: of the graph.
        tokens: (B, T, C) of the photo, row by row, then of what pads it.
        weights: (B, M, c) of each mask, for the channels of the enlarged picture.
        rows: (1,) that are wanted, tokens.
        columns: the same.
        output: gets the name of the masks (B, M, 4 · rows, 4 · columns).
    """
    name = "/output_upscaling/output_upscaling"
    first, first_bias = layers.convolution(f"{name}.0/ConvTranspose")
    second, second_bias = layers.convolution(f"{name}.3/ConvTranspose")
    scale, shift = (layers.operand(f"{name}.1/{node}") for node in ("Mul", "Add_1"))
    epsilon = float(layers.operand(f"{name}.1/Add"))
    size, middle, channels = *first.shape[:2], second.shape[1]
    of_photo = layers.add("Mul", rows, columns)
    tokens = layers.add("Slice", tokens, layers.shape(0), of_photo, layers.shape(1))
    flat = layers.add("Reshape", tokens, layers.shape(-1, size))
    grown = layers.table(flat, *_as_matrix(first, first_bias))
    grown = layers.add("Reshape", grown, layers.shape(-1, middle))
    grown = layers.gelu(layers.normalized(grown, scale, shift, epsilon))
    grown = layers.table(grown, *_as_matrix(second, second_bias))
    each = layers.joined(layers.shape(-1), layers.add("Mul", of_photo, layers.shape(ENLARGED**2)))
    each = layers.joined(each, layers.shape(channels))
    grown = layers.gelu(layers.add("Reshape", grown, each))
    masks = layers.add("MatMul", grown, layers.add("Transpose", weights, perm=[0, 2, 1]))
    two_by_two = layers.shape(2, 2, 2, 2, -1)
    places = layers.joined(layers.shape(0), rows, columns, two_by_two)
    # Each mask; rows of tokens and the two times two in each; columns the same.
    apart = layers.add("Reshape", masks, places)
    turned = layers.add("Transpose", apart, perm=[0, 7, 1, 3, 5, 2, 4, 6])
    cells = [layers.add("Mul", one, layers.shape(ENLARGED)) for one in (rows, columns)]
    final = layers.joined(layers.shape(0, -1), *cells)
    layers.add("Reshape", turned, final, output=output)


def _as_matrix(kernel: NDArray[Any], bias: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a transposed convolution (C, c, 2, 2) as a matrix (C, 4 · c) with its bias."""
    return kernel.transpose(0, 2, 3, 1).reshape(len(kernel), -1), np.tile(bias, 4)
