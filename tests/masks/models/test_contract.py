# SPDX-License-Identifier: GPL-3.0-or-later
"""What every mask model promises. A new model gets a line in `model` and passes them all."""

import numpy as np
import pytest

from cgc_addon.masks.models.interface import LOGIT_SIDE, MASKS_PER_POINT, Prompt
from cgc_addon.masks.models.registry import open_model

SIZES = [(64, 48), (48, 64), (101, 67), (1, 1), (1, 301)]


@pytest.fixture(scope="module", params=["segment-anything", "mobilesam"])
def model(request):
    if request.param == "segment-anything":
        return open_model(str(request.getfixturevalue("tiny_checkpoint")))
    return open_model(str(request.getfixturevalue("mobilesam_files")[0].parent))


@pytest.fixture(scope="module")
def landscape(model, make_photo):
    return model.embed(make_photo(90, 60))


POINTS = np.array([[54.0, 24.0], [5.5, 50.0], [90.0, 60.0]])


def test_it_has_a_name(model):
    assert model.name.strip()


@pytest.mark.parametrize("size", SIZES)
def test_masks_cover_just_the_photo_whatever_its_shape(model, make_photo, size):
    embedding = model.embed(make_photo(*size))
    assert (embedding.width, embedding.height) == size
    answer = model.decode(embedding, np.array([[size[0] / 2, size[1] / 2]]))
    width, height = embedding.logit_size
    assert max(width, height) == LOGIT_SIDE
    assert abs(width * size[1] - height * size[0]) <= max(size)  # the photo's shape, whole pixels
    assert answer.logits.shape == (1, MASKS_PER_POINT, height, width)
    assert answer.scores.shape == (1, MASKS_PER_POINT)
    assert answer.logits.dtype == answer.scores.dtype == np.float32
    assert np.isfinite(answer.logits).all()
    assert np.isfinite(answer.scores).all()


def test_many_points_are_answered_like_one_by_one(model, landscape):
    together = model.decode(landscape, POINTS)
    assert together.logits.shape[0] == together.scores.shape[0] == len(POINTS)
    scale = np.abs(together.logits).max()
    for index, point in enumerate(POINTS):
        alone = model.decode(landscape, point[None])
        np.testing.assert_allclose(alone.logits[0], together.logits[index], atol=2e-4 * scale)
        np.testing.assert_allclose(alone.scores[0], together.scores[index], atol=1e-3)


def test_no_points_get_no_masks(model, landscape):
    width, height = landscape.logit_size
    answer = model.decode(landscape, np.zeros((0, 2)))
    assert answer.logits.shape == (0, MASKS_PER_POINT, height, width)
    assert answer.scores.shape == (0, MASKS_PER_POINT)


def test_the_same_question_gets_the_same_answer_and_is_left_as_it_is(model, make_photo, landscape):
    photo, points = make_photo(90, 60), POINTS.copy()
    first = model.decode(landscape, POINTS)
    again = model.decode(model.embed(photo), points)
    np.testing.assert_array_equal(first.logits, again.logits)
    np.testing.assert_array_equal(first.scores, again.scores)
    np.testing.assert_array_equal(photo, make_photo(90, 60))
    np.testing.assert_array_equal(points, POINTS)


def test_points_and_photos_make_a_difference(model, make_photo, landscape):
    answer = model.decode(landscape, POINTS)
    assert not np.allclose(answer.logits[0], answer.logits[1], rtol=1e-3)
    other = model.decode(model.embed(255 - make_photo(90, 60)), POINTS)
    assert not np.allclose(answer.logits, other.logits, rtol=1e-3)


@pytest.mark.parametrize("size", [(300, 200), (257, 401)])
def test_trained_weights_find_the_disc_under_the_point(make_photo, mobilesam_files, size):
    model = open_model(str(mobilesam_files[0].parent))
    width, height = size
    embedding = model.embed(make_photo(width, height))
    answer = model.decode(embedding, np.array([[0.6 * width, 0.4 * height]]))
    across, down = embedding.logit_size
    y, x = np.mgrid[:down, :across] + 0.5
    x, y = x * width / across, y * height / down
    disc = np.hypot(x - 0.6 * width, y - 0.4 * height) < 0.2 * min(width, height)
    found = answer.logits[0] > 0
    overlaps = (found & disc).sum((1, 2)) / (found | disc).sum((1, 2))
    assert overlaps.max() > 0.9
    assert overlaps[answer.scores[0].argmax()] > 0.9


def test_a_prompt_of_one_point_gets_the_masks_of_the_point(model, landscape):
    alone = model.decode(landscape, POINTS[:1])
    prompt = Prompt(POINTS[:1].astype(np.float32), np.ones(1, bool))
    answer = model.decode_prompt(landscape, prompt)
    width, height = landscape.logit_size
    assert answer.logits.shape == (1, 1 + MASKS_PER_POINT, height, width)
    scale = np.abs(alone.logits).max()
    np.testing.assert_allclose(answer.logits[:, 1:], alone.logits, atol=2e-4 * scale)
    np.testing.assert_allclose(answer.scores[:, 1:], alone.scores, atol=1e-3)


def test_sides_and_boxes_of_a_prompt_make_a_difference(model, landscape):
    points = POINTS[:2].astype(np.float32)
    box = np.float32([40, 12, 68, 40])
    answers = [
        model.decode_prompt(landscape, prompt).logits
        for prompt in (
            Prompt(points, np.array([True, True])),
            Prompt(points, np.array([True, False])),
            Prompt(points, np.array([True, True]), box),
            Prompt(points[:0], np.zeros(0, bool), box),
        )
    ]
    for number, one in enumerate(answers):
        assert np.isfinite(one).all()
        for other in answers[:number]:
            assert not np.allclose(one, other, rtol=1e-3)


@pytest.mark.parametrize("with_points", [False, True])
def test_trained_weights_find_the_disc_in_its_box(make_photo, mobilesam_files, with_points):
    model = open_model(str(mobilesam_files[0].parent))
    embedding = model.embed(make_photo(300, 200))
    points = np.float32([[180, 80], [20, 180]] if with_points else np.zeros((0, 2)))
    box = np.float32([138, 38, 222, 122])
    prompt = Prompt(points, np.array([True, False])[: len(points)], box)
    across, down = embedding.logit_size
    y, x = np.mgrid[:down, :across] + 0.5
    disc = np.hypot(x * 300 / across - 180, y * 200 / down - 80) < 40
    found = model.decode_prompt(embedding, prompt).logits[0, 0] > 0
    assert (found & disc).sum() / (found | disc).sum() > 0.9
