# SPDX-License-Identifier: GPL-3.0-or-later
"""A Segment Anything network so small that it answers at once, and photos to show it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from cgc_addon.masks.models.torchvision_operators import segment_anything_modeling


def build_tiny_sam(*, width: int = 16, tokens: int = 64, masks: int = 3, seed: int = 0):
    """Return the package's own `Sam`, randomly initialised: two blocks, images of 256 px."""
    parts = segment_anything_modeling()
    torch.manual_seed(seed)
    sam = parts.Sam(
        image_encoder=parts.ImageEncoderViT(
            depth=2, embed_dim=width, img_size=4 * tokens, mlp_ratio=2, num_heads=2, patch_size=4,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6), qkv_bias=True, use_rel_pos=True,
            global_attn_indexes=[1], window_size=14, out_chans=32,
        ),
        prompt_encoder=parts.PromptEncoder(
            embed_dim=32, image_embedding_size=(tokens, tokens),
            input_image_size=(4 * tokens, 4 * tokens), mask_in_chans=8,
        ),
        mask_decoder=parts.MaskDecoder(
            num_multimask_outputs=masks, transformer_dim=32, iou_head_depth=3,
            iou_head_hidden_dim=24,
            transformer=parts.TwoWayTransformer(
                depth=2, embedding_dim=32, mlp_dim=48, num_heads=8
            ),
        ),
    )  # fmt: skip
    # What starts at zero would otherwise never be looked at.
    with torch.no_grad():
        for value in sam.parameters():
            if not value.any():
                value.normal_(std=0.02)
    return sam.eval()


@pytest.fixture(scope="session")
def tiny_sam():
    """Return the network that `tiny_checkpoint` holds."""
    return build_tiny_sam()


@pytest.fixture(scope="session")
def tiny_checkpoint(tiny_sam, tmp_path_factory) -> Path:
    """Return a checkpoint of the package's classes, saved as the official ones are."""
    path = tmp_path_factory.mktemp("checkpoint") / "tiny.pth"
    torch.save(tiny_sam.state_dict(), path)
    return path


@pytest.fixture(scope="session")
def make_photo() -> Callable[[int, int], np.ndarray]:
    """Return a function that paints (height, width, 3): a light disc on dark, patterned ground."""

    def make(width: int, height: int) -> np.ndarray:
        y, x = np.mgrid[:height, :width]
        ground = 40 + 20 * np.sin(x / 9)[..., None] * np.cos(y / 7)[..., None]
        photo = ground + np.array([0.0, 10.0, 20.0])
        inside = np.hypot(x + 0.5 - 0.6 * width, y + 0.5 - 0.4 * height) < 0.2 * min(width, height)
        photo[inside] = (230, 180, 60)
        return photo.astype(np.uint8)

    return make
