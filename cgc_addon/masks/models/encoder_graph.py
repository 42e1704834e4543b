# SPDX-License-Identifier: GPL-3.0-or-later
"""MobileSAM's exported encoder, written anew for photos of any shape, with the weights it has.

The exported graph looks at a square of 1024 px, of which a photo of 3:2 fills two thirds. Here it
looks at as much as it is given. And its blocks, of TinyViT (arXiv 2207.10666), cut their tokens
into windows, heads and queries, keys and values by moving them about eight times; here each is
fetched once, from where it lies, by a list of places that is made once for each shape of photo
(`windows`). Tokens that fill up windows at the edge are all equal, so only one of them is worked
on. For the whole square the answer is that of the exported file but for rounding.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from .exported import another_model, read_graph
from .graph_layers import Layers
from .windows import HEAD_WIDTH, PARTS, STAGES, WindowStage, input_name

PICTURE_INPUT = "picture"
"""(1, 3, 16 · rows, 16 · columns), normalised."""
TOKENS_OUTPUT = "tokens"
"""(rows · columns, 256)."""
_OPERATORS = 17
"""Version of ONNX's operators, the first that normalises layers."""
_EPSILON, _NECK_EPSILON = 1e-5, 1e-6
_WIDTH = 256
"""Numbers of a token that is given."""


def any_shape_encoder(path: Path) -> bytes:
    """Return the new graph: the picture and the places of `windows` → tokens.

    Args:
        path: of the exported encoder.

    Raises:
        CgcError: it is missing, damaged, or another model.
    """
    exported = read_graph(path)
    layers = Layers(exported.graph)
    try:
        _network(layers)
    except (KeyError, ValueError, IndexError) as error:
        raise another_model(path, "encoder") from error
    return _model(exported.graph, layers)


def _network(layers: Layers) -> None:
    picture = _first_stage(layers)
    tokens = size = ""
    for stage in STAGES:
        picture = _merge(layers, picture, stage)
        size = layers.add("Shape", picture)
        tokens = _tokens(layers, picture, stage.width)
        for block in range(stage.blocks):
            tokens = _attend(layers, tokens, stage, block)
            tokens = _mix_neighbours(layers, tokens, size, stage, block)
            tokens = _think(layers, tokens, stage, block)
        picture = _picture(layers, tokens, size)
    _neck(layers, tokens, size)


def _first_stage(layers: Layers) -> str:
    """Return (1, 64, 4 · rows, 4 · columns): convolutions alone."""
    name = "/patch_embed/seq/seq"
    taken = _convolution(layers, PICTURE_INPUT, f"{name}.0", stride=2)
    taken = _convolution(layers, layers.gelu(taken), f"{name}.2", stride=2)
    for block in (0, 1):
        name = f"/layers.0/blocks.{block}"
        wide = layers.gelu(_convolution(layers, taken, f"{name}/conv1"))
        wide = layers.gelu(_convolution(layers, wide, f"{name}/conv2"))
        narrow = _convolution(layers, wide, f"{name}/conv3")
        taken = layers.gelu(layers.add("Add", narrow, taken))
    return taken


def _merge(layers: Layers, picture: str, stage: WindowStage) -> str:
    """Make a picture of the stage before one of this stage: fewer places with more numbers."""
    name = f"/layers.{stage.number - 1}/downsample"
    taken = layers.gelu(_convolution(layers, picture, f"{name}/conv1"))
    taken = layers.gelu(_convolution(layers, taken, f"{name}/conv2", stage.stride))
    return _convolution(layers, taken, f"{name}/conv3")


def _attend(layers: Layers, tokens: str, stage: WindowStage, block: int) -> str:
    """Let the tokens (N, C) of each window look at each other."""
    name = f"/layers.{stage.number}/blocks.{block}/attn"
    plain = f"layers.{stage.number}.blocks.{block}.attn.norm"
    scale, shift = layers.value(f"{plain}.weight"), layers.value(f"{plain}.bias")
    _, matrix, bias = layers.linear(f"{name}/qkv")
    # Queries are divided here by what scores would be divided by for each pair.
    each = np.repeat(np.array([1 / np.sqrt(HEAD_WIDTH), 1, 1], np.float32), HEAD_WIDTH)
    factors = np.tile(each, stage.heads)
    normal = layers.normalized(tokens, scale, shift, _EPSILON)
    # The last row is a token that fills up windows: of zeros, which are normalised to the shift.
    normal = layers.joined(normal, layers.constant(shift[None]))
    rows = layers.table(normal, matrix * factors, bias * factors)
    rows = layers.add("Reshape", rows, layers.shape(-1, HEAD_WIDTH))
    query, key, value = (
        layers.add("Gather", rows, input_name(stage, part), axis=0) for part in PARTS[:3]
    )
    scores = layers.add("MatMul", query, layers.add("Transpose", key, perm=[0, 1, 3, 2]))
    scores = layers.add("Add", scores, layers.constant(layers.operand(f"{name}/Add")))
    seen = layers.add("MatMul", layers.add("Softmax", scores, axis=-1), value)
    seen = layers.add("Reshape", seen, layers.shape(-1, HEAD_WIDTH))
    own = layers.add("Gather", seen, input_name(stage, PARTS[3]), axis=0)
    own = layers.add("Reshape", own, layers.shape(-1, stage.width))
    _, matrix, bias = layers.linear(f"{name}/proj")
    return layers.add("Add", layers.table(own, matrix, bias), tokens)


