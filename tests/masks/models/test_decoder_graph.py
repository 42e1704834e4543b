# SPDX-License-Identifier: GPL-3.0-or-later
"""MobileSAM's decoder as it is run here answers as the exported one does inside, with less work."""

import numpy as np
import pytest
from PIL import Image

from cgc_addon.errors import CgcError
from cgc_addon.masks.models.interface import Embedding, Prompt
from cgc_addon.masks.models.mobilesam import DEVIATION, INPUT_SIDE, MEAN, MobileSam, PhotoTokens
from cgc_addon.masks.models.padding import SQUARE, ShownTokens, shown_tokens

EXPORTED_LOGITS = "/Reshape_9_output_0"
EXPORTED_SCORES = "/iou_prediction_head/layers.2/Gemm_output_0"


class Exported:
    """The pair of files, untouched but for two tensors that the decoder gives besides its own."""

    def __init__(self, encoder, decoder) -> None:
        onnx = pytest.importorskip("onnx")
        import onnxruntime

        model = onnx.load(str(decoder))
        number = onnx.TensorProto.FLOAT
        for name in (EXPORTED_LOGITS, EXPORTED_SCORES):
            model.graph.output.append(onnx.helper.make_tensor_value_info(name, number, None))
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self._encoder = onnxruntime.InferenceSession(str(encoder), options)
        self._decoder = onnxruntime.InferenceSession(model.SerializeToString(), options)

    def embed(self, photo):
        """Return what the encoder says of the whole padded square (1, 256, 64, 64)."""
        scale = INPUT_SIDE / max(photo.shape[:2])
        size = [max(1, round(side * scale)) for side in photo.shape[1::-1]]
        resized = np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BILINEAR))
        padded = np.zeros((1, 3, INPUT_SIDE, INPUT_SIDE), np.float32)
        normal = (resized.astype(np.float32) - MEAN) / DEVIATION
        padded[0, :, : size[1], : size[0]] = normal.transpose(2, 0, 1)
        return self._encoder.run(None, {"input": padded})[0]

    def answers(self, features, size, places, labels):
        """Return logits (1, 5, 256, 256) and scores (1, 4) for one prompt."""
        coordinates = np.float32(places)[None] * np.float32(INPUT_SIDE / max(size)) - 0.5
        return self._decoder.run(
            [EXPORTED_LOGITS, EXPORTED_SCORES],
            {
                "image_embeddings": features,
                "point_coords": coordinates.astype(np.float32),
                "point_labels": np.float32(labels)[None],
                "mask_input": np.zeros((1, 1, 256, 256), np.float32),
                "has_mask_input": np.zeros(1, np.float32),
                "orig_im_size": np.float32(size[::-1]),
            },
        )


@pytest.fixture(scope="module")
def exported(mobilesam_files):
    return Exported(*mobilesam_files)


@pytest.fixture(scope="module")
def model(mobilesam_files) -> MobileSam:
    return MobileSam(*mobilesam_files)


def whole_square(features, size) -> Embedding:
    """Return what our decoder takes, with each token of the padded square."""
    chosen = shown_tokens(*token_rows_and_columns(size))
    count = chosen.rows * chosen.columns
    rest = np.setdiff1d(np.arange(SQUARE**2), chosen.places[:count])
    places = np.concatenate([chosen.places[:count], rest])
    shown = ShownTokens(
        *(chosen.rows, chosen.columns, SQUARE, SQUARE),
        *(places, places, np.zeros(SQUARE**2, np.float32)),
    )
    tokens = np.ascontiguousarray(features.reshape(256, -1).T[places])
    return Embedding(*size, PhotoTokens(tokens, shown))


def token_rows_and_columns(size) -> tuple[int, int]:
    scale = INPUT_SIDE / max(size)
    columns, rows = (-(-max(1, round(side * scale)) // 16) for side in size)
    return rows, columns


@pytest.mark.parametrize("size", [(90, 60), (60, 90), (64, 64), (101, 7)])
def test_every_mask_of_a_point_is_that_of_the_exported_decoder(exported, model, make_photo, size):
    features = exported.embed(make_photo(*size))
    embedding = whole_square(features, size)
    points = np.array([[0.6, 0.4], [0.1, 0.9]]) * size
    found = model.decode(embedding, points)
    columns, rows = embedding.logit_size
    for index, point in enumerate(points):
        # Without a box the exported prompt ends with a padding point, which says so.
        shifted = 0.5 * max(size) / INPUT_SIDE
        places = [point, (shifted, shifted)]
        logits, scores = exported.answers(features, size, places, [1, -1])
        expected = logits[0, 1:4, :rows, :columns]
        assert found.logits[index].shape == expected.shape
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found.logits[index], expected, atol=1e-4 * scale)
        np.testing.assert_allclose(found.scores[index], scores[0, 1:4], atol=1e-4)


def test_a_box_with_points_is_answered_as_by_the_exported_decoder(exported, model, make_photo):
    size = (90, 60)
    features = exported.embed(make_photo(*size))
    embedding = whole_square(features, size)
    points = np.float32([[54, 24], [50, 20], [5, 50]])
    prompt = Prompt(points, np.array([True, True, False]), np.float32([40, 12, 68, 40]))
    found = model.decode_prompt(embedding, prompt)
    places = np.concatenate([points, [[40, 12], [68, 40]]])
    logits, scores = exported.answers(features, size, places, [1, 1, 0, 2, 3])
    columns, rows = embedding.logit_size
    expected = logits[:, :4, :rows, :columns]
    np.testing.assert_allclose(found.logits, expected, atol=1e-4 * np.abs(expected).max())
    np.testing.assert_allclose(found.scores, scores[:, :4], atol=1e-4)


@pytest.mark.parametrize("size", [(96, 64), (64, 96), (96, 30)])
def test_less_of_what_pads_the_photo_changes_little(exported, model, make_photo, size):
    """Both what the encoder leaves out and what the decoder does, in photos of usual shapes."""
    photo = make_photo(*size)
    points = np.array([[0.6, 0.4], [0.58, 0.45]]) * size
    whole = model.decode(whole_square(exported.embed(photo), size), points)
    ours = model.decode(model.embed(photo), points)
    best = np.arange(len(points)), whole.scores.argmax(axis=1)
    np.testing.assert_allclose(ours.scores[best], whole.scores[best], atol=0.05)
    masks, others = ours.logits[best] > 0, whole.logits[best] > 0
    overlaps = (masks & others).sum((1, 2)) / (masks | others).sum((1, 2))
    assert overlaps.min() > 0.9


def test_another_onnx_model_is_refused_in_a_sentence(mobilesam_files, tmp_path):
    (tmp_path / "sam.onnx").write_bytes(mobilesam_files[0].read_bytes())
    with pytest.raises(CgcError, match="not MobileSAM's decoder"):
        MobileSam(mobilesam_files[0], tmp_path / "sam.onnx")
