# SPDX-License-Identifier: GPL-3.0-or-later
import shutil

import numpy as np
import pytest
import torch

from cgc_addon.errors import CgcError
from cgc_addon.masks.models import segment_anything_model
from cgc_addon.masks.models.interface import Prompt
from cgc_addon.masks.models.segment_anything_checkpoint import (
    Architecture,
    read_checkpoint,
    recognise,
)
from cgc_addon.masks.models.segment_anything_model import SegmentAnything
from cgc_addon.masks.models.torchvision_operators import segment_anything_modeling

from ..conftest import build_tiny_sam


@pytest.mark.parametrize("size", [(256, 170), (120, 200), (77, 31)])
def test_it_answers_like_the_package_s_own_predictor(tiny_sam, tiny_checkpoint, make_photo, size):
    from segment_anything import SamPredictor

    photo = make_photo(*size)
    points = np.array([[0.5, 0.5], [0.3 * size[0], 0.8 * size[1]], [size[0] - 0.5, 1.5]])
    predictor = SamPredictor(tiny_sam)
    predictor.set_image(photo)
    # Its points count from the centre of the first pixel of the resized photo.
    places = predictor.transform.apply_coords(points, photo.shape[:2]) - 0.5
    places = torch.as_tensor(places, dtype=torch.float32)[:, None]
    _, scores, logits = predictor.predict_torch(
        places, torch.ones(len(points), 1), multimask_output=True, return_logits=True
    )
    model = SegmentAnything(tiny_checkpoint)
    embedding = model.embed(photo)
    answer = model.decode(embedding, points)
    width, height = embedding.logit_size
    np.testing.assert_allclose(answer.logits, logits.numpy()[..., :height, :width], atol=2e-4)
    np.testing.assert_allclose(answer.scores, scores.numpy(), atol=1e-4)


def test_it_answers_prompts_like_the_package_s_own_predictor(tiny_sam, tiny_checkpoint, make_photo):
    from segment_anything import SamPredictor

    photo = make_photo(90, 60)
    points, sides = np.float32([[50.5, 20.5], [10, 50]]), np.array([True, False])
    box = np.float32([40, 12, 68, 40])
    predictor = SamPredictor(tiny_sam)
    predictor.set_image(photo)
    # It takes places of pixels, whose first one is 0, where ours has its centre at 0.5.
    scale = np.array(predictor.transform.apply_coords(np.ones((1, 2)), photo.shape[:2]))
    places, corners = points * scale - 0.5, box.reshape(2, 2) * scale - 0.5
    answers = [
        predictor.predict_torch(
            point_coords=torch.from_numpy(places.astype(np.float32))[None],
            point_labels=torch.from_numpy(sides.astype(np.int64))[None],
            boxes=torch.from_numpy(corners.astype(np.float32).reshape(1, 4)),
            multimask_output=several,
        )
        for several in (False, True)
    ]
    model = SegmentAnything(tiny_checkpoint)
    answer = model.decode_prompt(model.embed(photo), Prompt(points, sides, box))
    height, width = answer.logits.shape[2:]
    logits = torch.cat([one[2] for one in answers], dim=1)[..., :height, :width].numpy()
    scores = torch.cat([one[1] for one in answers], dim=1).numpy()
    np.testing.assert_allclose(answer.logits, logits, atol=1e-4 * np.abs(logits).max())
    np.testing.assert_allclose(answer.scores, scores, atol=1e-4)


def test_the_type_is_told_by_the_tensors_not_by_the_name(tiny_checkpoint, tmp_path):
    path = tmp_path / "sam_vit_h_4b8939.pth"
    shutil.copyfile(tiny_checkpoint, path)
    assert SegmentAnything(path).name == "SAM with 2 blocks of width 16"
    assert recognise(path, read_checkpoint(path)) == Architecture(
        width=16, depth=2, heads=2, patch=4, tokens=64, window=14, global_blocks=(1,), mlp_ratio=2,
        embedding=32, mask_channels=8, decoder_depth=2, decoder_mlp=48, masks=3, score_depth=3,
        score_width=24,
    )  # fmt: skip


@pytest.mark.parametrize("release", ["vit_b", "vit_l", "vit_h"])
def test_the_official_releases_are_recognised(release, tmp_path, monkeypatch):
    segment_anything_modeling()
    from segment_anything import sam_model_registry

    with torch.device("meta"):  # shapes without the gigabytes
        sam = sam_model_registry[release]()
    sizes = recognise(tmp_path, sam.state_dict())
    blocks = sam.image_encoder.blocks
    assert sizes.name == f"SAM ViT-{release[-1].upper()}"
    assert (sizes.side, sizes.patch, sizes.depth) == (1024, 16, len(blocks))
    assert sizes.heads == blocks[0].attn.num_heads
    assert sizes.window == 14
    assert sizes.global_blocks == tuple(
        index for index, block in enumerate(blocks) if block.window_size == 0
    )
    assert (sizes.decoder_mlp, sizes.score_width, sizes.mlp_ratio) == (2048, 256, 4)


