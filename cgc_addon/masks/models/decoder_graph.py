# SPDX-License-Identifier: GPL-3.0-or-later
"""MobileSAM's exported decoder, changed into one that answers many points with all their masks.

Changes to the graph, none to what a point is answered but rounding:
- Outputs are the small logits and scores of all masks, not the best mask at the photo's size.
- It takes B points at once. The exported graph copies the photo's embedding for each of them before
  the first layer, which then works on B equal copies; without the copies, that layer's share of the
  work is done once, and the rest broadcasts. That saves a quarter of the time.
- Attention between prompt and photo, and the enlarging of masks, are written anew with half the
  work, see `decoder_layers`; what only pads the photo gets no masks.
- Prompting with a mask is left out: what an absent mask stands for is a constant.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import CgcError
from .decoder_layers import Layers, attend_to_photo, attend_to_prompt, enlarge

MASKS_OUTPUT = "masks"
ROWS_INPUT, COLUMNS_INPUT = "rows", "columns"
"""(1,) tokens of the padded photo that hold the photo, which have masks."""
SCORES_OUTPUT = "/iou_prediction_head/layers.2/Gemm_output_0"
"""(B, 4, 4 · rows, 4 · columns) logits and (B, 4) IoU; the first of the four is for several
clicks on one object, the other three are sub-part, part and whole."""
_COPIED_EMBEDDING = "/Reshape_3_output_0"
_COPIED_POSITIONS, _POSITIONS = "/Reshape_6_output_0", "/Unsqueeze_1_output_0"
_MASK_PROMPT, _NO_MASK = "/Add_6_output_0", "onnx::Mul_1919"
_PHOTO_TOKENS = "/transformer/layers.1/norm4/LayerNormalization_output_0"
_MASK_WEIGHTS = "/Concat_10_output_0"
"""Names in the exported graph: what is copied and from what; the embedding of a mask prompt and of
its absence; the photo's tokens (B, 4096, 256) at the end, and the masks' weights (B, 4, 32)."""
_TO_PHOTO = (
    "/transformer/layers.0/cross_attn_token_to_image",
    "/transformer/layers.1/cross_attn_token_to_image",
    "/transformer/final_attn_token_to_image",
)
_TO_PROMPT = (
    "/transformer/layers.0/cross_attn_image_to_token",
    "/transformer/layers.1/cross_attn_image_to_token",
)
_NAMES = (_PHOTO_TOKENS, _MASK_WEIGHTS, SCORES_OUTPUT)
_NAMES += (_COPIED_EMBEDDING, _COPIED_POSITIONS, _POSITIONS)


def many_points_decoder(path: Path) -> bytes:
    """Return the changed graph: image_embeddings, point_coords, point_labels → logits, scores.

    Args:
        path: of the exported decoder.

    Raises:
        CgcError: it is missing, damaged, or another model.
    """
    import onnx

    if not path.is_file():
        raise CgcError(f"{path} is missing; download the mask model again.")
    try:
        model = onnx.load(str(path))
    except Exception as error:  # protobuf's and onnx's own classes
        raise CgcError(
            f"{path} could not be read as an ONNX model: {first_line(error)}; "
            "the file is damaged or another one, download the mask model again."
        ) from error
    graph = model.graph
    names = {name for node in graph.node for name in node.output}
    constants = {constant.name for constant in graph.initializer}
    if not set(_NAMES) <= names or _NO_MASK not in constants:
        raise _another_model(path)
    _replace(graph, _COPIED_EMBEDDING, "image_embeddings")
    _replace(graph, _COPIED_POSITIONS, _POSITIONS)
    _replace(graph, _MASK_PROMPT, _NO_MASK)
    layers = Layers(graph)
    try:
        for name in _TO_PHOTO:
            attend_to_photo(layers, name)
        for name in _TO_PROMPT:
            attend_to_prompt(layers, name)
        enlarge(layers, _PHOTO_TOKENS, _MASK_WEIGHTS, ROWS_INPUT, COLUMNS_INPUT, MASKS_OUTPUT)
    except (KeyError, ValueError, IndexError) as error:
        raise _another_model(path) from error

    kept = [value for value in graph.input if value.name in ("image_embeddings", "point_coords")]
    kept += [value for value in graph.input if value.name == "point_labels"]
    for value in kept[1:]:
        value.type.tensor_type.shape.dim[0].dim_param = "prompts"
    del graph.input[:], graph.output[:]
    graph.input.extend(kept)
    value_info, types = onnx.helper.make_tensor_value_info, onnx.TensorProto
    for name in (ROWS_INPUT, COLUMNS_INPUT):
        graph.input.append(value_info(name, types.INT64, [1]))
    sides = ("cell_rows", "cell_columns")
    graph.output.append(value_info(MASKS_OUTPUT, types.FLOAT, ["prompts", 4, *sides]))
    graph.output.append(value_info(SCORES_OUTPUT, types.FLOAT, ["prompts", 4]))
    nodes = _needed_in_order(graph, layers.added, (MASKS_OUTPUT, SCORES_OUTPUT))
    del graph.node[:]
    graph.node.extend(nodes)
    return model.SerializeToString()


def first_line(error: BaseException) -> str:
    """Return the first line of what a library says, no longer than a sentence."""
    lines = str(error).strip().splitlines()
    return lines[0][:200].rstrip(".") if lines else type(error).__name__


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


def _another_model(path: Path) -> CgcError:
    return CgcError(
        f"{path} is an ONNX model, but not MobileSAM's decoder; name the folder that holds "
        "its encoder.onnx and sam.onnx."
    )
