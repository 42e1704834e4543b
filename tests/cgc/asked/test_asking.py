# SPDX-License-Identifier: GPL-3.0-or-later
"""Pointing at a thing in one photo finds its Gaussians on all sides."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cgc_addon.cgc.asked.asking import Asking, first_answer
from cgc_addon.dataset.load import load_dataset
from cgc_addon.errors import CgcError, Interrupted
from cgc_addon.masks.models.interface import Candidates, Prompt
from cgc_addon.progress import Progress
from cgc_addon.rasterize.select import select_backend
from cgc_addon.training.parameters import splat_of

from ...tiny_dataset import tiny_gaussians
from .knowing_model import knowing_model


@pytest.fixture(scope="module")
def scene(tiny_dataset):
    """Return the tiny dataset, its how to ask a model about it, and how good the answer was."""
    dataset = load_dataset(tiny_dataset)
    # As the dataset was made: the first numbers of its generator are these Gaussians.
    gaussians = tiny_gaussians()
    backend, _ = select_backend("cpu")
    splat = splat_of(gaussians, torch.device("cpu"))

    def ask(model, should_stop=lambda: False):
        views, photo = dataset.scene.views, dataset.store.photo
        return Asking(gaussians, splat, views, photo, model, backend, should_stop)

    def shown(found: np.ndarray, thing: int) -> float:
        """Return the IoU of what is drawn of an object with what is true, over all views."""
        labels = torch.from_numpy(np.where(found, 1, 2).astype(np.int32))
        common = either = 0
        for index, view in enumerate(dataset.scene.views):
            drawn = backend.render_labels(splat, view, labels)[0].numpy() == 1
            true = dataset.store.truth(index) == thing
            common, either = common + (drawn & true).sum(), either + (drawn | true).sum()
        return float(common / either)

    return dataset, ask, shown


def middle_of(truth: np.ndarray, thing: int) -> Prompt:
    rows, columns = np.nonzero(truth == thing)
    place = np.float32([[np.median(columns) + 0.5, np.median(rows) + 0.5]])
    return Prompt(place, np.ones(1, bool))


@pytest.mark.parametrize("thing", [1, 2, 3, 4])
def test_one_click_finds_the_ball_all_round(scene, thing):
    dataset, ask, shown = scene
    model, said = knowing_model(dataset), []
    view = int(np.argmax([(truth == thing).sum() for truth in model.truths]))
    found = ask(model).find({view: middle_of(model.truths[view], thing)}, said.append)
    assert shown(found, thing) > 0.9
    assert len(model.asked) > 5
    assert all(one.box is not None for one in model.asked[1:])
    assert isinstance(said[-1], Progress)
    assert said[-1].done == said[-1].total == len(model.asked)


def test_answers_about_something_else_do_not_count(scene):
    dataset, ask, shown = scene
    model = knowing_model(dataset)
    view = int(np.argmax([(truth == 2).sum() for truth in model.truths]))
    model.blind = {(view + 3) % 12, (view + 8) % 12}
    found = ask(model).find({view: middle_of(model.truths[view], 2)})
    assert shown(found, 2) > 0.9


def test_a_box_in_two_photos_is_enough(scene):
    dataset, ask, shown = scene
    model, prompts = knowing_model(dataset), {}
    for view in np.argsort([-(truth == 3).sum() for truth in model.truths])[:2]:
        rows, columns = np.nonzero(model.truths[view] == 3)
        box = np.float32([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        prompts[int(view)] = Prompt(np.zeros((0, 2), np.float32), np.zeros(0, bool), box)
    found = ask(model).find(prompts)
    assert shown(found, 3) > 0.9


def test_it_can_be_stopped_and_says_where_nothing_is(scene):
    dataset, ask, _ = scene
    model = knowing_model(dataset)
    prompt = {0: middle_of(model.truths[0], 1)}
    with pytest.raises(Interrupted):
        ask(model, lambda: True).find(prompt)
    model.blind = {0}
    model.truths[0][:] = 1
    with pytest.raises(CgcError, match="knowing finds nothing at the place in 0000"):
        ask(model).find(prompt)


def test_a_point_alone_means_the_thing_and_several_points_what_they_are_on():
    def chosen(points: int, scores: list[float], box: bool = False) -> int:
        answers = Candidates(np.zeros((1, 4, 2, 2), np.float32), np.float32([scores]))
        places, sides = np.zeros((points, 2), np.float32), np.ones(points, bool)
        return first_answer(Prompt(places, sides, np.zeros(4) if box else None), answers)

    assert chosen(1, [0.9, 0.9, 0.6, 0.65]) == 2
    assert chosen(1, [0.9, 0.9, 0.6, 0.9]) == 3
    assert chosen(2, [0.5, 0.9, 0.9, 0.9]) == 0
    assert chosen(1, [0.5, 0.9, 0.9, 0.9], box=True) == 0
