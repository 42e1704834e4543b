# SPDX-License-Identifier: GPL-3.0-or-later
"""Checkpoints of Segment Anything: what their tensors' shapes tell, and the modules they fill.

A checkpoint is a dictionary of tensors, the state of `segment_anything.modeling.Sam`. Every size of
the network can be read from it but for the decoder's number of heads, which all releases share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import CgcError
from .interface import LOGIT_SIDE, MASKS_PER_POINT
from .torchvision_operators import segment_anything_modeling

DECODER_HEADS = 8
_RELEASES = {(768, 12): "SAM ViT-B", (1024, 24): "SAM ViT-L", (1280, 32): "SAM ViT-H"}
"""Names by width and depth of the image encoder."""
_UPSCALING = 4
"""The decoder's masks have this many pixels for one of the image encoder's, along a side."""
_OTHERS = {
    "image_encoder.layers.0.blocks.0.conv1.c.weight": "that of the mask model MobileSAM",
    "mask_decoder.hf_token.weight": "of SAM-HQ, which has other parts",
    "sam_mask_decoder.iou_token.weight": "of SAM 2, which has other parts",
    "model": "of SAM 2 or a training, with the weights further inside",
}
"""Keys that tell related models apart, and what to say of each."""


@dataclass(frozen=True)
class Architecture:
    """The sizes of a Segment Anything network."""

    width: int
    """Of the image encoder's tokens."""
    depth: int
    heads: int
    patch: int
    """Side of the square that becomes one token, px."""
    tokens: int
    """Tokens along a side of the image."""
    window: int
    global_blocks: tuple[int, ...]
    """Blocks of the image encoder in which every token sees all others."""
    mlp_ratio: float
    embedding: int
    """Channels of the image's embedding."""
    mask_channels: int
    decoder_depth: int
    decoder_mlp: int
    masks: int
    """Answers to a point where it may mean several things."""
    score_depth: int
    score_width: int

    @property
    def side(self) -> int:
        """Longest side of the image that the encoder looks at, px."""
        return self.tokens * self.patch

    @property
    def name(self) -> str:
        """What a person calls it."""
        unknown = f"SAM with {self.depth} blocks of width {self.width}"
        return _RELEASES.get((self.width, self.depth), unknown)


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint; nothing in the file is executed.

    Raises:
        CgcError: the file is missing, damaged, or holds something else than tensors.
    """
    if not path.is_file():
        raise CgcError(f"{path} is missing; name a checkpoint of Segment Anything.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    # torch raises nearly anything on damaged files: UnpicklingError, RuntimeError, EOFError, …
    except Exception as error:
        reason = str(error).strip().partition("\n")[0][:150] or type(error).__name__
        raise CgcError(
            f"{path} could not be read as a PyTorch checkpoint: {reason}; the file is damaged or "
            "something else, download it again."
        ) from error
    if not isinstance(state, Mapping):
        raise CgcError(f"{path} holds no weights but a {type(state).__name__}; {_WANTED}")
    if said := next((text for key, text in _OTHERS.items() if key in state), None):
        raise CgcError(f"{path} is a checkpoint {said}; {_WANTED}")
    return {str(k): v.float() for k, v in state.items() if isinstance(v, Tensor)}


_WANTED = "name an official checkpoint of Segment Anything, such as sam_vit_b_01ec64.pth."


def recognise(path: Path, state: Mapping[str, Tensor]) -> Architecture:
    """Return the sizes of the network whose weights these are.

    Args:
        path: what the error names.
        state: tensors by name.

    Raises:
        CgcError: they are no weights of Segment Anything, or of one with other masks.
    """
    try:
        architecture = _measure(state)
    except (KeyError, ValueError, IndexError, ZeroDivisionError) as error:
        raise CgcError(
            f"{path} holds no weights of Segment Anything ({error} is missing or of another "
            f"shape); {_WANTED}"
        ) from error
    side = architecture.tokens * _UPSCALING
    if (side, architecture.masks) != (LOGIT_SIDE, MASKS_PER_POINT):
        raise CgcError(
            f"{path} gives {architecture.masks} masks of {side} px for a point, but "
            f"{MASKS_PER_POINT} of {LOGIT_SIDE} px are needed; {_WANTED}"
        )
    return architecture


def _measure(state: Mapping[str, Tensor]) -> Architecture:
    def shape(name: str, dimensions: int) -> tuple[int, ...]:
        found = tuple(state[name].shape)
        if len(found) != dimensions:
            raise ValueError(name)
        return found

    def count(prefix: str, ending: str) -> int:
        number = 0
        while f"{prefix}.{number}.{ending}" in state:
            number += 1
        return number

    encoder, decoder = "image_encoder", "mask_decoder"
    _, tokens, _, width = shape(f"{encoder}.pos_embed", 4)
    depth = count(f"{encoder}.blocks", "attn.qkv.weight")
    # Relative positions run from −(span − 1) to span − 1: a block's span is a window's or all.
    spans = [
        (shape(f"{encoder}.blocks.{block}.attn.rel_pos_h", 2)[0] + 1) // 2 for block in range(depth)
    ]
    score = f"{decoder}.iou_prediction_head.layers"
    transformer = f"{decoder}.transformer.layers"
    return Architecture(
        width=width,
        depth=depth,
        heads=width // shape(f"{encoder}.blocks.0.attn.rel_pos_h", 2)[1],
        patch=shape(f"{encoder}.patch_embed.proj.weight", 4)[2],
        tokens=tokens,
        window=min(spans),
        global_blocks=tuple(block for block, span in enumerate(spans) if span == tokens),
        mlp_ratio=shape(f"{encoder}.blocks.0.mlp.lin1.weight", 2)[0] / width,
        embedding=shape(f"{encoder}.neck.0.weight", 4)[0],
        mask_channels=shape("prompt_encoder.mask_downscaling.3.weight", 4)[0],
        decoder_depth=count(transformer, "mlp.lin1.weight"),
        decoder_mlp=shape(f"{transformer}.0.mlp.lin1.weight", 2)[0],
        masks=shape(f"{decoder}.mask_tokens.weight", 2)[0] - 1,
        score_depth=count(score, "weight"),
        score_width=shape(f"{score}.0.weight", 2)[0],
    )


def build(path: Path, state: Mapping[str, Tensor], sizes: Architecture) -> Any:
    """Return a module with the parts `image_encoder`, `prompt_encoder` and `mask_decoder`.

    Args:
        path: what the error names.
        state: tensors by name; the modules take them as they are, without copies.
        sizes: of the network.

    Raises:
        CgcError: some tensors are missing, or not of the shape that the others ask for.
    """
    try:
        network = _empty(sizes)
        network.load_state_dict(dict(state), assign=True)
    except (AssertionError, RuntimeError, ValueError, ZeroDivisionError) as error:
        reason = str(error).strip().rpartition("\n")[2].strip()[:150] or type(error).__name__
        raise CgcError(
            f"{path} does not hold all weights of {sizes.name}: {reason}; download it again."
        ) from error
    return network.eval().requires_grad_(requires_grad=False)


def _empty(sizes: Architecture) -> nn.ModuleDict:
    """Return the parts without weights."""
    parts = segment_anything_modeling()
    # Without memory of their own, which the weights bring along: ViT-H has 2.5 GB of them.
    with torch.device("meta"):
        return nn.ModuleDict(
            {
                "image_encoder": parts.ImageEncoderViT(
                    img_size=sizes.side,
                    patch_size=sizes.patch,
                    embed_dim=sizes.width,
                    depth=sizes.depth,
                    num_heads=sizes.heads,
                    mlp_ratio=sizes.mlp_ratio,
                    out_chans=sizes.embedding,
                    norm_layer=partial(nn.LayerNorm, eps=1e-6),
                    use_rel_pos=True,
                    window_size=sizes.window,
                    global_attn_indexes=sizes.global_blocks,
                ),
                "prompt_encoder": parts.PromptEncoder(
                    embed_dim=sizes.embedding,
                    image_embedding_size=(sizes.tokens, sizes.tokens),
                    input_image_size=(sizes.side, sizes.side),
                    mask_in_chans=sizes.mask_channels,
                ),
                "mask_decoder": parts.MaskDecoder(
                    transformer_dim=sizes.embedding,
                    transformer=parts.TwoWayTransformer(
                        depth=sizes.decoder_depth,
                        embedding_dim=sizes.embedding,
                        num_heads=DECODER_HEADS,
                        mlp_dim=sizes.decoder_mlp,
                    ),
                    num_multimask_outputs=sizes.masks,
                    iou_head_depth=sizes.score_depth,
                    iou_head_hidden_dim=sizes.score_width,
                ),
            }
        )
