# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that are added to an exported graph: a network is written anew with the weights it has.

Matrices are in the form that ONNX's `MatMul` takes, inputs times outputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


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
        """Return the weights and the bias of a convolution, transposed or not; 0 where it has none.

        Those of a transposed one are (inputs, outputs, …), of another one (outputs, inputs, …).
        """
        node = self._nodes[name]
        weights = self.value(node.input[1])
        if len(node.input) > 2:
            return weights, self.value(node.input[2])
        return weights, np.zeros(len(weights), weights.dtype)

    def product(self, taken: str, matrix: NDArray[Any], bias: NDArray[Any] | None = None) -> str:
        """Multiply by a matrix and add a bias."""
        result = self.add("MatMul", taken, self.constant(matrix))
        return result if bias is None else self.add("Add", result, self.constant(bias))

    def table(self, taken: str, matrix: NDArray[Any], bias: NDArray[Any] | None = None) -> str:
        """Multiply rows (N, C) by a matrix and add a bias, in one pass."""
        biases = [] if bias is None else [self.constant(bias)]
        return self.add("Gemm", taken, self.constant(matrix), *biases)

    def normalized(
        self, taken: str, scale: NDArray[Any], shift: NDArray[Any], epsilon: float
    ) -> str:
        """Give the last axis mean 0 and deviation 1, then scale and shift it."""
        inputs = (taken, self.constant(scale.reshape(-1)), self.constant(shift.reshape(-1)))
        return self.add("LayerNormalization", *inputs, axis=-1, epsilon=epsilon)

    def joined(self, *parts: str) -> str:
        """Put sizes, tensors of one axis, after each other."""
        return self.add("Concat", *parts, axis=0)

    def gelu(self, taken: str) -> str:
        """Add x · (1 + erf(x / √2)) / 2, as ONNX Runtime knows it."""
        one, half = (self.constant(np.array(value, np.float32)) for value in (1, 0.5))
        root = self.constant(np.array(np.sqrt(2), np.float32))
        grown = self.add("Add", self.add("Erf", self.add("Div", taken, root)), one)
        return self.add("Mul", self.add("Mul", taken, grown), half)
