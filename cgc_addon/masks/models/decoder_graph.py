# SPDX-License-Identifier: GPL-3.0-or-later
"""MobileSAM's exported decoder, changed into one that answers many points with all their masks.

Three changes to the graph, none to what a point is answered:
- Outputs are the small logits and scores of all masks, not the best mask at the photo's size.
- It takes B points at once. The exported graph copies the photo's embedding for each of them before
  the first layer, which then works on B equal copies; without the copies, that layer's share of the
  work is done once, and the rest broadcasts. That saves a quarter of the time.
- Prompting with a mask is left out: what an absent mask stands for is a constant.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import CgcError
from .interface import LOGIT_SIDE

MASKS_OUTPUT = "/Reshape_9_output_0"
SCORES_OUTPUT = "/iou_prediction_head/layers.2/Gemm_output_0"
"""(B, 4, 256, 256) logits and (B, 4) IoU; the first of the four is for several clicks on one
object, the other three are sub-part, part and whole."""
_COPIED_EMBEDDING = "/Reshape_3_output_0"
_COPIED_POSITIONS, _POSITIONS = "/Reshape_6_output_0", "/Unsqueeze_1_output_0"
_MASK_PROMPT, _NO_MASK = "/Add_6_output_0", "onnx::Mul_1919"
_UNFLATTEN = "/Reshape_7"
"""Names in the exported graph: what is copied and from what; the embedding of a mask prompt and of
its absence; where the image tokens (B, 4096, 256) become a picture (B, 256, 64, 64) again."""
_NAMES = (MASKS_OUTPUT, SCORES_OUTPUT, _COPIED_EMBEDDING, _COPIED_POSITIONS, _POSITIONS)


def many_points_decoder(path: Path) -> bytes:
    """Return the changed graph: image_embeddings, point_coords, point_labels → logits, scores.

    Args:
        path: of the exported decoder.

    Raises:
        CgcError: it is missing, damaged, or another model.
    """
    import numpy as np
    import onnx
    from onnx import numpy_helper

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
    unflatten = next((node for node in graph.node if node.name == _UNFLATTEN), None)
    constants = {constant.name for constant in graph.initializer}
    if not set(_NAMES) <= names or unflatten is None or _NO_MASK not in constants:
        raise CgcError(
            f"{path} is an ONNX model, but not MobileSAM's decoder; name the folder that holds "
            "its encoder.onnx and sam.onnx."
        )
    _replace(graph, _COPIED_EMBEDDING, "image_embeddings")
    _replace(graph, _COPIED_POSITIONS, _POSITIONS)
    _replace(graph, _MASK_PROMPT, _NO_MASK)
    # The number of prompts cannot be read off the embedding any more.
    shape = np.array([-1, 256, 64, 64], np.int64)
    graph.initializer.append(numpy_helper.from_array(shape, "picture_shape"))
    unflatten.input[1] = "picture_shape"

    kept = [value for value in graph.input if value.name in ("image_embeddings", "point_coords")]
    kept += [value for value in graph.input if value.name == "point_labels"]
    for value in kept[1:]:
        value.type.tensor_type.shape.dim[0].dim_param = "prompts"
    del graph.input[:], graph.output[:]
    graph.input.extend(kept)
    value_info, number = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    sides = (LOGIT_SIDE, LOGIT_SIDE)
    graph.output.append(value_info(MASKS_OUTPUT, number, ["prompts", 4, *sides]))
    graph.output.append(value_info(SCORES_OUTPUT, number, ["prompts", 4]))
    needed = _needed(graph, {MASKS_OUTPUT, SCORES_OUTPUT})
    nodes = [node for node in graph.node if needed & set(node.output)]
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


def _needed(graph: Any, wanted: set[str]) -> set[str]:
    """Return the names of all tensors that the wanted ones are computed from; nodes are ordered."""
    names = set(wanted)
    for node in reversed(graph.node):
        if names & set(node.output):
            names |= set(node.input)
    return names