def _mix_neighbours(layers: Layers, tokens: str, size: str, stage: WindowStage, block: int) -> str:
    """Give each token (N, C) something of those beside it, of other windows too."""
    name = f"/layers.{stage.number}/blocks.{block}/local_conv"
    mixed = _convolution(layers, _picture(layers, tokens, size), name)
    return _tokens(layers, mixed, stage.width)


def _think(layers: Layers, tokens: str, stage: WindowStage, block: int) -> str:
    """Change each token (N, C) by itself."""
    name = f"/layers.{stage.number}/blocks.{block}/mlp"
    plain = f"layers.{stage.number}.blocks.{block}.mlp.norm"
    scale, shift = layers.value(f"{plain}.weight"), layers.value(f"{plain}.bias")
    _, wider, wider_bias = layers.linear(f"{name}/fc1")
    _, narrower, narrower_bias = layers.linear(f"{name}/fc2")
    normal = layers.normalized(tokens, scale, shift, _EPSILON)
    wide = layers.gelu(layers.table(normal, wider, wider_bias))
    return layers.add("Add", layers.table(wide, narrower, narrower_bias), tokens)


def _neck(layers: Layers, tokens: str, size: str) -> None:
    """Make what the decoder takes of the last stage's tokens."""
    matrix, _ = layers.convolution("/neck/neck.0/Conv")
    taken = layers.table(tokens, matrix[:, :, 0, 0].T)
    taken = _neck_norm(layers, taken, "/neck/neck.1")
    places = layers.add("Slice", size, layers.shape(2), layers.shape(4))
    size = layers.joined(layers.shape(1, _WIDTH), places)
    mixed = _convolution(layers, _picture(layers, taken, size), "/neck/neck.2", ending="Conv")
    mixed = _neck_norm(layers, _tokens(layers, mixed, _WIDTH), "/neck/neck.3")
    layers.add("Identity", mixed, output=TOKENS_OUTPUT)


def _neck_norm(layers: Layers, taken: str, name: str) -> str:
    scale, shift = layers.operand(f"{name}/Mul"), layers.operand(f"{name}/Add_1")
    return layers.normalized(taken, scale, shift, _NECK_EPSILON)


def _convolution(
    layers: Layers, taken: str, name: str, stride: int = 1, ending: str = "c/Conv"
) -> str:
    """Add a convolution of the exported graph; `stride` is that of places which have a result."""
    weights, bias = layers.convolution(f"{name}/{ending}")
    outputs, inputs, side, _ = weights.shape
    # A layer that mixes no channels has one input of each; the first one takes colours.
    group = outputs if inputs == 1 else 1
    return layers.add(
        "Conv",
        *(taken, layers.constant(weights), layers.constant(bias)),
        kernel_shape=[side, side],
        strides=[stride, stride],
        pads=[side // 2] * 4,
        group=group,
    )


def _tokens(layers: Layers, picture: str, width: int) -> str:
    """Turn a picture (1, C, h, w) into tokens (h · w, C)."""
    flat = layers.add("Reshape", picture, layers.shape(width, -1))
    return layers.add("Transpose", flat, perm=[1, 0])


def _picture(layers: Layers, tokens: str, size: str) -> str:
    """Turn tokens (h · w, C) into a picture of a size (1, C, h, w)."""
    return layers.add("Reshape", layers.add("Transpose", tokens, perm=[1, 0]), size)


def _model(graph: Any, layers: Layers) -> bytes:
    """Return the added nodes as a model of their own."""
    import onnx

    info, types = onnx.helper.make_tensor_value_info, onnx.TensorProto
    inputs = [info(PICTURE_INPUT, types.FLOAT, [1, 3, "height", "width"])]
    for stage in STAGES:
        windows = [f"windows {stage.number}", stage.heads, stage.window**2]
        inputs += [info(input_name(stage, part), types.INT64, windows) for part in PARTS[:3]]
        inputs += [info(input_name(stage, PARTS[3]), types.INT64, [f"heads {stage.number}"])]
    output = info(TOKENS_OUTPUT, types.FLOAT, ["tokens", _WIDTH])
    taken = {name for node in layers.added for name in node.input}
    constants = [constant for constant in graph.initializer if constant.name in taken]
    built = onnx.helper.make_graph(layers.added, "encoder", inputs, [output], constants)
    model = onnx.helper.make_model(built, opset_imports=[onnx.helper.make_opsetid("", _OPERATORS)])
    model.ir_version = 8  # the one of that version of the operators
    return model.SerializeToString()
