# SPDX-License-Identifier: GPL-3.0-or-later
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from cgc_addon.dataset.load import load_dataset
from cgc_addon.errors import Interrupted
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.splats.initialise import first_gaussians
from cgc_addon.training import far_radius
from cgc_addon.training.checkpoint import Checkpoint
from cgc_addon.training.presets import preset
from cgc_addon.training.run_folder import RunFolder


@pytest.fixture(scope="module")
def dataset(tiny_dataset):
    return load_dataset(tiny_dataset, test_every=6)


def test_the_start_that_explains_the_photos_best_is_taken(dataset, monkeypatch):
    monkeypatch.setattr(far_radius, "STEPS", 30)
    whole = first_gaussians(dataset.scene, None, far_count=0)
    grey = replace(whole, sh=np.zeros_like(whole.sh), logit_opacities=whole.logit_opacities - 4)

    def start(radius):
        return whole if radius == 10.0 else grey

    config = preset("draft")
    chosen = far_radius.choose_far_radius(dataset, CpuBackend(), config, start)
    assert chosen == 10.0


@pytest.mark.parametrize(("steps", "taken"), [(30, True), (200, False)])
def test_trials_that_are_kept_count_if_they_were_as_long(
    dataset, monkeypatch, tmp_path, steps, taken
):
    monkeypatch.setattr(far_radius, "STEPS", 30)
    (tmp_path / "config.json").touch()  # what shows that the run is still there
    trials, begun = tmp_path / "background.json", []
    radii = list(far_radius.RADII)
    kept = {"radii": radii, "steps": steps, "losses": [[1e-3] * 30] * (len(radii) - 1)}
    trials.write_text(json.dumps(kept))

    def start(radius):
        begun.append(radius)
        return first_gaussians(dataset.scene, None, far_count=0)

    far_radius.choose_far_radius(dataset, CpuBackend(), preset("draft"), start, RunFolder(tmp_path))
    assert begun == (radii[-1:] if taken else radii)


@pytest.mark.parametrize("losses", [[1e-3, 1e-3], [[]], [[1e-3] * 7], ["no"], {"3.0": [1e-3] * 30}])
def test_trials_that_are_damaged_or_of_an_earlier_version_are_done_again(
    dataset, monkeypatch, tmp_path, losses
):
    monkeypatch.setattr(far_radius, "STEPS", 30)
    (tmp_path / "config.json").touch()
    begun, kept = [], {"radii": list(far_radius.RADII), "steps": 30, "losses": losses}
    (tmp_path / "background.json").write_text(json.dumps(kept))

    def start(radius):
        begun.append(radius)
        return first_gaussians(dataset.scene, None, far_count=0)

    far_radius.choose_far_radius(dataset, CpuBackend(), preset("draft"), start, RunFolder(tmp_path))
    assert begun == list(far_radius.RADII)


@pytest.mark.parametrize("best", far_radius.RADII)
def test_a_candidate_that_falls_behind_is_given_up_and_none_that_leads(
    dataset, monkeypatch, tmp_path, best
):
    """Losses are those of the photos, the same for all, and how far the candidate is away."""
    steps, radius = {}, [0.0]

    class Made:
        """A trainer whose losses are known."""

        photos = 1

        def __init__(self, *_):
            self.step = 0
            self.worse = 0.01 * abs(
                far_radius.RADII.index(radius[0]) - far_radius.RADII.index(best)
            )

        def train_step(self):
            chance = np.random.default_rng([self.step, int(radius[0])]).normal(0.0, 0.002)
            self.step += 1
            steps[radius[0]] = self.step
            of_photo = 0.1 + 0.05 * np.sin(self.step)
            return SimpleNamespace(loss=of_photo + chance + self.worse)

        def checkpoint(self):
            return Checkpoint({}, {})

    def start(chosen):
        radius[0] = chosen
        return first_gaussians(dataset.scene, None, far_count=0)

    monkeypatch.setattr(far_radius, "Trainer", Made)
    (tmp_path / "config.json").touch()
    arguments = (dataset, CpuBackend(), preset("draft"), start, RunFolder(tmp_path))
    assert far_radius.choose_far_radius(*arguments) == best
    whole = {radius for radius, count in steps.items() if count == far_radius.STEPS}
    assert whole == {each for each in far_radius.RADII if each <= best}
    assert all(steps[radius] < 60 for radius in far_radius.RADII if radius > best)
    steps.clear()
    assert far_radius.choose_far_radius(*arguments) == best
    assert not steps  # all of it is kept


def test_every_candidate_sees_as_many_photos(dataset, monkeypatch):
    shown, trained = [], far_radius.Trainer.train_step

    def train_step(trainer):
        before, result = trainer.step, trained(trainer)
        shown.append(trainer.step - before)
        return result

    monkeypatch.setattr(far_radius, "STEPS", 12)
    monkeypatch.setattr(far_radius.Trainer, "train_step", train_step)
    far_radius.choose_far_radius(
        dataset,
        CpuBackend(),
        preset("draft"),
        lambda _radius: first_gaussians(dataset.scene, None, far_count=0),
    )
    assert sum(shown) == 12 * len(far_radius.RADII)


def test_it_can_be_stopped_and_says_where_it_is(dataset):
    messages = []

    def start(_radius):
        return first_gaussians(dataset.scene, None, far_count=0)

    with pytest.raises(Interrupted):
        far_radius.choose_far_radius(
            dataset,
            CpuBackend(),
            preset("draft"),
            start,
            report=messages.append,
            should_stop=lambda: len(messages) > 1,
        )
    assert messages[0].stage == "Placing the background"
    assert messages[0].total == far_radius.STEPS * len(far_radius.RADII)
