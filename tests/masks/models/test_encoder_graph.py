# SPDX-License-Identifier: GPL-3.0-or-later
"""MobileSAM's encoder as it is run here sees in the whole square what the exported one sees."""

import numpy as np
import pytest

from cgc_addon.errors import CgcError
from cgc_addon.masks.models.encoder_graph import PICTURE_INPUT, any_shape_encoder
from cgc_addon.masks.models.mobilesam import DEVIATION, INPUT_SIDE, MEAN, TOKEN_SIDE, MobileSam
from cgc_addon.masks.models.windows import window_places


def _run(model, inputs):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options).run(None, inputs)[0]


def _picture(photo: np.ndarray) -> np.ndarray:
    normal = (photo.astype(np.float32) - MEAN) / DEVIATION
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[None])


def test_the_whole_square_is_seen_as_by_the_exported_encoder(mobilesam_files, make_photo):
    picture = _picture(make_photo(INPUT_SIDE, INPUT_SIDE))
    exported = _run(str(mobilesam_files[0]), {"input": picture})[0]
    side = INPUT_SIDE // TOKEN_SIDE
    inputs = {PICTURE_INPUT: picture, **window_places(side, side)}
    tokens = _run(any_shape_encoder(mobilesam_files[0]), inputs)
    scale = np.abs(exported).max()
    np.testing.assert_allclose(tokens, exported.reshape(256, -1).T, atol=1e-5 * scale)


@pytest.mark.parametrize("size", [(1, 5), (20, 3), (14, 14)])
def test_a_picture_of_any_shape_is_seen(mobilesam_files, make_photo, size):
    rows, columns = size
    picture = _picture(make_photo(columns * TOKEN_SIDE, rows * TOKEN_SIDE))
    inputs = {PICTURE_INPUT: picture, **window_places(rows, columns)}
    tokens = _run(any_shape_encoder(mobilesam_files[0]), inputs)
    assert tokens.shape == (rows * columns, 256)
    assert np.isfinite(tokens).all()


def test_another_onnx_model_is_refused_in_a_sentence(mobilesam_files, tmp_path):
    (tmp_path / "encoder.onnx").write_bytes(mobilesam_files[1].read_bytes())
    with pytest.raises(CgcError, match="not MobileSAM's encoder"):
        MobileSam(tmp_path / "encoder.onnx", mobilesam_files[1])
