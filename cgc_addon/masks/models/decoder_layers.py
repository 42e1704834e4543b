# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers of a mask decoder, written anew with less work and the same answer.

Attention between the few tokens of a prompt and the 64×64 of a photo projects every token of the
photo, for each prompt, from 256 numbers to 128 and back. Matrices can be multiplied in another
order: with queries Q, keys K and the projections W of one head, (Q W_q)(K W_k)ᵀ is
((Q W_q) W_kᵀ) Kᵀ, where only the few tokens are projected. That halves the work, for there are
eight heads and seven tokens, and the photo's tokens are never put in another order.

Enlarging by transposed convolutions of 2×2 with a stride of 2 is a product with a matrix at every
place. Written so, places that only pad the photo can be left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADS = 8
PICTURE_SIDE = 64
"""Tokens along each side of the padded photo."""
ENLARGED = 4
"""Cells of the masks along each side of a token."""


class Layers:
    """Nodes that are added to a graph, in the order of what they take from each other."""

    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self._nodes = {node.name: node for node in graph.node}
        self._constants = {constant.name: constant for constant in graph.initializer}
        self._given = {name: node for node in graph.node for name in node.output}
        self.added: list[Any] = []

    def add(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Add a node and return the name of what it gives."""
        import onnx

        output = output or f"cgc/{len(self.added)}_{kind}"
        self.added.append(onnx.helper.make_node(kind, list(inputs), [output], output, **attributes))
        return output

    def constant(self, value: NDArray[Any]) -> str:
        """Add a constant and return its name."""
        from onnx import numpy_helper

        name = f"cgc/constant_{len(self._graph.initializer)}"
        self._graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def shape(self, *sizes: int) -> str:
        """Add a shape as a constant: 0 is the size that is there, −1 what is left."""
        return self.constant(np.array(sizes, np.int64))

    def value(self, name: str) -> NDArray[Any]:
        """Return a constant of the graph as it was."""
        from onnx import numpy_helper

        return numpy_helper.to_array(self._constants[name])

    def linear(self, name: str) -> tuple[str, NDArray[Any], NDArray[Any]]:
        """Return what a linear layer takes, its matrix and its bias."""
        product, sum_ = self._nodes[f"{name}/MatMul"], self._nodes[f"{name}/Add"]
        return product.input[0], self.value(product.input[1]), self.value(sum_.input[0])

    def operand(self, name: str) -> NDArray[Any]:
        """Return the constant of a node that takes a constant and something else."""
        from onnx import numpy_helper

        for taken in self._nodes[name].input:
            if taken in self._constants:
                return self.value(taken)
            node = self._given.get(taken)
            if node is not None and node.op_type == "Constant":
                return numpy_helper.to_array(node.attribute[0].t)
        raise KeyError(name)

    def convolution(self, name: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the weights and the bias of a transposed convolution."""
        node = self._nodes[name]
        return self.value(node.input[1]), self.value(node.input[2])

    def product(self, taken: str, matrix: NDArray[Any], bias: NDArray[Any] | None = None) -> str:
        """Multiply by a matrix and add a bias."""
        result = self.add("MatMul", taken, self.constant(matrix))
        return result if bias is None else self.add("Add", result, self.constant(bias))

    def gelu(self, taken: str) -> str:
        """Add x · (1 + erf(x / √2)) / 2, as ONNX Runtime knows it."""
        one, half = (self.constant(np.array(value, np.float32)) for value in (1, 0.5))
        root = self.constant(np.array(np.sqrt(2), np.float32))
        grown = self.add("Add", self.add("Erf", self.add("Div", taken, root)), one)
        return self.add("Mul", self.add("Mul", taken, grown), half)

    def by_head(self, taken: str, matrix: NDArray[Any], bias: NDArray[Any]) -> str:
        """Project tokens (B, T, C) and return them by head (B, 8, T, c)."""
        each = matrix.shape[1] // HEADS
        flat = self.product(taken, matrix, bias)
        apart = self.add("Reshape", flat, self.shape(0, -1, HEADS, each))
        return self.add("Transpose", apart, perm=[0, 2, 1, 3])

    def heads_in_a_row(self, taken: str, matrices: NDArray[Any]) -> str:
        """Multiply tokens by head (B, 8, T, c) with a matrix each; return (B, 8 · T, C)."""
        own = self.product(taken, matrices)
        return self.add("Reshape", own, self.shape(0, -1, matrices.shape[-1]))


def attend_to_photo(layers: Layers, name: str) -> None:
    """Let a prompt's tokens look at the photo: one attention of the graph, written anew."""
    taken, query, query_bias = layers.linear(f"{name}/q_proj")
    keys, key, _ = layers.linear(f"{name}/k_proj")  # its bias is the same for all keys
    values, value, value_bias = layers.linear(f"{name}/v_proj")
    _, out, out_bias = layers.linear(f"{name}/out_proj")
    size, inner = key.shape
    each = inner // HEADS
    keys_by_head = key.reshape(size, HEADS, each).transpose(1, 2, 0) / np.sqrt(np.float32(each))
    asked = layers.heads_in_a_row(layers.by_head(taken, query, query_bias), keys_by_head)
    turned = layers.add("Transpose", keys, perm=[0, 2, 1])
    weights = layers.add("Softmax", layers.add("MatMul", asked, turned), axis=-1)
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
    by_head = layers.by_head(keys, key, key_bias)
    queries = query.reshape(size, HEADS, each).transpose(1, 2, 0) / root
    asked = layers.heads_in_a_row(by_head, queries)
    shift = layers.product(by_head, query_bias.reshape(HEADS, each, 1) / root)
    shift = layers.add("Reshape", shift, layers.shape(0, 1, -1))
    turned = layers.add("Transpose", asked, perm=[0, 2, 1])
    scores = layers.add("Add", layers.add("MatMul", taken, turned), shift)
    scores = layers.add("Reshape", scores, layers.shape(0, 0, HEADS, -1))
    weights = layers.add("Softmax", scores, axis=-1)
    flat = layers.add("Reshape", weights, layers.shape(0, 0, -1))
    answer = layers.heads_in_a_row(
        layers.by_head(values, value, value_bias), out.reshape(HEADS, each, -1)
    )
    result = layers.add("MatMul", flat, answer)
    layers.add("Add", result, layers.constant(out_bias), output=f"{name}/out_proj/Add_output_0")


def enlarge(
    layers: Layers, tokens: str, weights: str, rows: str, columns: str, output: str
) -> None:
    """Make masks of the photo's tokens, without what only pads the photo.

    Args:
        layers: of the graph.
        tokens: (B, 4096, C) of the photo.
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
    side = PICTURE_SIDE
    picture = layers.add("Reshape", tokens, layers.shape(0, side, side, size))
    picture = layers.add(
        "Slice",
        picture,
        layers.shape(0, 0),
        layers.add("Concat", rows, columns, axis=0),
        layers.shape(1, 2),
    )
    grown = layers.product(picture, *_as_matrix(first, first_bias))
    grown = layers.add("Reshape", grown, layers.shape(0, 0, 0, 4, middle))
    grown = layers.add(
        "LayerNormalization",
        grown,
        layers.constant(scale.reshape(-1)),
        layers.constant(shift.reshape(-1)),
        axis=-1,
        epsilon=epsilon,
    )
    grown = layers.product(layers.gelu(grown), *_as_matrix(second, second_bias))
    grown = layers.gelu(layers.add("Reshape", grown, layers.shape(0, -1, channels)))
    masks = layers.add("MatMul", grown, layers.add("Transpose", weights, perm=[0, 2, 1]))
    two_by_two = layers.shape(2, 2, 2, 2, -1)
    places = layers.add("Concat", layers.shape(0), rows, columns, two_by_two, axis=0)
    # Each mask; rows of tokens and the two times two in each; columns the same.
    apart = layers.add("Reshape", masks, places)
    turned = layers.add("Transpose", apart, perm=[0, 7, 1, 3, 5, 2, 4, 6])
    cells = [layers.add("Mul", one, layers.shape(ENLARGED)) for one in (rows, columns)]
    final = layers.add("Concat", layers.shape(0, -1), *cells, axis=0)
    layers.add("Reshape", turned, final, output=output)


def _as_matrix(kernel: NDArray[Any], bias: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return a transposed convolution (C, c, 2, 2) as a matrix (C, 4 · c) with its bias."""
    return kernel.transpose(0, 2, 3, 1).reshape(len(kernel), -1), np.tile(bias, 4)
