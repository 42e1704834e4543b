# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import replace
from itertools import pairwise

import pytest

from cgc_addon.training.asked import Asked
from cgc_addon.training.fitting import Capture, describe, fitted, fitted_to_time, size_of
from cgc_addon.training.presets import configure, preset

PHONE = Capture(40, 4_032, 3_024)
SMALL = Capture(40, 384, 288)


def work(config):
    """Return a made-up time that grows with all that is chosen, seconds."""
    size = size_of(config, PHONE)
    return 1e-9 * size.steps * (300 * size.cap + 100 * size.width * size.height)


@pytest.mark.parametrize("name", ["draft", "standard", "paper"])
@pytest.mark.parametrize("threads", [1, 2, 4, 8, 16, None])
def test_large_photos_are_made_smaller_and_never_larger(name, threads):
    config = preset(name)
    size = size_of(fitted(config, Asked(), PHONE, threads), PHONE)
    assert 600 <= max(size.width, size.height) <= 1_600
    assert size_of(fitted(config, Asked(), SMALL, threads), SMALL) == size_of(config, SMALL)


def test_more_threads_take_larger_photos():
    config = preset("standard")
    sides = [
        size_of(fitted(config, Asked(), PHONE, threads), PHONE).width
        for threads in (1, 2, 3, 8, 16, None)
    ]
    assert sides == sorted(sides)
    assert sides[1] < sides[-1]


def test_more_photos_get_more_gaussians_but_the_papers_cap_stays():
    few, many = PHONE, replace(PHONE, views=1_000)
    caps = [size_of(fitted(preset("standard"), Asked(), one, 2), one).cap for one in (few, many)]
    assert caps[0] == 60_000
    assert 4 * caps[0] <= caps[1] <= 8 * caps[0]
    assert size_of(fitted(preset("paper"), Asked(), many, 2), many).cap == 1_000_000


def test_what_is_asked_for_is_left_alone():
    config = configure("standard", steps=500, max_gaussians=9_000, max_size=2_000)
    asked = Asked(max_size=2_000, max_gaussians=9_000, steps=500)
    assert fitted(config, asked, PHONE, 2) == config
    assert fitted_to_time(config, asked, PHONE, 1.0, work) == config


@pytest.mark.parametrize("seconds", [100.0, 200.0, 600.0, 3_000.0])
def test_all_together_take_the_time_that_there_is(seconds):
    config = fitted(preset("standard"), Asked(), PHONE, 2)
    chosen = fitted_to_time(config, Asked(minutes=1.0), PHONE, seconds, work)
    assert 0.9 * seconds < work(chosen) <= seconds


def test_more_time_never_makes_less_of_it():
    config = fitted(preset("standard"), Asked(), PHONE, 2)
    sizes = [
        size_of(fitted_to_time(config, Asked(minutes=1.0), PHONE, seconds, work), PHONE)
        for seconds in (30.0, 100.0, 300.0, 1_000.0)
    ]
    for less, more in pairwise(sizes):
        assert (more.steps, more.width, more.cap) >= (less.steps, less.width, less.cap)
        assert more.width >= less.width
        assert more.cap >= less.cap


def test_however_little_time_there_is_something_is_trained():
    config = fitted(preset("standard"), Asked(), PHONE, 2)
    size = size_of(fitted_to_time(config, Asked(minutes=0.01), PHONE, 0.001, work), PHONE)
    assert (size.width, size.cap, size.steps) == (320, 15_000, 300)


def test_the_schedules_stretch_along():
    config = fitted(preset("standard"), Asked(), PHONE, 2)
    chosen = fitted_to_time(config, Asked(minutes=1.0), PHONE, 40.0, work)
    assert chosen.geometry.densify.stop < chosen.geometry.steps < config.geometry.steps
    assert chosen.edges.steps / chosen.geometry.steps == pytest.approx(0.1, rel=0.05)


def test_what_was_chosen_is_said_with_the_options_that_choose_otherwise():
    config = preset("standard")
    said = describe(config, fitted(config, Asked(), PHONE, None), PHONE)
    assert "1600×1200 instead of 4032×3024" in said
    assert "(--max-size) and at most 118,000 Gaussians (--max-gaussians)" in said
    assert describe(config, fitted(config, Asked(), SMALL, 2), SMALL) == ""
