# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace

import numpy as np
import pytest

from cgc_addon.cgc.settings import NoFeatureSettings
from cgc_addon.dataset.load import load_dataset
from cgc_addon.dataset.scene import PinholeCamera, View
from cgc_addon.errors import Interrupted
from cgc_addon.rasterize.cpu import CpuBackend
from cgc_addon.training.fitting import Size
from cgc_addon.training.forecast import GROWTH, Pace, forecast, in_words, measure_pace
from cgc_addon.training.presets import preset

from ..tiny_dataset import tiny_gaussians

PACE = Pace(always=1.2e-3, per_gaussian=3e-7, per_pixel=1e-7, measured_with=10_000)
SIZE = Size(800, 600, 60_000, 3_500)
SEEN = {"gaussians": 10_000, "views": 40, "masked": 40, "answered": 40, "background": True}


def test_the_pace_is_that_of_the_clock_and_each_part_counts(tiny_dataset):
    ticks = iter(range(1_000))
    pace = measure_pace(
        load_dataset(tiny_dataset), CpuBackend(), preset("draft"), tiny_gaussians(),
        clock=lambda: float(next(ticks)),
    )  # fmt: skip
    # Every step takes a second, whatever its size; two photos are looked at together.
    assert pace.step(440, 0) == pytest.approx(0.5)


def test_what_always_is_and_what_gaussians_and_pixels_cost_is_told_apart(monkeypatch, tiny_dataset):
    now, dataset = 0.0, load_dataset(tiny_dataset)
    camera = PinholeCamera(800, 600, 800.0, 800.0, 400.0, 300.0)
    monkeypatch.setattr(dataset.store, "view", lambda index, level: View("", camera, np.eye(4)))
    few = len(tiny_gaussians())

    class Machine:
        """Takes 2 ms always, 0.3 µs a Gaussian and 0.1 µs a pixel, more with more Gaussians."""

        step = 0

        def __init__(self, _dataset, _backend, config, gaussians):
            ((_, halvings),) = config.geometry.levels
            a_pixel = 1e-7 * (len(gaussians) / few) ** GROWTH
            self.seconds = 2e-3 + 3e-7 * len(gaussians) + a_pixel * 480_000 / 4**halvings

        def train_step(self):
            nonlocal now
            now += self.seconds

    monkeypatch.setattr("cgc_addon.training.forecast.Trainer", Machine)
    pace = measure_pace(
        dataset, CpuBackend(), preset("standard"), tiny_gaussians(), clock=lambda: now
    )
    assert pace.always == pytest.approx(2e-3, rel=0.01)
    assert pace.per_gaussian == pytest.approx(3e-7, rel=0.01)
    assert pace.per_pixel == pytest.approx(1e-7, rel=0.01)
    assert pace.measured_with == few


def test_a_pixel_costs_more_with_more_gaussians():
    pace = Pace(1e-3, 0.0, 1e-7, measured_with=10_000)
    assert pace.step(10_000, 1_000) - pace.step(10_000, 0) == pytest.approx(1e-4)
    assert pace.step(40_000, 1_000) - pace.step(40_000, 0) == pytest.approx(4**GROWTH * 1e-4)
    assert pace.step(0, 1_000) > 0.0  # a capture may start with nothing


def test_photos_too_small_to_be_halved_tell_nothing_of_pixels(tiny_dataset):
    ticks = iter([float(tick**2) for tick in range(1_000)])  # every step takes longer
    dataset = load_dataset(tiny_dataset)
    pace = measure_pace(
        dataset, CpuBackend(), preset("draft"), tiny_gaussians(), clock=lambda: next(ticks)
    )
    assert pace.per_pixel == 0.0
    assert pace.per_gaussian > 0.0


def test_measuring_can_be_stopped(tiny_dataset):
    with pytest.raises(Interrupted):
        measure_pace(
            load_dataset(tiny_dataset), CpuBackend(), preset("draft"), tiny_gaussians(),
            should_stop=lambda: True,
        )  # fmt: skip


def test_training_at_one_size_takes_its_steps_times_a_step():
    config = replace(preset("paper", steps=1_000), features=NoFeatureSettings())
    config = replace(
        config, geometry=replace(config.geometry, densify=replace(config.geometry.densify, cap=1))
    )
    seconds = forecast(config, PACE, SIZE, **{**SEEN, "background": False})
    assert seconds == pytest.approx(1_000 * PACE.step(10_000, 480_000), rel=0.15)


def test_each_stage_adds_its_time():
    config = preset("standard")
    whole = forecast(config, PACE, SIZE, **SEEN)
    without = [
        forecast(config, PACE, SIZE, **{**SEEN, "masked": 0}),
        forecast(config, PACE, SIZE, **{**SEEN, "answered": 0}),
        forecast(config, PACE, SIZE, **{**SEEN, "background": False}),
        forecast(replace(config, edges=replace(config.edges, steps=0)), PACE, SIZE, **SEEN),
        forecast(replace(config, init="splat.ply"), PACE, SIZE, **SEEN),
    ]
    assert all(less < whole for less in without)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(2, "5 seconds"), (61, "60 seconds"), (119, "2 minutes"), (150, "2.5 minutes"),
     (1_234, "21 minutes"), (86_400, "24 hours")],
)  # fmt: skip
def test_times_are_said_as_people_say_them(seconds, said):
    assert in_words(seconds) == said
