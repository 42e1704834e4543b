# SPDX-License-Identifier: GPL-3.0-or-later
import json
from dataclasses import replace

import pytest

from cgc_addon.errors import CgcError
from cgc_addon.training.config import CONFIG_VERSION, from_json, to_json
from cgc_addon.training.presets import PRESETS, preset


@pytest.mark.parametrize("name", PRESETS)
def test_a_configuration_survives_its_file(name):
    config = replace(preset(name), max_size=640, test_every=8, init="a.ply")
    assert from_json(json.loads(json.dumps(to_json(config))), "config.json") == config


def test_the_paper_preset_has_the_released_hyper_parameters():
    config = preset("paper")
    assert config.geometry.steps == 30_000
    assert config.features.mode == "joint"
    assert config.features.reduction == "area-weighted"
    assert config.features.contrastive_every == 50
    assert config.features.contrastive_weight == 1e-6
    assert (config.features.spatial, config.features.spatial_every) == ("released", 100)
    assert (config.features.pull_weight, config.features.push_weight) == (0.05, 0.15)
    densify = config.geometry.densify
    assert (densify.start, densify.stop, densify.every) == (500, 15_000, 100)
    assert densify.reset_opacity_every == 3_000


@pytest.mark.parametrize("name", PRESETS)
def test_schedules_stretch_with_the_steps(name):
    short, long = preset(name, steps=200), preset(name, steps=20_000)
    assert short.geometry.steps == 200
    assert short.geometry.densify.stop <= 200
    assert short.geometry.sh_degree_every < long.geometry.sh_degree_every
    assert short.geometry.densify.start >= 1


@pytest.mark.parametrize("steps", [0, -5])
def test_no_steps_are_refused(steps):
    with pytest.raises(CgcError, match="steps are too few"):
        preset("draft", steps=steps)


def test_unknown_preset_names_those_that_exist():
    with pytest.raises(CgcError, match="draft, standard, paper"):
        preset("ultra")


def changed(**changes):
    return {**json.loads(json.dumps(to_json(preset("draft")))), **changes}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "does not hold a run configuration"),
        (changed(version=CONFIG_VERSION + 1), "another version"),
        (changed(colour="red"), "unknown setting colour"),
        (changed(seed="zero"), "setting seed must be int, not 'zero'"),
        (changed(seed=True), "setting seed must be int"),
        (changed(backend="tpu"), "setting backend must be auto or "),
        (changed(geometry=3), "setting geometry must be a group"),
        (changed(max_size="big"), "setting max_size must be int"),
    ],
)
def test_a_wrong_configuration_says_which_setting(value, message):
    with pytest.raises(CgcError, match=message) as caught:
        from_json(value, "run/config.json")
    assert "run/config.json" in str(caught.value)


def test_a_missing_setting_is_named_with_its_group():
    value = changed()
    del value["geometry"]["densify"]["cap"]
    with pytest.raises(CgcError, match=r"geometry\.densify\.cap is missing"):
        from_json(value, "config.json")
