# SPDX-License-Identifier: GPL-3.0-or-later
"""MobileSAM's exported decoder, changed into one that answers many points with all their masks.

Changes to the graph, none to what a point is answered but rounding:
- Outputs are the small logits and scores of all masks, not the best mask at the photo's size.
- It takes B points at once. The exported graph copies the photo's embedding for each of them before
  the first layer, which then works on B equal copies; without the copies, that layer's share of the
  work is done once, and the rest broadcasts. That saves a quarter of the time.
- Attention between prompt and photo, and the enlarging of masks, are written anew with half the
  work, see `decoder_layers`.
- It takes any tokens of the padded square, each of which may stand for several; what only pads the
  photo gets no masks. Which ones they are is for `padding` to say: with all of them, the answers
  are those of the exported graph.
- The last attention is left out for tokens of which nothing is made.
- Prompting with a mask is left out: what an absent mask stands for is a constant.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .decoder_layers import attend_to_photo, attend_to_prompt, enlarge
from .exported import another_model, read_graph
from .graph_layers import Layers

MASKS_OUTPUT = "masks"
TOKENS_INPUT, PLACES_INPUT, SHARES_INPUT = "tokens", "places", "shares"
"""(T, 256) of the photo, row by row, then of what pads it; (T,) which of the 64×64 each is, counted
row by row; (T,) logarithm of how many each stands for."""
ROWS_INPUT, COLUMNS_INPUT = "rows", "columns"
"""(1,) of the tokens that hold the photo, which have masks."""
SCORES_OUTPUT = "/iou_prediction_head/layers.2/Gemm_output_0"
"""(B, 4, 4 · rows, 4 · columns) logits and (B, 4) IoU; the first of the four is for several
clicks on one object, the other three are sub-part, part and whole."""
_TOKENS, _POSITIONS = "/transformer/Transpose_output_0", "/transformer/Transpose_1_output_0"
_COPIED_POSITIONS, _OWN_POSITIONS = "/Reshape_6_output_0", "/Unsqueeze_1_output_0"
_NO_MASK = "onnx::Mul_1919"
_PHOTO_TOKENS = "/transformer/layers.1/norm4/LayerNormalization_output_0"
_MASK_WEIGHTS = "/Concat_10_output_0"
"""Names in the exported graph: the photo's tokens (B, 4096, 256) and their positions at the start;
what positions are copied from, and into; what stands for no mask in a prompt; the photo's tokens at
the end, and the masks' weights (B, 4, 32)."""
_TO_PHOTO = (
    "/transformer/layers.0/cross_attn_token_to_image",
    "/transformer/layers.1/cross_attn_token_to_image",
    "/transformer/final_attn_token_to_image",
)
_TO_PROMPT = (
    "/transformer/layers.0/cross_attn_image_to_token",
    "/transformer/layers.1/cross_attn_image_to_token",
)
_LAST_OF_PROMPT = ("/transformer/final_attn_token_to_image/q_proj/MatMul", "/transformer/Add_1")
"""Nodes that take a prompt's tokens at the end: the first is for scores, four are for masks."""
_ANSWERS = 5
_NAMES = (_TOKENS, _POSITIONS, _COPIED_POSITIONS, _OWN_POSITIONS)
_NAMES += (_PHOTO_TOKENS, _MASK_WEIGHTS, SCORES_OUTPUT)


