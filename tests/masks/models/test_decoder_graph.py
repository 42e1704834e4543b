# SPDX-License-Identifier: GPL-3.0-or-later
"""MobileSAM's decoder as it is run here answers as the exported one does inside, with less work."""

import numpy as np
import pytest

from cgc_addon.errors import CgcError
from cgc_addon.masks.models.interface import Prompt
from cgc_addon.masks.models.mobilesam import INPUT_SIDE, MobileSam

EXPORTED_LOGITS = "/Reshape_9_output_0"
EXPORTED_SCORES = "/iou_prediction_head/layers.2/Gemm_output_0"


@pytest.fixture(scope="module")
def exported(mobilesam_files):
    """Return the exported graph, untouched but for two tensors that it gives besides its own."""
    onnx = pytest.importorskip("onnx")
    import onnxruntime

    model = onnx.load(str(mobilesam_files[1]))
    number = onnx.TensorProto.FLOAT
    for name in (EXPORTED_LOGITS, EXPORTED_SCORES):
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, number, None))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def _answers(exported, embedding, places, labels):
    scale = INPUT_SIDE / max(embedding.width, embedding.height)
    coordinates = np.float32(places)[None] * np.float32(scale) - 0.5
    return exported.run(
        [EXPORTED_LOGITS, EXPORTED_SCORES],
        {
            "image_embeddings": embedding.features,
            "point_coords": coordinates.astype(np.float32),
            "point_labels": np.float32(labels)[None],
            "mask_input": np.zeros((1, 1, 256, 256), np.float32),
            "has_mask_input": np.zeros(1, np.float32),
            "orig_im_size": np.float32([embedding.height, embedding.width]),
        },
    )


@pytest.mark.parametrize("size", [(90, 60), (60, 90), (64, 64), (101, 7)])
def test_every_mask_of_a_point_is_that_of_the_exported_decoder(
    exported, mobilesam_files, make_photo, size
):
    model = MobileSam(*mobilesam_files)
    embedding = model.embed(make_photo(*size))
    points = np.array([[0.6, 0.4], [0.1, 0.9]]) * size
    found = model.decode(embedding, points)
    columns, rows = embedding.logit_size
    for index, point in enumerate(points):
        # Without a box the exported prompt ends with a padding point, which says so.
        shifted = 0.5 * max(size) / INPUT_SIDE
        places = [point, (shifted, shifted)]
        logits, scores = _answers(exported, embedding, places, [1, -1])
        expected = logits[0, 1:4, :rows, :columns]
        assert found.logits[index].shape == expected.shape
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found.logits[index], expected, atol=1e-4 * scale)
        np.testing.assert_allclose(found.scores[index], scores[0, 1:4], atol=1e-4)


def test_a_box_with_points_is_answered_as_by_the_exported_decoder(
    exported, mobilesam_files, make_photo
):
    model = MobileSam(*mobilesam_files)
    embedding = model.embed(make_photo(90, 60))
    points = np.float32([[54, 24], [50, 20], [5, 50]])
    prompt = Prompt(points, np.array([True, True, False]), np.float32([40, 12, 68, 40]))
    found = model.decode_prompt(embedding, prompt)
    places = np.concatenate([points, [[40, 12], [68, 40]]])
    logits, scores = _answers(exported, embedding, places, [1, 1, 0, 2, 3])
    columns, rows = embedding.logit_size
    expected = logits[:, :4, :rows, :columns]
    np.testing.assert_allclose(found.logits, expected, atol=1e-4 * np.abs(expected).max())
    np.testing.assert_allclose(found.scores, scores[:, :4], atol=1e-4)


def test_another_onnx_model_is_refused_in_a_sentence(mobilesam_files, tmp_path):
    (tmp_path / "sam.onnx").write_bytes(mobilesam_files[0].read_bytes())
    with pytest.raises(CgcError, match="not MobileSAM's decoder"):
        MobileSam(mobilesam_files[0], tmp_path / "sam.onnx")