def test_half_precision_is_taken(tiny_sam, tiny_checkpoint, make_photo, tmp_path):
    path = tmp_path / "half.pth"
    torch.save({name: value.half() for name, value in tiny_sam.state_dict().items()}, path)
    photo, point = make_photo(64, 64), np.array([[30.0, 20.0]])
    answers = []
    for file in (path, tiny_checkpoint):
        model = SegmentAnything(file)
        answers.append(model.decode(model.embed(photo), point).logits)
    np.testing.assert_allclose(*answers, atol=0.05)


def fails(path, *words):
    with pytest.raises(CgcError) as caught:
        SegmentAnything(path)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert str(path) in sentence
    for word in words:
        assert word in sentence


def test_a_missing_file_is_one_sentence(tmp_path):
    fails(tmp_path / "none.pth", "is missing")


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\x80\x02}q\x00.", b"PK\3\4"])
def test_other_files_are_one_sentence(tmp_path, content):
    path = tmp_path / "sam.pth"
    path.write_bytes(content)
    fails(path, "sam.pth")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_truncated_checkpoint_is_one_sentence(tiny_checkpoint, tmp_path, kept):
    path = tmp_path / "sam.pth"
    content = tiny_checkpoint.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    fails(path, "could not be read as a PyTorch checkpoint", "download it again")


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (exec, (f"open({str(tmp_path / 'ran')!r}, 'w')",))

    path = tmp_path / "sam.pth"
    torch.save({"a": Evil()}, path)
    fails(path, "could not be read as a PyTorch checkpoint")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ([1, 2], "holds no weights but a list"),
        ({"weight": torch.zeros(2)}, "no weights of Segment Anything"),
        ({"model": {}, "epoch": 3}, "further inside"),
        ({"mask_decoder.hf_token.weight": torch.zeros(1)}, "SAM-HQ"),
    ],
)
def test_other_checkpoints_are_told_apart(tmp_path, state, words):
    path = tmp_path / "sam.pth"
    torch.save(state, path)
    fails(path, words, "sam_vit_b_01ec64.pth")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda state: state.pop("mask_decoder.iou_token.weight"), "does not hold all weights"),
        (lambda state: state.pop("image_encoder.pos_embed"), "no weights of Segment Anything"),
        (
            lambda state: state.update({"image_encoder.neck.0.weight": torch.zeros(40, 16, 1, 1)}),
            "does not hold all weights",
        ),
    ],
)
def test_missing_and_misshapen_tensors_are_one_sentence(tiny_sam, tmp_path, change, words):
    path = tmp_path / "sam.pth"
    state = dict(tiny_sam.state_dict())
    change(state)
    torch.save(state, path)
    fails(path, words)


@pytest.mark.parametrize("sizes", [{"tokens": 32}, {"masks": 4}])
def test_networks_with_other_masks_are_refused(tmp_path, sizes):
    path = tmp_path / "sam.pth"
    torch.save(build_tiny_sam(**sizes).state_dict(), path)
    fails(path, "3 of 256 px are needed")


def test_more_points_than_are_answered_at_once_stay_in_order(
    tiny_checkpoint, make_photo, monkeypatch
):
    monkeypatch.setattr(segment_anything_model, "POINTS_AT_ONCE", 3)
    model = SegmentAnything(tiny_checkpoint)
    embedding = model.embed(make_photo(90, 60))
    points = np.random.default_rng(0).uniform((0, 0), (90, 60), (7, 2))
    together = model.decode(embedding, points)
    for index in range(7):
        alone = model.decode(embedding, points[index : index + 1])
        np.testing.assert_allclose(together.logits[index], alone.logits[0], atol=1e-4)
        np.testing.assert_allclose(together.scores[index], alone.scores[0], atol=1e-4)


@pytest.mark.gpu
def test_a_cuda_card_answers_like_the_cpu(tiny_checkpoint, make_photo):
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA card")
    photo, points = make_photo(90, 60), np.array([[54.0, 24.0], [5.0, 50.0]])
    answers = []
    for device in ("cpu", "cuda"):
        model = SegmentAnything(tiny_checkpoint, device=device)
        answers.append(model.decode(model.embed(photo), points))
    np.testing.assert_allclose(answers[0].logits, answers[1].logits, atol=1e-2)
    np.testing.assert_allclose(answers[0].scores, answers[1].scores, atol=1e-2)