def many_points_decoder(path: Path) -> bytes:
    """Return the changed graph: tokens, places, shares, point_coords, … → logits, scores.

    Args:
        path: of the exported decoder.

    Raises:
        CgcError: it is missing, damaged, or another model.
    """
    model = read_graph(path)
    graph = model.graph
    names = {name for node in graph.node for name in node.output}
    constants = {constant.name for constant in graph.initializer}
    if not set(_NAMES) <= names or _NO_MASK not in constants:
        raise another_model(path, "decoder")
    layers = Layers(graph)
    try:
        _take_tokens(graph, layers)
        _end_with_answers(graph, layers)
        for name in _TO_PHOTO:
            attend_to_photo(layers, name, SHARES_INPUT)
        for name in _TO_PROMPT:
            attend_to_prompt(layers, name)
        enlarge(layers, _PHOTO_TOKENS, _MASK_WEIGHTS, ROWS_INPUT, COLUMNS_INPUT, MASKS_OUTPUT)
    except (KeyError, ValueError, IndexError) as error:
        raise another_model(path, "decoder") from error
    _set_inputs_and_outputs(graph)
    nodes = _needed_in_order(graph, layers.added, (MASKS_OUTPUT, SCORES_OUTPUT))
    del graph.node[:]
    graph.node.extend(nodes)
    return model.SerializeToString()


def _take_tokens(graph: Any, layers: Layers) -> None:
    """Let the first layer take the tokens that are given, in place of a whole picture."""
    no_mask = layers.value(_NO_MASK)
    tokens = layers.add("Reshape", TOKENS_INPUT, layers.shape(1, -1, no_mask.size))
    tokens = layers.add("Add", tokens, layers.constant(no_mask.reshape(-1)))
    _replace(graph, _COPIED_POSITIONS, _OWN_POSITIONS)
    positions = layers.add("Gather", _POSITIONS, PLACES_INPUT, axis=1)
    _replace(graph, _TOKENS, tokens)
    _replace(graph, _POSITIONS, positions)


def _end_with_answers(graph: Any, layers: Layers) -> None:
    """Let the last attention work for the tokens that give answers, and not for the prompt's."""
    for node in graph.node:
        if node.name in _LAST_OF_PROMPT:
            ends = layers.shape(0), layers.shape(_ANSWERS), layers.shape(1)
            node.input[0] = layers.add("Slice", node.input[0], *ends)


def _set_inputs_and_outputs(graph: Any) -> None:
    import onnx

    info, types = onnx.helper.make_tensor_value_info, onnx.TensorProto
    kept = [value for value in graph.input if value.name in ("point_coords", "point_labels")]
    for value in kept:
        value.type.tensor_type.shape.dim[0].dim_param = "prompts"
    del graph.input[:], graph.output[:]
    graph.input.extend(kept)
    graph.input.append(info(TOKENS_INPUT, types.FLOAT, ["tokens", 256]))
    graph.input.append(info(PLACES_INPUT, types.INT64, ["tokens"]))
    graph.input.append(info(SHARES_INPUT, types.FLOAT, ["tokens"]))
    for name in (ROWS_INPUT, COLUMNS_INPUT):
        graph.input.append(info(name, types.INT64, [1]))
    sides = ("cell_rows", "cell_columns")
    graph.output.append(info(MASKS_OUTPUT, types.FLOAT, ["prompts", 4, *sides]))
    graph.output.append(info(SCORES_OUTPUT, types.FLOAT, ["prompts", 4]))


def _replace(graph: Any, old: str, new: str) -> None:
    """Let every node that takes a tensor take another one."""
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name == old:
                node.input[place] = new


def _needed_in_order(graph: Any, added: list[Any], wanted: tuple[str, ...]) -> list[Any]:
    """Return the nodes that the wanted tensors are computed from, each after what it takes.

    Args:
        graph: with the nodes as they were.
        added: new ones; what they give takes the place of what an old one gives.
        wanted: names of tensors.
    """
    giver = {name: node for node in (*graph.node, *added) for name in node.output}
    ordered: list[Any] = []
    placed: set[str] = set()
    waiting = [giver[name] for name in reversed(wanted)]
    while waiting:
        node = waiting[-1]
        missing = [giver[name] for name in node.input if name in giver and name not in placed]
        if missing:
            waiting.extend(missing)
            continue
        waiting.pop()
        if node.output[0] not in placed:
            ordered.append(node)
            placed.update(node.output)
    return ordered
